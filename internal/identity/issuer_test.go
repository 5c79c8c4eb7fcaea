package identity_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/taglast/taglast/internal/identity"
	"github.com/taglast/taglast/internal/retry"
)

const githubIssuer = "https://token.actions.githubusercontent.com"

// issuer is an OpenID provider behind a RoundTripper.
type issuer struct {
	t    *testing.T
	key  crypto.Signer
	alg  jose.SignatureAlgorithm
	kid  string
	keys []jose.JSONWebKey // what it publishes

	mu    sync.Mutex
	pages map[string]func(*http.Request) *http.Response // by URL
	asked []string
}

var rsaKey = sync.OnceValue(func() *rsa.PrivateKey { return must(rsa.GenerateKey(rand.Reader, 2048)) })

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func newIssuer(t *testing.T) *issuer {
	key := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	i := &issuer{t: t, key: key, alg: jose.ES256, kid: "k1", pages: map[string]func(*http.Request) *http.Response{}}
	i.keys = []jose.JSONWebKey{{Key: key.Public(), KeyID: "k1", Algorithm: "ES256", Use: "sig"}}
	i.pages[githubIssuer+"/.well-known/jwks"] = func(*http.Request) *http.Response { return i.jwks() }
	return i
}

func (i *issuer) jwks() *http.Response {
	return page(200, string(must(json.Marshal(jose.JSONWebKeySet{Keys: i.keys}))))
}

func page(code int, body string) *http.Response {
	return &http.Response{StatusCode: code, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body))}
}

func (i *issuer) RoundTrip(req *http.Request) (*http.Response, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.asked = append(i.asked, req.URL.String())
	resp := page(404, "")
	if f := i.pages[req.URL.String()]; f != nil {
		resp = f(req)
	}
	resp.Request = req
	return resp, nil
}

func (i *issuer) verifier(change ...func(*identity.VerifierOptions)) *identity.Verifier {
	i.t.Helper()
	o := identity.VerifierOptions{HTTP: &http.Client{Transport: i}, Audience: "sigstore", Retry: retry.Policy{Budget: time.Minute}}
	for _, f := range change {
		f(&o)
	}
	v, err := identity.NewVerifier(o)
	if err != nil {
		i.t.Fatal(err)
	}
	return v
}

// claims are those of a job on the push of a tag that calls a reusable workflow, changed as asked; nil removes one.
func claims(change ...any) map[string]any {
	now := time.Now().Unix()
	c := map[string]any{
		"iss": githubIssuer, "aud": "sigstore", "sub": "repo:Foo/Bar:ref:refs/tags/v1", "jti": "a", "iat": now, "nbf": now - 5, "exp": now + 300,
		"ref": "refs/tags/v1", "sha": strings.Repeat("a", 40), "repository": "Foo/Bar", "repository_id": "123",
		"repository_owner": "Foo", "repository_owner_id": "456", "repository_visibility": "public", "event_name": "push",
		"workflow": "Release 🚀\ufe0f", "workflow_ref": "Foo/Bar/.github/workflows/rel.yml@refs/tags/v1", "workflow_sha": strings.Repeat("a", 40),
		"job_workflow_ref": "Foo/shared/.github/workflows/build.yml@refs/heads/main", "job_workflow_sha": strings.Repeat("b", 40),
		"run_id": "777", "run_attempt": "2", "runner_environment": "github-hosted", "actor": "octocat",
	}
	for n := 0; n < len(change); n += 2 {
		c[change[n].(string)] = change[n+1]
	}
	maps.DeleteFunc(c, func(_ string, v any) bool { return v == nil })
	return c
}

func (i *issuer) sign(claims any) string {
	i.t.Helper()
	return signed(i.t, jose.SigningKey{Algorithm: i.alg, Key: jose.JSONWebKey{Key: i.key, KeyID: i.kid}}, claims)
}

func signed(t *testing.T, key jose.SigningKey, claims any) string {
	t.Helper()
	payload, ok := claims.(string)
	if !ok {
		payload = string(must(json.Marshal(claims)))
	}
	signer, err := jose.NewSigner(key, (&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		t.Fatal(err)
	}
	return must(must(signer.Sign([]byte(payload))).CompactSerialize())
}
