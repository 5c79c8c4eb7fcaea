package policy

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/taglast/taglast/internal/escape"
)

// object reads one JSON object whose keys are each there once, and nothing after it.
func object(raw []byte) (map[string]json.RawMessage, error) {
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
			return nil, fmt.Errorf("key %s is there twice", quoted(key))
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

// lookup walks objects by path; ok is false where a step is missing or no object.
func lookup(raw json.RawMessage, path ...string) (json.RawMessage, bool) {
	for _, key := range path {
		m, err := object(raw)
		if err != nil {
			return nil, false
		}
		var ok bool
		if raw, ok = m[key]; !ok {
			return nil, false
		}
	}
	return raw, true
}

// lookupText is the string at path, empty where there is none.
func lookupText(raw json.RawMessage, path ...string) string {
	v, ok := lookup(raw, path...)
	if !ok {
		return ""
	}
	var s string
	if json.Unmarshal(v, &s) != nil {
		return ""
	}
	return s
}
