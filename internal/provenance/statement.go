package provenance

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/taglast/taglast/internal/escape"
	"github.com/taglast/taglast/internal/ociref"
)

const (
	maxSubjects  = 1024     // sigstore-go refuses more
	maxPredicate = 16 << 20 // in GitHub's action
)

// The order of the fields is the order of the keys.
type (
	statement[P any] struct {
		Type          string             `json:"_type"`
		Subject       []statementSubject `json:"subject"`
		PredicateType string             `json:"predicateType"`
		Predicate     P                  `json:"predicate"`
	}
	statementSubject struct {
		Name   string            `json:"name"`
		Digest map[string]string `json:"digest"`
	}
)

// Statement is the compact JSON of the in-toto statement v1, keys in the order _type, subject, predicateType, predicate.
// The same input gives the same bytes.
//
// It is an error if a claim that the predicate is made of is missing, or holds control characters; if there is no
// subject, more than 1024, two with the same name and digest (GitHub's API refuses these), or one that is no sha256
// digest in lower-case hex under a printable name; if a dependency's URI holds user info or its digest is no lower-case
// hex; or if the statement is longer than 16 MiB.
func Statement(in Input) ([]byte, error) {
	subjects, err := statementSubjects(in.Subjects)
	if err != nil {
		return nil, fmt.Errorf("provenance: %w", err)
	}
	p, err := newPredicate(in)
	if err != nil {
		return nil, fmt.Errorf("provenance: %w", err)
	}
	raw, err := encode(statement[predicate]{Type: StatementType, Subject: subjects, PredicateType: PredicateType, Predicate: p})
	if err != nil {
		return nil, fmt.Errorf("provenance: %w", err)
	}
	if len(raw) > maxPredicate {
		return nil, fmt.Errorf("provenance: a statement of %d bytes, at most %d are allowed", len(raw), maxPredicate)
	}
	return raw, nil
}

// StatementOf is the compact JSON of an in-toto statement v1 about subjects with a predicate that is JSON already; of it
// only the white space between its tokens is left out. Subjects are as Statement wants them. It is an error where the
// predicate has more than 16 MiB.
func StatementOf(subjects []Subject, predicateType string, predicate json.RawMessage) ([]byte, error) {
	named, err := statementSubjects(subjects)
	if err != nil {
		return nil, fmt.Errorf("statement of type %s: %w", predicateType, err)
	}
	if len(predicate) > maxPredicate {
		return nil, fmt.Errorf("statement of type %s: a predicate of %d bytes, at most %d are allowed", predicateType, len(predicate), maxPredicate)
	}
	raw, err := encode(statement[json.RawMessage]{Type: StatementType, Subject: named, PredicateType: predicateType, Predicate: predicate})
	if err != nil {
		return nil, fmt.Errorf("statement of type %s: %w", predicateType, err)
	}
	return raw, nil
}

// encode is v as compact JSON, no HTML escapes, no final newline.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

func statementSubjects(subjects []Subject) ([]statementSubject, error) {
	switch {
	case len(subjects) == 0:
		return nil, errors.New("no subject")
	case len(subjects) > maxSubjects:
		return nil, fmt.Errorf("%d subjects, at most %d are allowed", len(subjects), maxSubjects)
	}
	seen := make(map[Subject]bool, len(subjects))
	out := make([]statementSubject, 0, len(subjects))
	for _, s := range subjects {
		digest, err := ociref.ParseDigest(s.Digest)
		switch {
		case s.Name == "" || !printable(s.Name):
			return nil, fmt.Errorf("subject %q is not a printable name", escape.Bounded(s.Name, 200))
		case err != nil:
			return nil, fmt.Errorf("subject %s: %q is not a sha256 digest", escape.Text(s.Name), escape.Bounded(s.Digest, 200))
		case seen[s]:
			return nil, fmt.Errorf("subject %s@%s is given twice", escape.Text(s.Name), s.Digest)
		}
		seen[s] = true
		out = append(out, statementSubject{Name: s.Name, Digest: map[string]string{digest.Algorithm: digest.Hex}})
	}
	return out, nil
}

// printable reports whether s is UTF-8 without control characters and line separators.
func printable(s string) bool { return utf8.ValidString(s) && !escape.HasControl(s) }

// Subjects returns root under each repository's name, then each child's digest under each of them, no pair twice.
func Subjects(repos []string, root string, children []string) []Subject {
	var subjects []Subject
	seen := map[Subject]bool{}
	for _, digest := range append([]string{root}, children...) {
		for _, repo := range repos {
			s := Subject{Name: repo, Digest: digest}
			if !seen[s] {
				seen[s] = true
				subjects = append(subjects, s)
			}
		}
	}
	return subjects
}
