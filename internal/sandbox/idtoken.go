package sandbox

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
)

const (
	tokenLife = 5 * time.Minute   // GitHub's
	tokenAlg  = jose.ES256        // GitHub signs with RS256, whose keys take long to make
	tokenKey  = "taglast-dry-run" //nolint:gosec // the id of the key, in the open
)

// issuer is the runner's token endpoint and the OpenID Connect provider behind it.
type issuer struct {
	url      string // the iss claim
	key      *ecdsa.PrivateKey
	request  string // the bearer token that the runner's endpoint asks for
	identity func() Identity
}

// token serves GET ?audience=…: {"count":n,"value":"<JWT>"}, as the runner's ACTIONS_ID_TOKEN_REQUEST_URL does.
func (i *issuer) token(w http.ResponseWriter, r *http.Request) {
	if !allow(w, r, http.MethodGet) {
		return
	}
	given, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok || subtle.ConstantTimeCompare([]byte(given), []byte(i.request)) != 1 {
		writeJSON(w, http.StatusUnauthorized, message{Message: "the request token is missing or wrong"})
		return
	}
	audience := r.URL.Query().Get("audience")
	if audience == "" {
		audience = "https://github.com/" + i.identity().RepositoryOwner // GitHub's default
	}
	raw, err := i.mint(audience)
	if err != nil {
		writeJSON(w, http.StatusInternalServerError, message{Message: err.Error()})
		return
	}
	writeJSON(w, http.StatusOK, map[string]any{"count": len(raw), "value": raw})
}

// mint signs a token with a fresh jti.
func (i *issuer) mint(audience string) (string, error) {
	var id [16]byte
	if _, err := rand.Read(id[:]); err != nil {
		return "", fmt.Errorf("make a token id: %w", err)
	}
	payload, err := json.Marshal(i.identity().claims(i.url, audience, hex.EncodeToString(id[:]), time.Now()))
	if err != nil {
		return "", fmt.Errorf("encode the claims: %w", err)
	}
	signer, err := jose.NewSigner(
		jose.SigningKey{Algorithm: tokenAlg, Key: jose.JSONWebKey{Key: i.key, KeyID: tokenKey}},
		(&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		return "", fmt.Errorf("open the token key: %w", err)
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		return "", fmt.Errorf("sign the token: %w", err)
	}
	return signed.CompactSerialize()
}

// claims checks a token's signature, issuer, audience and time, as Fulcio does, and gives its claims.
func (i *issuer) claims(raw, audience string) (map[string]any, error) {
	signed, err := jose.ParseSigned(raw, []jose.SignatureAlgorithm{tokenAlg})
	if err != nil {
		return nil, fmt.Errorf("parse the token: %w", err)
	}
	payload, err := signed.Verify(i.key.Public())
	if err != nil {
		return nil, fmt.Errorf("token signature: %w", err)
	}
	var claims map[string]any
	if err := json.Unmarshal(payload, &claims); err != nil {
		return nil, fmt.Errorf("parse the claims: %w", err)
	}
	if claims["iss"] != i.url {
		return nil, fmt.Errorf("issuer is %v, want %s", claims["iss"], i.url)
	}
	if claims["aud"] != audience {
		return nil, fmt.Errorf("audience is %v, want %s", claims["aud"], audience)
	}
	now := float64(time.Now().Unix())
	if exp, _ := claims["exp"].(float64); now >= exp {
		return nil, fmt.Errorf("token is expired")
	}
	if nbf, _ := claims["nbf"].(float64); now < nbf {
		return nil, fmt.Errorf("token is not valid yet")
	}
	return claims, nil
}

// provider serves the discovery document and the keys (OpenID Connect Discovery 1.0 §4).
func (i *issuer) provider(w http.ResponseWriter, r *http.Request) {
	if !allow(w, r, http.MethodGet, http.MethodHead) {
		return
	}
	switch r.URL.Path {
	case "/.well-known/openid-configuration":
		writeJSON(w, http.StatusOK, map[string]any{
			"issuer": i.url, "jwks_uri": i.url + "/.well-known/jwks",
			"subject_types_supported": []string{"public", "pairwise"}, "response_types_supported": []string{"id_token"},
			"id_token_signing_alg_values_supported": []jose.SignatureAlgorithm{tokenAlg}, "scopes_supported": []string{"openid"},
		})
	case "/.well-known/jwks":
		writeJSON(w, http.StatusOK, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{
			{Key: i.key.Public(), KeyID: tokenKey, Algorithm: string(tokenAlg), Use: "sig"},
		}})
	default:
		writeJSON(w, http.StatusNotFound, message{Message: "Not Found"})
	}
}
