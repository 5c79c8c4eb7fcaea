package identity

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/taglast/taglast/internal/escape"
	"github.com/taglast/taglast/internal/retry"
)

const (
	maxToken = 64 << 10
	leeway   = time.Minute // this machine's clock and the issuer's may differ by so much (RFC 7519, section 4.1.4)
)

// algorithms are the accepted ones, all asymmetric: "none" and HMAC (whose secret could be the public key) are refused
// when the token is parsed.
var algorithms = []jose.SignatureAlgorithm{
	jose.RS256, jose.RS384, jose.RS512, jose.PS256, jose.PS384, jose.PS512, jose.ES256, jose.ES384, jose.ES512,
}

var (
	slug    = regexp.MustCompile(`^[A-Za-z0-9-]+$`)
	compact = regexp.MustCompile(`^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$`) // RFC 7515, section 3.1
)

// VerifierOptions say which ID tokens are accepted.
type VerifierOptions struct {
	HTTP      *http.Client // fetches the issuers' keys; required
	ServerURL string       // GITHUB_SERVER_URL; empty means https://github.com
	Issuers   []string     // further issuers, for example the oidcUrls of a signing config
	Audience  string       // required; "sigstore" for Fulcio
	Retry     retry.Policy // for fetching keys
}

// Verifier checks ID tokens. It is safe for concurrent use, and fetches each issuer's keys once.
type Verifier struct {
	githubIssuer string   // the issuer of ServerURL; empty if there is none
	issuers      []string // those that the options add
	audience     string
	keys         *keys
}

// NewVerifier checks the options, and sends nothing. There must be at least one issuer, and each must be an https URL,
// or a plain http one of this machine.
func NewVerifier(o VerifierOptions) (*Verifier, error) {
	if o.HTTP == nil || o.Audience == "" {
		return nil, errors.New("ID tokens need an HTTP client and an audience")
	}
	if o.ServerURL == "" {
		o.ServerURL = "https://github.com"
	}
	v := &Verifier{audience: o.Audience, issuers: o.Issuers, keys: newKeys(o.HTTP, o.Retry)}
	v.githubIssuer, _ = GitHubIssuer(o.ServerURL)
	if v.githubIssuer == "" && len(v.issuers) == 0 {
		return nil, fmt.Errorf("no issuer of ID tokens is known for the server %s", escape.Bounded(o.ServerURL, 200))
	}
	for _, issuer := range v.issuers {
		if err := checkIssuerURL(issuer); err != nil {
			return nil, fmt.Errorf("issuer %s: %w", escape.Bounded(issuer, 200), err)
		}
	}
	return v, nil
}

// Verify checks that raw is a JWT (RFC 7519) signed by a key of an accepted issuer, for the audience alone, valid now
// give or take a minute, with every claim that a certificate and the provenance need, and returns it with these claims.
//
// The issuer may carry an enterprise's slug as its last part. Keys are those of {issuer}/.well-known/jwks, or where that
// is no key set, of the jwks_uri that OpenID Connect Discovery names. No error holds a part of the token.
func (v *Verifier) Verify(ctx context.Context, raw string) (Token, error) {
	t, err := v.verify(ctx, raw)
	if err != nil {
		return Token{}, fmt.Errorf("ID token: %w", err)
	}
	return Token{p: t}, nil
}

func (v *Verifier) verify(ctx context.Context, raw string) (*token, error) {
	jws, claimed, err := parse(raw)
	if err != nil {
		return nil, err
	}
	iss, _ := claimed["iss"].(string)
	issuer, ok := v.acceptedIssuer(iss)
	if !ok {
		return nil, fmt.Errorf("issuer %q is not accepted", escape.Bounded(iss, 200))
	}
	payload, err := v.keys.verify(ctx, issuer, jws)
	if err != nil {
		return nil, err
	}
	all, err := decodeObject(payload) // what was signed, not what was looked at before
	if err != nil {
		return nil, err
	}
	if !audienceIs(all["aud"], v.audience) {
		return nil, fmt.Errorf("its audience is not %s", v.audience)
	}
	expiry, err := checkTime(all, time.Now())
	if err != nil {
		return nil, err
	}
	claims, err := readClaims(all)
	if err != nil {
		return nil, err
	}
	if claims.Issuer != iss {
		return nil, errors.New("its issuer is ambiguous")
	}
	return &token{raw: raw, claims: claims, all: all, expiry: expiry}, nil
}

// parse reads the token without verifying it.
func parse(raw string) (*jose.JSONWebSignature, map[string]any, error) {
	if len(raw) > maxToken {
		return nil, nil, fmt.Errorf("longer than %d bytes", maxToken)
	}
	if !compact.MatchString(raw) {
		return nil, nil, errors.New("not a signed JWT")
	}
	jws, err := jose.ParseSignedCompact(raw, algorithms)
	if err != nil || len(jws.Signatures) != 1 {
		return nil, nil, errors.New("not a JWT with an asymmetric signature") // the cause could quote it
	}
	claimed, err := decodeObject(jws.UnsafePayloadWithoutVerification())
	return jws, claimed, err
}

// acceptedIssuer returns the issuer whose keys sign tokens with that iss claim; false where none is accepted.
func (v *Verifier) acceptedIssuer(iss string) (string, bool) {
	if v.githubIssuer != "" {
		rest, ok := strings.CutPrefix(iss, v.githubIssuer)
		if ok && (rest == "" || rest[0] == '/' && slug.MatchString(rest[1:])) {
			return v.githubIssuer, true
		}
	}
	for _, issuer := range v.issuers {
		if iss == issuer {
			return issuer, true
		}
	}
	return "", false
}
