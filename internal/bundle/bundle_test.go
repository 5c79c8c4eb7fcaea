package bundle_test

import (
	"bytes"
	"encoding/json"
	"slices"
	"testing"

	protobundle "github.com/sigstore/protobuf-specs/gen/pb-go/bundle/v1"
	protocommon "github.com/sigstore/protobuf-specs/gen/pb-go/common/v1"
	sigstore "github.com/sigstore/sigstore-go/pkg/bundle"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/taglast/taglast/internal/bundle"
	"github.com/taglast/taglast/internal/provenance"
	"github.com/taglast/taglast/internal/sandbox"
	"github.com/taglast/taglast/internal/testkit/storetest"
	"github.com/taglast/taglast/internal/testkit/verifytest"
)

// honest is the message of a bundle that the signer made in a sandbox.
func honest(t testing.TB) *protobundle.Bundle {
	t.Helper()
	message := new(protobundle.Bundle)
	if err := protojson.Unmarshal(verifytest.New(t, sandbox.Options{}).Sign(t, provenance.PredicateType, storetest.Digest('a')), message); err != nil {
		t.Fatal(err)
	}
	return message
}

func encode(t testing.TB, message *protobundle.Bundle) []byte {
	t.Helper()
	raw, err := protojson.Marshal(message)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// verifiable parses raw for a verifier.
func verifiable(raw []byte) (*sigstore.Bundle, error) {
	b, err := bundle.Parse(raw)
	if err != nil {
		return nil, err
	}
	return b.Verifiable()
}

// chain turns the certificate into the chain form of older bundles.
func chain(b *protobundle.Bundle) {
	b.VerificationMaterial.Content = &protobundle.VerificationMaterial_X509CertificateChain{
		X509CertificateChain: &protocommon.X509CertificateChain{Certificates: []*protocommon.X509Certificate{b.VerificationMaterial.GetCertificate()}},
	}
}

func TestEqualComparesMessages(t *testing.T) {
	digest := storetest.Digest('a')
	one := storetest.Bundle(t, "", provenance.PredicateType, digest)
	parse := func(raw []byte) *bundle.Bundle {
		b, err := bundle.Parse(raw)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	var spaced bytes.Buffer
	if err := json.Indent(&spaced, one.Raw(), " ", "\t"); err != nil {
		t.Fatal(err)
	}
	emptyTimes := bytes.Replace(one.Raw(), []byte(`"certificate":`), []byte(`"timestampVerificationData":{},"certificate":`), 1)
	for _, c := range []struct {
		name string
		a, b *bundle.Bundle
		want bool
	}{
		{"the same bundle", one, one, true},
		{"the same bytes", one, parse(one.Raw()), true},
		{"other white space", one, parse(spaced.Bytes()), true},
		{"an empty list of timestamps, and none", one, parse(emptyTimes), true},
		{"another payload", one, storetest.Bundle(t, "", provenance.PredicateType, storetest.Digest('b')), false},
		{"another signature", one, storetest.Bundle(t, "other", provenance.PredicateType, digest), false},
		{"a bundle and none", one, nil, false},
		{"no bundle and no bundle", nil, nil, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.a.Equal(c.b) != c.want || c.b.Equal(c.a) != c.want {
				t.Errorf("want %t", c.want)
			}
		})
	}
	if !bytes.Contains(parse(emptyTimes).Raw(), []byte("timestampVerificationData")) {
		t.Error("the comparison changed the bundle")
	}
}

func TestABundleTellsWhatItNames(t *testing.T) {
	a, b := storetest.Digest('a'), storetest.Digest('b')
	got := storetest.Bundle(t, "", provenance.PredicateType, a, "sha256:"+"BB"+b[9:])
	if got.PredicateType() != provenance.PredicateType || !slices.Equal(got.Digests(), []string{a, b}) {
		t.Errorf("%s of %v", got.PredicateType(), got.Digests())
	}
	if !got.HasSubject(a) || !got.HasSubject(b) || got.HasSubject(storetest.Digest('c')) || got.HasSubject("") {
		t.Error("it names other digests")
	}
	none, err := bundle.Parse([]byte(`{"mediaType":"x"}`))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := none.Statement(); err == nil || none.PredicateType() != "" || len(none.Digests()) > 0 || none.HasSubject(a) {
		t.Errorf("a bundle without a statement: %v", err)
	}
}

func TestNewMakesTheCanonicalForm(t *testing.T) {
	message := honest(t)
	b, err := bundle.New(message)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := bundle.Parse(encode(t, message))
	if err != nil {
		t.Fatal(err)
	}
	canonical, err := parsed.Canonical()
	if err != nil || !bytes.Equal(canonical, b.Raw()) || !b.Equal(parsed) {
		t.Errorf("%v: %s", err, canonical)
	}
}
