package storetest

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/taglast/taglast/internal/bundle"
)

// Bundle is a well-formed bundle over a statement with these subjects: certificate and signature are not real, so that
// it is for tests of stores only. Two calls with other salts give bundles that differ.
func Bundle(t testing.TB, salt, predicateType string, digests ...string) *bundle.Bundle {
	t.Helper()
	type subject struct {
		Name   string            `json:"name"`
		Digest map[string]string `json:"digest"`
	}
	var subjects []subject
	for _, d := range digests {
		subjects = append(subjects, subject{"ghcr.io/acme/app", map[string]string{"sha256": strings.TrimPrefix(d, "sha256:")}})
	}
	statement, err := json.Marshal(map[string]any{
		"_type": "https://in-toto.io/Statement/v1", "subject": subjects, "predicateType": predicateType,
		"predicate": map[string]any{"salt": salt},
	})
	if err != nil {
		t.Fatal(err)
	}
	b64 := base64.StdEncoding.EncodeToString
	b, err := bundle.Parse(fmt.Appendf(nil, `{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","verificationMaterial":{"certificate":{"rawBytes":"%s"}},`+
		`"dsseEnvelope":{"payload":"%s","payloadType":"application/vnd.in-toto+json","signatures":[{"sig":"%s"}]}}`,
		b64([]byte("certificate")), b64(statement), b64([]byte("signature "+salt))))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Digest is sha256: and 64 times the hex digit c.
func Digest(c byte) string { return "sha256:" + strings.Repeat(string(c), 64) }
