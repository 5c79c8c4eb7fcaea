package bundle_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	protobundle "github.com/sigstore/protobuf-specs/gen/pb-go/bundle/v1"
	protocommon "github.com/sigstore/protobuf-specs/gen/pb-go/common/v1"
	"google.golang.org/protobuf/proto"

	"github.com/taglast/taglast/internal/bundle"
)

func TestParseRefusesWhatIsNoBundle(t *testing.T) {
	honest := honest(t)
	raw := encode(t, honest)
	for name, raw := range map[string][]byte{
		"nothing":            nil,
		"no JSON":            []byte("<html>"),
		"another document":   []byte(`{"mediaType":"application/json"}`),
		"an unknown field":   append([]byte(`{"more":1,`), raw[1:]...),
		"two documents":      append(bytes.Clone(raw), raw...),
		"an oversize one":    append(bytes.Clone(raw), bytes.Repeat([]byte(" "), bundle.MaxSize)...),
		"control characters": []byte("{\"mediaType\":\"\\u001b[31m::error::\"}"),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := verifiable(raw)
			if !errors.Is(err, bundle.ErrInvalid) {
				t.Fatalf("got %v", err)
			}
			if strings.ContainsAny(err.Error(), "\x1b\n\r") {
				t.Errorf("foreign control characters in %q", err)
			}
		})
	}
	if _, err := verifiable(raw); err != nil {
		t.Error(err)
	}
	older := proto.CloneOf(honest)
	chain(older)
	older.MediaType = "application/vnd.dev.sigstore.bundle+json;version=0.2"
	if _, err := verifiable(encode(t, older)); err != nil {
		t.Errorf("v0.2 with a chain, which consumers meet: %v", err)
	}
}

func TestTheErrorOfALongTextIsShort(t *testing.T) {
	if _, err := bundle.Parse(bytes.Repeat([]byte("1"), 1<<20)); err == nil || len(err.Error()) > 1000 {
		t.Errorf("%d bytes", len(fmt.Sprint(err)))
	}
}

func TestVerifiableRefusesKindsOfBundle(t *testing.T) {
	honest := honest(t)
	for _, c := range []struct {
		name, want string
		change     func(*protobundle.Bundle)
	}{
		{"a public key instead of the certificate", "public key", func(b *protobundle.Bundle) {
			b.VerificationMaterial.Content = &protobundle.VerificationMaterial_PublicKey{PublicKey: &protocommon.PublicKeyIdentifier{Hint: "k"}}
		}},
		{"the first media type", "older than v0.2", func(b *protobundle.Bundle) {
			chain(b)
			b.MediaType = "application/vnd.dev.sigstore.bundle+json;version=0.1"
		}},
		{"another payload type", "payload type", func(b *protobundle.Bundle) { b.GetDsseEnvelope().PayloadType = "text/plain" }},
		{"no signature", "0 signatures", func(b *protobundle.Bundle) { b.GetDsseEnvelope().Signatures = nil }},
		{"two signatures", "2 signatures", func(b *protobundle.Bundle) {
			e := b.GetDsseEnvelope()
			e.Signatures = append(e.Signatures, e.Signatures[0])
		}},
		{"33 log entries", "33", func(b *protobundle.Bundle) {
			m := b.VerificationMaterial
			m.TlogEntries = slices.Repeat(m.TlogEntries, 33)
		}},
		{"33 timestamps", "33 timestamps", func(b *protobundle.Bundle) {
			d := b.VerificationMaterial.TimestampVerificationData
			d.Rfc3161Timestamps = slices.Repeat(d.Rfc3161Timestamps, 33)
		}},
		{"a plain signature instead of an envelope", "no DSSE envelope", func(b *protobundle.Bundle) {
			b.Content = &protobundle.Bundle_MessageSignature{MessageSignature: &protocommon.MessageSignature{
				MessageDigest: &protocommon.HashOutput{Algorithm: protocommon.HashAlgorithm_SHA2_256, Digest: bytes.Repeat([]byte{0xa1}, 32)},
				Signature:     b.GetDsseEnvelope().Signatures[0].Sig,
			}}
		}},
		{"a certificate chain", "chain", chain},
		{"no certificate", "verification material", func(b *protobundle.Bundle) { b.VerificationMaterial.Content = nil }},
		{"no inclusion proof", "inclusion proof", func(b *protobundle.Bundle) { b.VerificationMaterial.TlogEntries[0].InclusionProof = nil }},
		{"a statement that is none", "statement", func(b *protobundle.Bundle) { b.GetDsseEnvelope().Payload = []byte("{}") }},
	} {
		t.Run(c.name, func(t *testing.T) {
			message := proto.CloneOf(honest)
			c.change(message)
			b, err := bundle.Parse(encode(t, message))
			if err != nil {
				t.Fatal(err)
			}
			if v, err := b.Verifiable(); !errors.Is(err, bundle.ErrInvalid) || !strings.Contains(err.Error(), c.want) || v != nil {
				t.Errorf("got %v, want %q", err, c.want)
			}
			if _, err := bundle.New(message); !errors.Is(err, bundle.ErrInvalid) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("New: %v, want %q", err, c.want)
			}
		})
	}
	if v, err := (*bundle.Bundle)(nil).Verifiable(); !errors.Is(err, bundle.ErrInvalid) || v != nil {
		t.Errorf("no bundle: %v", err)
	}
}

