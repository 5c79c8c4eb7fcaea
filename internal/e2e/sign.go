//go:build e2e

package e2e

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/sigstore/sigstore-go/pkg/sign"
	"google.golang.org/protobuf/encoding/protojson"
)

const provenanceType = "https://slsa.dev/provenance/v1"

// statement is an in-toto statement over digests, without taglast's help.
func statement(t *testing.T, predicateType, subject string, digests ...string) []byte {
	t.Helper()
	var subjects []map[string]any
	for _, d := range digests {
		subjects = append(subjects, map[string]any{"name": subject, "digest": map[string]string{"sha256": strings.TrimPrefix(d, "sha256:")}})
	}
	raw, err := json.Marshal(map[string]any{
		"_type": "https://in-toto.io/Statement/v1", "subject": subjects,
		"predicateType": predicateType, "predicate": map[string]any{"buildDefinition": map[string]any{}, "runDetails": map[string]any{}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// sign makes a bundle as sigstore-go does it: the reference for what taglast makes, and material for verdicts that
// taglast would never give occasion to.
func (s *stack) sign(t *testing.T, j job, payload []byte) []byte {
	t.Helper()
	return s.signAs(t, j, "application/vnd.in-toto+json", payload)
}

func (s *stack) signAs(t *testing.T, j job, payloadType string, payload []byte) []byte {
	t.Helper()
	token, err := s.github.token(j, "sigstore")
	if err != nil {
		t.Fatal(err)
	}
	key, err := sign.NewEphemeralKeypair(nil)
	if err != nil {
		t.Fatal(err)
	}
	bundle, err := sign.Bundle(&sign.DSSEData{Data: payload, PayloadType: payloadType}, key, sign.BundleOptions{
		Context:                    t.Context(),
		CertificateProvider:        sign.NewFulcio(&sign.FulcioOptions{BaseURL: "http://127.0.0.1:" + s.ports.fulcio}),
		CertificateProviderOptions: &sign.CertificateProviderOptions{IDToken: token},
		TimestampAuthorities: []*sign.TimestampAuthority{
			sign.NewTimestampAuthority(&sign.TimestampAuthorityOptions{URL: "http://127.0.0.1:" + s.ports.timestamp + "/api/v1/timestamp"}),
		},
		TransparencyLogs: []sign.Transparency{sign.NewRekor(&sign.RekorOptions{BaseURL: "http://127.0.0.1:" + s.ports.rekor})},
	})
	if err != nil {
		t.Fatal(err)
	}
	raw, err := protojson.Marshal(bundle)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// store puts a bundle into GitHub's store, as seen at once.
func (s *stack) store(t *testing.T, j job, bundle []byte) {
	t.Helper()
	body, err := json.Marshal(map[string]json.RawMessage{"bundle": bundle})
	if err != nil {
		t.Fatal(err)
	}
	rec, err := parse(strings.NewReader(string(body)))
	if err != nil {
		t.Fatal(err)
	}
	s.github.mu.Lock()
	defer s.github.mu.Unlock()
	rec.id, rec.repository = 4242+len(s.github.records), j.Repository
	s.github.records = append(s.github.records, rec)
}
