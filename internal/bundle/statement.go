package bundle

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"unicode/utf8"

	protodsse "github.com/sigstore/protobuf-specs/gen/pb-go/dsse"

	"github.com/taglast/taglast/internal/escape"
	"github.com/taglast/taglast/internal/provenance"
	"github.com/taglast/taglast/internal/strictjson"
)

const (
	maxSubjects = 1024 // as sigstore-go and GitHub's action
	maxDigests  = 32   // of one subject
)

// Statement is an in-toto statement as far as this program looks at it.
type Statement struct {
	Type          string               // its _type; empty where that is no text
	Subjects      []provenance.Subject // one for each digest of each subject, the digest as algorithm:hex
	PredicateType string
	Predicate     json.RawMessage
	Raw           []byte // the whole statement, as it was signed
}

// envelopeStatement reads the statement in a DSSE envelope. Errors wrap ErrInvalid.
func envelopeStatement(envelope *protodsse.Envelope) (Statement, error) {
	if envelope == nil {
		return Statement{}, fmt.Errorf("%w: it holds no DSSE envelope", ErrInvalid)
	}
	if got := envelope.GetPayloadType(); got != PayloadType {
		return Statement{}, fmt.Errorf(`%w: payload type: expected "%s", got "%s"`, ErrInvalid, PayloadType, escape.Text(got))
	}
	s, err := ParseStatement(envelope.GetPayload())
	if err != nil {
		return Statement{}, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	return s, nil
}

// ParseStatement reads an in-toto statement's JSON, keys taken as written and each there once. It accepts at most 1024
// subjects with at most 32 digests each.
func ParseStatement(raw []byte) (Statement, error) {
	s := Statement{Raw: raw}
	if !utf8.Valid(raw) {
		return Statement{}, errors.New("statement: not UTF-8")
	}
	top, err := strictjson.Object(raw)
	if err != nil {
		return Statement{}, fmt.Errorf("statement: %w", err)
	}
	if s.PredicateType, err = strictjson.Member(top, "predicateType"); err != nil {
		return Statement{}, fmt.Errorf("statement: %w", err)
	}
	s.Type, _ = strictjson.Member(top, "_type") // no policy accepts the empty type that an error leaves
	s.Predicate = top["predicate"]
	var subjects []json.RawMessage
	if err := json.Unmarshal(top["subject"], &subjects); err != nil {
		return Statement{}, errors.New("statement: its subject is not a list")
	}
	if len(subjects) > maxSubjects {
		return Statement{}, fmt.Errorf("statement: %d subjects, more than %d", len(subjects), maxSubjects)
	}
	for i, subject := range subjects {
		found, err := parseSubject(subject)
		if err != nil {
			return Statement{}, fmt.Errorf("statement: subject %d: %w", i, err)
		}
		s.Subjects = append(s.Subjects, found...)
	}
	return s, nil
}

func parseSubject(raw json.RawMessage) ([]provenance.Subject, error) {
	fields, err := strictjson.Object(raw)
	if err != nil {
		return nil, err
	}
	name := ""
	if _, ok := fields["name"]; ok {
		if name, err = strictjson.Member(fields, "name"); err != nil {
			return nil, err
		}
	}
	if _, ok := fields["digest"]; !ok {
		return nil, nil // a subject without a digest names nothing that could be compared
	}
	digests, err := strictjson.Object(fields["digest"])
	if err != nil {
		return nil, fmt.Errorf("digest: %w", err)
	}
	if len(digests) > maxDigests {
		return nil, fmt.Errorf("%d digests, more than %d", len(digests), maxDigests)
	}
	var out []provenance.Subject
	for _, algorithm := range slices.Sorted(maps.Keys(digests)) {
		value, err := strictjson.Member(digests, algorithm)
		if err != nil {
			return nil, fmt.Errorf("digest: %w", err)
		}
		out = append(out, provenance.Subject{Name: name, Digest: algorithm + ":" + value})
	}
	return out, nil
}