func TestParseReadsStatementsStrictly(t *testing.T) {
	honest := honest(t)
	subjects := func(n int) string {
		return strings.TrimSuffix(strings.Repeat(`{"name":"a","digest":{"sha256":"00"}},`, n), ",")
	}
	doc := func(subjects, more string) string {
		return `{"_type":"https://in-toto.io/Statement/v1","subject":[` + subjects + `],"predicateType":"p"` + more + `}`
	}
	var digests []string
	for n := range 33 {
		digests = append(digests, fmt.Sprintf(`"a%d":"00"`, n))
	}
	for _, tt := range []struct {
		name, payload string
		accepts       bool
	}{
		{"one subject", doc(subjects(1), ""), true},
		{"1024 subjects", doc(subjects(1024), ""), true},
		{"a subject without a name", doc(`{"digest":{"sha256":"00"}}`, ""), true},
		{"a subject without a digest", doc(`{"name":"a"}`, ""), true},
		{"1025 subjects", doc(subjects(1025), ""), false},
		{"33 digests of one subject", doc(`{"name":"a","digest":{`+strings.Join(digests, ",")+`}}`, ""), false},
		{"a predicate", doc(subjects(1), `,"predicate":{"a":1}`), true},
		{"a key twice", doc(subjects(1), `,"predicateType":"q"`), false},
		{"a digest twice", doc(`{"name":"a","digest":{"sha256":"00","sha256":"01"}}`, ""), false},
		{"a digest that is no text", doc(`{"name":"a","digest":{"sha256":1}}`, ""), false},
		{"a digest that is null", doc(`{"name":"a","digest":{"sha256":null}}`, ""), false},
		{"subjects that are no list", strings.Replace(doc("", ""), "[]", "{}", 1), false},
		{"no predicate type", `{"_type":"https://in-toto.io/Statement/v1","subject":[]}`, false},
		{"more behind it", doc(subjects(1), "") + "{}", false},
		{"no object", "[]", false},
		{"no JSON", "x", false},
		{"no UTF-8", doc(subjects(1), ",\"predicate\":\"\xff\""), false},
		{"nothing", "", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := proto.CloneOf(honest)
			b.GetDsseEnvelope().Payload = []byte(tt.payload)
			if _, err := verifiable(encode(t, b)); (err == nil) != tt.accepts {
				t.Errorf("got %v", err)
			}
		})
	}
}
