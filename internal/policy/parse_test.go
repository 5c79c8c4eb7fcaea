package policy_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/taglast/taglast/internal/policy"
	"github.com/taglast/taglast/internal/sandbox"
)

func TestParseRefusesWhatIsNoBundle(t *testing.T) {
	honest := newSigned(t, sandbox.Identity{}).bundle
	raw := encode(t, honest)
	for name, raw := range map[string][]byte{
		"nothing":            nil,
		"no JSON":            []byte("<html>"),
		"another document":   []byte(`{"mediaType":"application/json"}`),
		"an unknown field":   append([]byte(`{"more":1,`), raw[1:]...),
		"two documents":      append(bytes.Clone(raw), raw...),
		"an oversize one":    append(bytes.Clone(raw), bytes.Repeat([]byte(" "), policy.MaxBundle)...),
		"control characters": []byte("{\"mediaType\":\"\\u001b[31m::error::\"}"),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := policy.Parse(raw)
			if !errors.Is(err, policy.ErrBundle) {
				t.Fatalf("got %v", err)
			}
			if strings.ContainsAny(err.Error(), "\x1b\n\r") {
				t.Errorf("foreign control characters in %q", err)
			}
		})
	}
	if _, err := policy.Parse(raw); err != nil {
		t.Error(err)
	}
	older := proto.CloneOf(honest)
	chain(older)
	older.MediaType = "application/vnd.dev.sigstore.bundle+json;version=0.2"
	if _, err := policy.Parse(encode(t, older)); err != nil {
		t.Errorf("v0.2 with a chain, which consumers meet: %v", err)
	}
}

func TestParseRefusesKindsOfBundleBeforeAnythingIsVerified(t *testing.T) {
	honest := newSigned(t, sandbox.Identity{}).bundle
	other := newSigned(t, sandbox.Identity{}).bundle
	wants := map[string]string{
		"a public key instead of the certificate":  "public key",
		"the first media type":                     "older than v0.2",
		"another payload type":                     "payload type",
		"no signature":                             "0 signatures",
		"two signatures":                           "2 signatures",
		"33 log entries":                           "33",
		"33 timestamps":                            "33 timestamps",
		"a plain signature instead of an envelope": "no DSSE envelope",
		"a certificate chain":                      "chain",
		"no certificate":                           "verification material",
		"no inclusion proof":                       "inclusion proof",
	}
	for _, tt := range attacks {
		want, ok := wants[tt.name]
		if !ok {
			continue
		}
		delete(wants, tt.name)
		t.Run(tt.name, func(t *testing.T) {
			b := proto.CloneOf(honest)
			tt.change(b, other, other)
			if _, err := policy.Parse(encode(t, b)); !errors.Is(err, policy.ErrBundle) || !strings.Contains(err.Error(), want) {
				t.Errorf("got %v, want %q", err, want)
			}
		})
	}
	if len(wants) > 0 {
		t.Errorf("not tried: %v", wants)
	}
}

func TestParseReadsStatementsStrictly(t *testing.T) {
	honest := newSigned(t, sandbox.Identity{}).bundle
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
			if _, err := policy.Parse(encode(t, b)); (err == nil) != tt.accepts {
				t.Errorf("got %v", err)
			}
		})
	}
}

// FuzzParse needs -fuzzminimizetime=10x: bundles are long and no two runs of a signature check cover the same code, so
// that Go's fuzzer would spend its time in making inputs shorter.
func FuzzParse(f *testing.F) {
	s := newSigned(f, sandbox.Identity{})
	f.Add(encode(f, s.bundle))
	for _, tt := range attacks {
		b := proto.CloneOf(s.bundle)
		tt.change(b, proto.CloneOf(s.bundle), proto.CloneOf(s.bundle))
		f.Add(encode(f, b))
	}
	f.Add([]byte(`{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","verificationMaterial":{"certificate":{}},"dsseEnvelope":{}}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		b, err := policy.Parse(raw)
		if err != nil {
			if !errors.Is(err, policy.ErrBundle) || strings.ContainsAny(err.Error(), "\x1b\n\r\x00") {
				t.Errorf("error %q", err)
			}
			return
		}
		if len(b.GetDsseEnvelope().GetSignatures()) != 1 || b.GetVerificationMaterial().GetPublicKey() != nil {
			t.Error("accepted what it promises to refuse")
		}
		// Whatever parses is judged without a panic, and only the honest statement passes.
		if _, err := s.exact.Check(raw); err == nil && !bytes.Equal(b.GetDsseEnvelope().GetPayload(), s.exact.Statement) {
			t.Error("another statement passed")
		}
	})
}
