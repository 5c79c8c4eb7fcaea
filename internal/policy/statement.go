package policy

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"unicode/utf8"

	"github.com/taglast/taglast/internal/escape"
	"github.com/taglast/taglast/internal/provenance"
)

// statement is an in-toto statement as far as policies look at it.
type statement struct {
	subjects      []provenance.Subject
	predicateType string
	predicate     json.RawMessage
}

// parseStatement reads a DSSE payload. Keys are taken as written: encoding/json would let "Subject" stand for
// "subject", and let the last of two equal keys win, where another reader sees something else.
func parseStatement(payload []byte) (statement, error) {
	if !utf8.Valid(payload) {
		return statement{}, errors.New("statement: not UTF-8")
	}
	top, err := object(payload)
	if err != nil {
		return statement{}, fmt.Errorf("statement: %w", err)
	}
	var s statement
	if s.predicateType, err = text(top, "predicateType"); err != nil {
		return statement{}, fmt.Errorf("statement: %w", err)
	}
	s.predicate = top["predicate"]
	var subjects []json.RawMessage
	if err := json.Unmarshal(top["subject"], &subjects); err != nil {
		return statement{}, errors.New("statement: its subject is not a list")
	}
	if len(subjects) > maxSubjects {
		return statement{}, fmt.Errorf("statement: %d subjects, more than %d", len(subjects), maxSubjects)
	}
	for i, raw := range subjects {
		found, err := parseSubject(raw)
		if err != nil {
			return statement{}, fmt.Errorf("statement: subject %d: %w", i, err)
		}
		s.subjects = append(s.subjects, found...)
	}
	return s, nil
}

func parseSubject(raw json.RawMessage) ([]provenance.Subject, error) {
	fields, err := object(raw)
	if err != nil {
		return nil, err
	}
	name := ""
	if _, ok := fields["name"]; ok {
		if name, err = text(fields, "name"); err != nil {
			return nil, err
		}
	}
	if _, ok := fields["digest"]; !ok {
		return nil, nil // it names nothing that could be compared
	}
	digests, err := object(fields["digest"])
	if err != nil {
		return nil, fmt.Errorf("digest: %w", err)
	}
	if len(digests) > maxDigests {
		return nil, fmt.Errorf("%d digests, more than %d", len(digests), maxDigests)
	}
	var out []provenance.Subject
	for _, alg := range slices.Sorted(maps.Keys(digests)) {
		value, err := text(digests, alg)
		if err != nil {
			return nil, fmt.Errorf("digest: %w", err)
		}
		out = append(out, provenance.Subject{Name: name, Digest: alg + ":" + value})
	}
	return out, nil
}

// text is the string under key.
func text(m map[string]json.RawMessage, key string) (string, error) {
	raw, ok := m[key]
	if !ok {
		return "", fmt.Errorf("no %s", escape.Text(key))
	}
	var s *string
	if err := json.Unmarshal(raw, &s); err != nil || s == nil {
		return "", fmt.Errorf("%s is not a text", escape.Text(key))
	}
	return *s, nil
}
