package sandbox

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	protobundle "github.com/sigstore/protobuf-specs/gen/pb-go/bundle/v1"
	rekorclient "github.com/sigstore/rekor/pkg/generated/client"
	"github.com/sigstore/rekor/pkg/generated/client/entries"
	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore-go/pkg/sign"
	"google.golang.org/protobuf/encoding/protojson"

	httptransport "github.com/go-openapi/runtime/client"
	"github.com/go-openapi/strfmt"
)

func newWorld(t testing.TB, o Options) *World {
	t.Helper()
	w, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// idToken asks the runner's endpoint as @actions/core does.
func idToken(t testing.TB, w *World, audience string) string {
	t.Helper()
	env := w.Env()
	req, err := http.NewRequest(http.MethodGet, env["ACTIONS_ID_TOKEN_REQUEST_URL"]+"&audience="+url.QueryEscape(audience), nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+env["ACTIONS_ID_TOKEN_REQUEST_TOKEN"])
	var answer struct{ Value string }
	if status := call(t, w, req, &answer); status != http.StatusOK || answer.Value == "" {
		t.Fatalf("ID token: status %d", status)
	}
	return answer.Value
}

// call sends a request and decodes a JSON answer, where there is one.
func call(t testing.TB, w http.RoundTripper, req *http.Request, into any) int {
	t.Helper()
	resp, err := (&http.Client{Transport: w}).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if into != nil {
		if err := json.Unmarshal(body, into); err != nil {
			t.Fatalf("%s %s: %s: %v", req.Method, req.URL, body, err)
		}
	}
	return resp.StatusCode
}

// rekorEntries is Rekor's own generated client over the world.
func rekorEntries(w *World, base string) entries.ClientService { return rekorEntriesOver(w, base) }

func rekorEntriesOver(w http.RoundTripper, base string) entries.ClientService {
	u, err := url.Parse(base)
	if err != nil {
		panic(err)
	}
	rt := httptransport.NewWithClient(u.Host, u.Path+"/", []string{u.Scheme}, &http.Client{Transport: w})
	return rekorclient.New(rt, strfmt.Default).Entries
}

// signing are sigstore-go's options for services of the world.
func signing(t testing.TB, w *World) sign.BundleOptions {
	t.Helper()
	config, err := root.NewSigningConfigFromJSON(w.SigningConfig())
	if err != nil {
		t.Fatal(err)
	}
	trusted, err := root.NewTrustedRootFromJSON(w.TrustedRoot())
	if err != nil {
		t.Fatal(err)
	}
	log := config.RekorLogURLs()[0].URL
	return sign.BundleOptions{
		CertificateProvider:        sign.NewFulcio(&sign.FulcioOptions{BaseURL: config.FulcioCertificateAuthorityURLs()[0].URL, Transport: w}),
		CertificateProviderOptions: &sign.CertificateProviderOptions{IDToken: idToken(t, w, "sigstore")},
		TimestampAuthorities: []*sign.TimestampAuthority{sign.NewTimestampAuthority(&sign.TimestampAuthorityOptions{
			URL: config.TimestampAuthorityURLs()[0].URL, Transport: w,
		})},
		TransparencyLogs: []sign.Transparency{sign.NewRekor(&sign.RekorOptions{BaseURL: log, Version: 1, Client: rekorEntries(w, log)})},
		TrustedRoot:      trusted,
	}
}

func statementFor(digest string) []byte {
	return fmt.Appendf(nil, `{"_type":"https://in-toto.io/Statement/v1","subject":[{"name":"ghcr.io/acme/app","digest":{"sha256":%q}}],`+
		`"predicateType":"https://slsa.dev/provenance/v1","predicate":{}}`, strings.TrimPrefix(digest, "sha256:"))
}

// signBundle makes a bundle with sigstore-go, from ID token to log entry.
func signBundle(t testing.TB, w *World, digest string) []byte {
	t.Helper()
	return signStatement(t, w, statementFor(digest))
}

func signStatement(t testing.TB, w *World, statement []byte) []byte {
	t.Helper()
	keys, err := sign.NewEphemeralKeypair(nil)
	if err != nil {
		t.Fatal(err)
	}
	b, err := sign.Bundle(&sign.DSSEData{Data: statement, PayloadType: "application/vnd.in-toto+json"}, keys, signing(t, w))
	if err != nil {
		t.Fatal(err)
	}
	return encodeBundle(t, b)
}

func encodeBundle(t testing.TB, b *protobundle.Bundle) []byte {
	t.Helper()
	raw, err := protojson.Marshal(b)
	if err != nil {
		t.Fatal(err)
	}
	var compact bytes.Buffer // protojson's spaces differ from build to build
	if err := json.Compact(&compact, raw); err != nil {
		t.Fatal(err)
	}
	return compact.Bytes()
}

// store posts a bundle as the job would.
func store(t testing.TB, w *World, bundle []byte) int {
	t.Helper()
	env := w.Env()
	body, err := json.Marshal(map[string]json.RawMessage{"bundle": bundle})
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequest(http.MethodPost, env["GITHUB_API_URL"]+"/repos/"+env["GITHUB_REPOSITORY"]+"/attestations", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "token "+env["GITHUB_TOKEN"])
	return call(t, w, req, nil)
}

// someDigest is a digest that nothing has.
func someDigest(n byte) string { return "sha256:" + hex.EncodeToString(bytes.Repeat([]byte{n}, 32)) }

func TestBundleSignedInTheWorldVerifiesUnderItsTrustedRoot(t *testing.T) {
	w := newWorld(t, Options{})
	for n := range byte(5) { // five entries: the inclusion proofs are real ones
		digest := someDigest(n)
		raw := signBundle(t, w, digest)
		if err := w.verify(raw, digest); err != nil {
			t.Fatalf("bundle %d: %v", n, err)
		}
		if err := w.verify(raw, someDigest(n+1)); err == nil {
			t.Fatalf("bundle %d verifies for another digest", n)
		}
		if err := newWorld(t, Options{}).verify(raw, digest); err == nil {
			t.Fatalf("bundle %d verifies in another world", n)
		}
	}
}

func TestNothingLeavesAWorldWithoutBase(t *testing.T) {
	w := newWorld(t, Options{Registries: map[string]RegistryOptions{"ghcr.io": {}}})
	for _, u := range []string{"https://rekor.sigstore.dev/api/v1/log", "https://quay.io/v2/", "https://example.com/"} {
		req, _ := http.NewRequestWithContext(context.Background(), http.MethodGet, u, nil)
		resp, err := w.RoundTrip(req)
		if err == nil {
			resp.Body.Close()
			t.Errorf("%s was answered", u)
			continue
		}
		if !strings.HasPrefix(err.Error(), "refusing network access to ") {
			t.Errorf("%s: %v", u, err)
		}
	}
}
