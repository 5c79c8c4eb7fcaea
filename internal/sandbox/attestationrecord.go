package sandbox

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/sigstore/sigstore-go/pkg/bundle"
)

// parseRecord reads the body of a create call. Whatever holds no bundle is refused, so a preflight that sends none
// learns only of its permission.
func parseRecord(body []byte) (record, error) {
	var req struct {
		Bundle json.RawMessage `json:"bundle"`
	}
	if err := json.Unmarshal(body, &req); err != nil {
		return record{}, fmt.Errorf("parse the request: %w", err)
	}
	if len(req.Bundle) == 0 || string(req.Bundle) == "null" {
		return record{}, errors.New(`"bundle" wasn't supplied`)
	}
	s, err := parseStatement(req.Bundle)
	if err != nil {
		return record{}, err
	}
	var sig [12]byte
	if _, err := rand.Read(sig[:]); err != nil {
		return record{}, fmt.Errorf("make the bundle's URL: %w", err)
	}
	return record{predicate: s.PredicateType, digests: s.digests(), bundle: req.Bundle, signature: fmt.Sprintf("%x", sig)}, nil
}

// errDuplicateSubject has GitHub's own words.
var errDuplicateSubject = errors.New("Invalid Argument - duplicate subject in statement") //nolint:staticcheck // as GitHub writes it

// statement is what the store reads of an in-toto statement.
type statement struct {
	PredicateType string `json:"predicateType"`
	Subject       []struct {
		Name   string            `json:"name"`
		Digest map[string]string `json:"digest"`
	} `json:"subject"`
}

// parseStatement takes a bundle v0.3 apart, down to its statement.
func parseStatement(raw []byte) (statement, error) {
	var b bundle.Bundle
	if err := b.UnmarshalJSON(raw); err != nil {
		return statement{}, fmt.Errorf("invalid bundle: %w", err)
	}
	envelope := b.GetDsseEnvelope()
	if envelope == nil || b.GetVerificationMaterial().GetCertificate() == nil {
		return statement{}, errors.New("invalid bundle: it needs a DSSE envelope and a single certificate")
	}
	var s statement
	if err := json.Unmarshal(envelope.GetPayload(), &s); err != nil {
		return statement{}, fmt.Errorf("invalid statement: %w", err)
	}
	if s.PredicateType == "" || len(s.Subject) == 0 {
		return statement{}, errors.New("invalid statement: it needs a predicate type and a subject")
	}
	seen := map[string]bool{}
	for _, sub := range s.Subject {
		pair := sub.Name + "@" + sub.Digest["sha256"]
		if seen[pair] {
			return statement{}, errDuplicateSubject
		}
		seen[pair] = true
	}
	return s, nil
}

// digests are the subjects' sha256 digests, each once.
func (s statement) digests() []string {
	var out []string
	seen := map[string]bool{}
	for _, sub := range s.Subject {
		if d := "sha256:" + sub.Digest["sha256"]; sub.Digest["sha256"] != "" && !seen[d] {
			seen[d] = true
			out = append(out, d)
		}
	}
	return out
}
