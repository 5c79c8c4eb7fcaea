package bundle_test

import (
	"errors"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/taglast/taglast/internal/bundle"
	"github.com/taglast/taglast/internal/provenance"
	"github.com/taglast/taglast/internal/testkit/storetest"
)

// FuzzParse needs -fuzzminimizetime=10x: bundles are long, so that Go's fuzzer would spend its time in making inputs
// shorter.
func FuzzParse(f *testing.F) {
	whole := honest(f)
	older := proto.CloneOf(whole)
	chain(older)
	older.MediaType = "application/vnd.dev.sigstore.bundle+json;version=0.2"
	for _, raw := range [][]byte{
		encode(f, whole), encode(f, older), storetest.Bundle(f, "", provenance.PredicateType, storetest.Digest('a')).Raw(),
		[]byte(`{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","verificationMaterial":{"certificate":{}},"dsseEnvelope":{}}`),
		[]byte(`{"dsseEnvelope":{"payload":"e30=","payloadType":"application/vnd.in-toto+json"}}`), []byte("{}"),
	} {
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		b, err := bundle.Parse(raw)
		if err != nil {
			safe(t, err)
			return
		}
		again, err := b.Canonical()
		if err != nil {
			t.Fatal(err)
		}
		if same, err := bundle.Parse(again); err != nil || !same.Equal(b) || !b.Equal(same) {
			t.Errorf("the canonical form is of another message: %v", err)
		}
		if _, err := b.Statement(); err != nil {
			safe(t, err)
		}
		v, err := b.Verifiable()
		if err != nil {
			safe(t, err)
			return
		}
		if len(v.GetDsseEnvelope().GetSignatures()) != 1 || v.GetVerificationMaterial().GetPublicKey() != nil {
			t.Error("accepted what it promises to refuse")
		}
	})
}

// safe says that an error is of the right kind and fit for a log.
func safe(t *testing.T, err error) {
	t.Helper()
	if !errors.Is(err, bundle.ErrInvalid) || strings.ContainsAny(err.Error(), "\x1b\n\r\x00") {
		t.Errorf("error %q", err)
	}
}
