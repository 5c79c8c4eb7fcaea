// Package strictjson reads JSON objects as they are written: encoding/json would let "Subject" stand for "subject", and
// let the last of two equal keys win, where another reader sees something else.
package strictjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/taglast/taglast/internal/escape"
)

// Object reads one JSON object, in which each key is there once, with nothing after it. Foreign text in its errors is
// escaped.
func Object(raw []byte) (map[string]json.RawMessage, error) {
	dec := json.NewDecoder(bytes.NewReader(raw))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return nil, errors.New("not a JSON object")
	}
	out := make(map[string]json.RawMessage)
	for dec.More() {
		t, err := dec.Token()
		if err != nil {
			return nil, errors.New("malformed JSON")
		}
		key, ok := t.(string)
		if !ok {
			return nil, errors.New("malformed JSON")
		}
		if _, twice := out[key]; twice {
			return nil, fmt.Errorf(`key "%s" is there twice`, escape.Text(key))
		}
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			return nil, errors.New(escape.Text(err.Error()))
		}
		out[key] = value
	}
	if _, err := dec.Token(); err != nil {
		return nil, errors.New("malformed JSON")
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one JSON value")
	}
	return out, nil
}

// Member returns the string under key of an object that Object has read; anything else there, or nothing, is an error.
func Member(object map[string]json.RawMessage, key string) (string, error) {
	raw, ok := object[key]
	if !ok {
		return "", fmt.Errorf("no %s", escape.Text(key))
	}
	var s *string
	if err := json.Unmarshal(raw, &s); err != nil || s == nil {
		return "", fmt.Errorf("%s is not a text", escape.Text(key))
	}
	return *s, nil
}

// Lookup returns the value at path in nested objects; ok is false where a key is missing or a step is no object.
func Lookup(raw json.RawMessage, path ...string) (value json.RawMessage, ok bool) {
	for _, key := range path {
		m, err := Object(raw)
		if err != nil {
			return nil, false
		}
		if raw, ok = m[key]; !ok {
			return nil, false
		}
	}
	return raw, true
}

// Text returns the string at path, empty where there is none.
func Text(raw json.RawMessage, path ...string) string {
	v, ok := Lookup(raw, path...)
	if !ok {
		return ""
	}
	var s string
	if json.Unmarshal(v, &s) != nil {
		return ""
	}
	return s
}
