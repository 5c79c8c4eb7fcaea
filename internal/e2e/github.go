//go:build e2e

package e2e

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

const (
	runnerHost  = "run-actions-1-azure-eastus.actions.githubusercontent.com"
	blobHost    = "tmaproduction.blob.core.windows.net"
	readerToken = "ghp_reader" // a token that may read, and nothing else
)

// github stands in for what of GitHub a job and its consumers use: the runner's token endpoint, the OIDC issuer, the
// attestations API and its blob store, and what the API tells of commits.
type github struct {
	key *rsa.PrivateKey

	mu       sync.Mutex
	lag      time.Duration  // until a new attestation is seen: GitHub does not promise read after write
	requests map[string]job // by ACTIONS_ID_TOKEN_REQUEST_TOKEN
	tokens   map[string]job // by GITHUB_TOKEN
	records  []record
	commits  []string // a line of them, the oldest first
	faults   []string // requests that GitHub would not like
}

func newGitHub() (*github, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	return &github{key: key, lag: 300 * time.Millisecond, requests: map[string]job{}, tokens: map[string]job{}}, err
}

// secret is a random token.
func secret(prefix string) string {
	raw := make([]byte, 18)
	_, _ = rand.Read(raw)
	return prefix + hex.EncodeToString(raw)
}

// admit lets a job ask for ID tokens and use the API until the test ends.
func (g *github) admit(t testing.TB, j job) (requestToken, githubToken string) {
	requestToken, githubToken = secret("rt-"), secret("ghs_")
	g.mu.Lock()
	defer g.mu.Unlock()
	g.requests[requestToken], g.tokens[githubToken] = j, j
	t.Cleanup(func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		delete(g.requests, requestToken)
		delete(g.tokens, githubToken)
	})
	return requestToken, githubToken
}

// caller is the job whose token came with the request.
func (g *github) caller(r *http.Request) (j job, known bool) {
	token := r.Header.Get("Authorization")
	for _, scheme := range []string{"Bearer ", "token "} {
		token = strings.TrimPrefix(token, scheme)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	j, known = g.tokens[token]
	return j, known
}

func (g *github) fault(text string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.faults = append(g.faults, text)
}

// token makes an ID token for a job.
func (g *github) token(j job, audience string) (string, error) {
	signer, err := jose.NewSigner(
		jose.SigningKey{Algorithm: jose.RS256, Key: jose.JSONWebKey{Key: g.key, KeyID: "e2e"}},
		(&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		return "", err
	}
	claims, now := j.claims(), time.Now()
	claims["aud"], claims["jti"] = audience, secret("")
	claims["iat"], claims["nbf"], claims["exp"] = now.Unix(), now.Add(-5*time.Minute).Unix(), now.Add(5*time.Minute).Unix()
	return jwt.Signed(signer).Claims(claims).Serialize()
}

// runner is the token endpoint.
func (g *github) runner(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	j, ok := g.requests[strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")]
	g.mu.Unlock()
	if !ok {
		reply(w, http.StatusUnauthorized, map[string]string{"message": "bad token"})
		return
	}
	audience := r.URL.Query().Get("audience")
	if audience == "" {
		audience = "https://github.com/" + j.owner()
	}
	raw, err := g.token(j, audience)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	reply(w, http.StatusOK, map[string]any{"count": len(raw), "value": raw})
}

// issuer serves discovery and keys, for the plain issuer and for those with an enterprise's slug.
func (g *github) issuer(w http.ResponseWriter, r *http.Request) {
	switch {
	case strings.HasSuffix(r.URL.Path, "/.well-known/openid-configuration"):
		iss := actionsIssuer + strings.TrimSuffix(r.URL.Path, "/.well-known/openid-configuration")
		reply(w, http.StatusOK, map[string]any{
			"issuer": iss, "jwks_uri": iss + "/.well-known/jwks", "subject_types_supported": []string{"public", "pairwise"},
			"response_types_supported": []string{"id_token"}, "id_token_signing_alg_values_supported": []string{"RS256"},
			"scopes_supported": []string{"openid"},
		})
	case strings.HasSuffix(r.URL.Path, "/.well-known/jwks"):
		reply(w, http.StatusOK, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{
			{Key: g.key.Public(), KeyID: "e2e", Algorithm: string(jose.RS256), Use: "sig"},
		}})
	default:
		http.NotFound(w, r)
	}
}

func reply(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

// replicateAtOnce lets new attestations be seen at once, until the test ends.
func (g *github) replicateAtOnce(t *testing.T) {
	set := func(d time.Duration) (before time.Duration) {
		g.mu.Lock()
		defer g.mu.Unlock()
		before, g.lag = g.lag, d
		return before
	}
	before := set(0)
	t.Cleanup(func() { set(before) })
}
