package identity_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/taglast/taglast/internal/identity"
	"github.com/taglast/taglast/internal/retry"
)

func TestVerifyReturnsTheClaims(t *testing.T) {
	i := newIssuer(t)
	raw := i.sign(claims("environment", "production"))
	token, err := i.verifier().Verify(t.Context(), raw)
	if err != nil {
		t.Fatal(err)
	}
	want := identity.Claims{
		Issuer: githubIssuer, Subject: "repo:Foo/Bar:ref:refs/tags/v1", Ref: "refs/tags/v1", SHA: strings.Repeat("a", 40),
		Repository: "Foo/Bar", RepositoryID: "123", RepositoryOwner: "Foo", RepositoryOwnerID: "456", RepositoryVisibility: "public",
		EventName: "push", Workflow: "Release 🚀\ufe0f", WorkflowRef: "Foo/Bar/.github/workflows/rel.yml@refs/tags/v1",
		WorkflowSHA: strings.Repeat("a", 40), JobWorkflowRef: "Foo/shared/.github/workflows/build.yml@refs/heads/main",
		JobWorkflowSHA: strings.Repeat("b", 40), RunID: "777", RunAttempt: "2", RunnerEnvironment: "github-hosted", Environment: "production",
	}
	if token.Claims() != want {
		t.Errorf("got  %+v\nwant %+v", token.Claims(), want)
	}
	if token.Raw() != raw || time.Until(token.Expiry()).Round(time.Minute) != 5*time.Minute {
		t.Errorf("expires %s", token.Expiry())
	}
	for _, shown := range []string{fmt.Sprint(token), fmt.Sprintf("%+v %#v", token, token), string(must(json.Marshal(map[string]any{"token": token})))} {
		if strings.Contains(shown, raw[:10]) {
			t.Errorf("the token is shown: %s", shown)
		}
	}
	if got := (identity.Token{}); got.Raw() != "" || got.Claims() != (identity.Claims{}) || !got.Expiry().IsZero() {
		t.Error("the zero token has something")
	}
}

func TestVerifyAccepts(t *testing.T) {
	for name, change := range map[string][]any{
		"an enterprise's slug":              {"iss", githubIssuer + "/octocat-Inc-9"},
		"an audience in a list":             {"aud", []string{"sigstore"}},
		"a token that ended within leeway":  {"exp", time.Now().Unix() - 50},
		"a token that begins within leeway": {"nbf", time.Now().Unix() + 50},
		"no nbf, no subject":                {"nbf", nil, "sub", nil},
		"a fraction of a second":            {"exp", float64(time.Now().Unix()) + 300.5},
	} {
		t.Run(name, func(t *testing.T) {
			i := newIssuer(t)
			if _, err := i.verifier().Verify(t.Context(), i.sign(claims(change...))); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestVerifyRefusesClaims(t *testing.T) {
	for name, c := range map[string]struct {
		claims any
		want   string
	}{
		"another audience":              {claims("aud", "nobody"), "its audience is not sigstore"},
		"a second audience":             {claims("aud", []string{"sigstore", "x"}), "its audience is not sigstore"},
		"no audience":                   {claims("aud", nil), "its audience is not sigstore"},
		"another issuer":                {claims("iss", "https://evil.example"), `issuer "https://evil.example" is not accepted`},
		"an issuer with our prefix":     {claims("iss", githubIssuer+".evil.example"), `issuer "` + githubIssuer + `.evil.example" is not accepted`},
		"an issuer that begins as ours": {claims("iss", githubIssuer+"xevil"), `issuer "` + githubIssuer + `xevil" is not accepted`},
		"a slug of two parts":           {claims("iss", githubIssuer+"/a/b"), `issuer "` + githubIssuer + `/a/b" is not accepted`},
		"an empty slug":                 {claims("iss", githubIssuer+"/"), `issuer "` + githubIssuer + `/" is not accepted`},
		"a slug with other characters":  {claims("iss", githubIssuer+"/a?b"), `issuer "` + githubIssuer + `/a?b" is not accepted`},
		"no issuer":                     {claims("iss", nil), `issuer "" is not accepted`},
		"an expired token":              {claims("exp", 1000000000), "expired at 2001-09-09T01:46:40Z"},
		"a token just past the leeway":  {claims("exp", time.Now().Unix()-61), "expired at " + time.Unix(time.Now().Unix()-61, 0).UTC().Format(time.RFC3339)},
		"a token of the future":         {claims("nbf", 4000000000), "not valid before 2096-10-02T07:06:40Z; is this machine's clock right?"},
		"no end":                        {claims("exp", nil), "missing claims: exp"},
		"an end that is text":           {claims("exp", "4000000000"), "missing claims: exp"},
		"an end beyond all calendars":   {claims("exp", 1e300), "missing claims: exp"},
		"a begin that is text":          {claims("nbf", "now"), "its nbf is not a time"},
		"missing claims":                {claims("sha", nil, "run_id", ""), "missing claims: sha, run_id"},
		"a claim of another type":       {claims("repository_id", 123), "missing claims: repository_id"},
		"an environment of another one": {claims("environment", []int{1}), "missing claims: environment"},
		"a line break in a claim":       {claims("ref", "refs/heads/a\nb"), `control characters in claim ref: refs/heads/a\nb`},
		"a terminal sequence":           {claims("workflow", "\x1b[1m"), `control characters in claim workflow: \x1b[1m`},
		"a C1 character":                {claims("sub", "\u009b"), `control characters in claim sub: \u009b`},
		"claims that are a list":        {`["iss"]`, "its claims are not a JSON object"},
		"claims that are null":          {`null`, "its claims are not a JSON object"},
		"claims and more":               {`{"iss":"x"}}`, "its claims are not a JSON object"},
	} {
		t.Run(name, func(t *testing.T) {
			i := newIssuer(t)
			_, err := i.verifier().Verify(t.Context(), i.sign(c.claims))
			if want := "ID token: " + c.want; err == nil || err.Error() != want {
				t.Errorf("got  %v\nwant %s", err, want)
			}
		})
	}
}

func TestEachRequiredClaimIsRequired(t *testing.T) {
	i := newIssuer(t)
	v := i.verifier()
	for _, name := range strings.Fields(`ref sha repository repository_id repository_owner repository_owner_id repository_visibility
		event_name workflow workflow_ref workflow_sha job_workflow_ref job_workflow_sha run_id run_attempt runner_environment`) {
		if _, err := v.Verify(t.Context(), i.sign(claims(name, nil))); err == nil || err.Error() != "ID token: missing claims: "+name {
			t.Errorf("without %s: %v", name, err)
		}
	}
}

func TestVerifyRefusesSignatures(t *testing.T) {
	i := newIssuer(t)
	v := i.verifier()
	good := i.sign(claims())
	parts := strings.Split(good, ".")
	b64 := base64.RawURLEncoding.EncodeToString
	der := must(x509.MarshalPKIXPublicKey(i.key.Public()))
	stranger := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	own := jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: stranger, KeyID: "k1"}}
	embedded := must(must(jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: stranger}, &jose.SignerOptions{EmbedJWK: true})).Sign(must(json.Marshal(claims()))))

	says := map[string]string{
		"HMAC with the public key":       "ID token: not a JWT with an asymmetric signature",
		"no algorithm, with a signature": "ID token: not a JWT with an asymmetric signature",
		"too much":                       "ID token: longer than 65536 bytes",
		"a key that is not published":    "ID token: no key of " + githubIssuer + " has signed it",
	}
	for name, raw := range map[string]string{
		"another key under our key's name":   signed(t, own, claims()),
		"another key that the token carries": must(embedded.CompactSerialize()),
		"a key that is not published":        signed(t, jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: stranger, KeyID: "k2"}}, claims()),
		"HMAC with the public key":           signed(t, jose.SigningKey{Algorithm: jose.HS256, Key: jose.JSONWebKey{Key: der, KeyID: "k1"}}, claims()),
		"no algorithm":                       b64([]byte(`{"alg":"none","kid":"k1"}`)) + "." + parts[1] + ".",
		"no algorithm, with a signature":     b64([]byte(`{"alg":"none","kid":"k1"}`)) + "." + parts[1] + "." + parts[2],
		"other claims under the signature":   parts[0] + "." + b64(must(json.Marshal(claims("repository", "evil/x")))) + "." + parts[2],
		"another header":                     b64([]byte(`{"alg":"ES256","kid":"k1","typ":"x"}`)) + "." + parts[1] + "." + parts[2],
		"an unknown critical header":         b64([]byte(`{"alg":"ES256","kid":"k1","crit":["x"],"x":1}`)) + "." + parts[1] + "." + parts[2],
		"no signature":                       parts[0] + "." + parts[1] + ".",
		"two parts":                          parts[0] + "." + parts[1],
		"four parts":                         good + "." + parts[2],
		"a space":                            good + " ",
		"JSON serialisation":                 `{"payload":"` + parts[1] + `","protected":"` + parts[0] + `","signature":"` + parts[2] + `"}`,
		"nothing":                            "",
		"too much":                           parts[0] + "." + strings.Repeat("a", 64<<10) + "." + parts[2],
	} {
		t.Run(name, func(t *testing.T) {
			_, err := v.Verify(t.Context(), raw)
			if err == nil {
				t.Fatal("accepted")
			}
			if want := says[name]; want != "" && err.Error() != want {
				t.Errorf("got %v, want %s", err, want)
			}
			if strings.Contains(err.Error(), parts[1][:10]) || strings.Contains(err.Error(), parts[2][:10]) {
				t.Errorf("the error shows the token: %v", err)
			}
		})
	}
	if _, err := v.Verify(t.Context(), good); err != nil {
		t.Errorf("and the good one: %v", err)
	}
}

func TestKeysAreFetchedOnce(t *testing.T) {
	i := newIssuer(t)
	v := i.verifier()
	for range 3 {
		if _, err := v.Verify(t.Context(), i.sign(claims())); err != nil {
			t.Fatal(err)
		}
	}
	if want := []string{githubIssuer + "/.well-known/jwks"}; !reflect.DeepEqual(i.asked, want) {
		t.Errorf("asked %v, want %v", i.asked, want)
	}
}

func TestRSAKeysSignAsGitHubs(t *testing.T) {
	i := newIssuer(t)
	i.key, i.alg, i.kid = rsaKey(), jose.RS256, "rsa"
	small, other := jose.JSONWebKey{Key: &rsa.PublicKey{N: rsaKey().N, E: 3}, KeyID: "rsa"}, jose.JSONWebKey{Key: []byte("secret"), KeyID: "rsa"}
	i.keys = append(i.keys, small, other, jose.JSONWebKey{Key: i.key.Public(), KeyID: "rsa", Algorithm: "RS256", Use: "sig"})
	if _, err := i.verifier().Verify(t.Context(), i.sign(claims())); err != nil {
		t.Error(err)
	}
	weak := must(rsa.GenerateKey(rand.Reader, 1024))
	for name, key := range map[string]jose.JSONWebKey{
		"for encryption":        {Key: i.key.Public(), KeyID: "rsa", Use: "enc"},
		"for another algorithm": {Key: i.key.Public(), KeyID: "rsa", Algorithm: "PS256"},
		"of 1024 bits":          {Key: weak.Public(), KeyID: "rsa"},
	} {
		i.keys = []jose.JSONWebKey{key}
		i.key = rsaKey()
		if name == "of 1024 bits" {
			i.key = weak
		}
		if _, err := i.verifier().Verify(t.Context(), i.sign(claims())); err == nil {
			t.Errorf("a key %s is accepted", name)
		}
	}
}

func TestAnIssuerThatChangesItsKeysIsAskedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := newIssuer(t)
		v := i.verifier()
		if _, err := v.Verify(t.Context(), i.sign(claims())); err != nil {
			t.Fatal(err)
		}
		key := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
		i.key, i.kid, i.keys = key, "k2", []jose.JSONWebKey{{Key: key.Public(), KeyID: "k2"}}
		if _, err := v.Verify(t.Context(), i.sign(claims())); err == nil || len(i.asked) != 1 {
			t.Errorf("at once: %v, asked %d times", err, len(i.asked))
		}
		time.Sleep(2 * time.Minute)
		if _, err := v.Verify(t.Context(), i.sign(claims())); err != nil || len(i.asked) != 2 {
			t.Errorf("later: %v, asked %d times", err, len(i.asked))
		}
	})
}

func TestDiscovery(t *testing.T) {
	const other, jwks = "http://127.0.0.1:8080", "http://127.0.0.1:8080/keys"
	config := func(i *issuer, issuer, uri string) {
		i.pages[other+"/.well-known/openid-configuration"] = func(*http.Request) *http.Response {
			return page(200, fmt.Sprintf(`{"issuer":%q,"jwks_uri":%q}`, issuer, uri))
		}
	}
	for name, c := range map[string]struct {
		set  func(*issuer)
		want string
	}{
		"jwks_uri on the issuer's host": {func(i *issuer) { config(i, other, jwks) }, ""},
		"jwks_uri on https elsewhere": {func(i *issuer) {
			config(i, other, "https://keys.example/jwks?a=b")
			i.pages["https://keys.example/jwks?a=b"] = i.pages[jwks]
		}, ""},
		"where jwks is a web page": {func(i *issuer) {
			config(i, other, jwks)
			i.pages[other+"/.well-known/jwks"] = func(*http.Request) *http.Response { return page(200, "<html>") }
		}, ""},
		"where jwks is a redirect": {func(i *issuer) {
			config(i, other, jwks)
			i.pages[other+"/.well-known/jwks"] = func(*http.Request) *http.Response {
				r := page(302, "")
				r.Header.Set("Location", "http://evil.example/jwks")
				return r
			}
		}, ""},
		"jwks_uri on plain http elsewhere": {func(i *issuer) { config(i, other, "http://evil.example/keys") }, `jwks_uri "http://evil.example/keys": neither https nor the issuer's own host`},
		"no jwks_uri":                      {func(i *issuer) { config(i, other, "") }, `jwks_uri "": not the URL of a host`},
		"the configuration of another":     {func(i *issuer) { config(i, "https://evil.example", jwks) }, `its configuration is that of "https://evil.example"`},
		"none":                             {func(*issuer) {}, "not there: GET http://127.0.0.1:8080/.well-known/openid-configuration: 404 Not Found"},
	} {
		t.Run(name, func(t *testing.T) {
			i := newIssuer(t)
			i.pages[jwks] = func(*http.Request) *http.Response { return i.jwks() }
			c.set(i)
			v := i.verifier(func(o *identity.VerifierOptions) { o.Issuers = []string{other} })
			_, err := v.Verify(t.Context(), i.sign(claims("iss", other)))
			if slices.ContainsFunc(i.asked, func(u string) bool { return strings.Contains(u, "evil") }) {
				t.Errorf("asked %v", i.asked)
			}
			if want := "ID token: keys of " + other + ": " + c.want; c.want == "" && err != nil || c.want != "" && (err == nil || err.Error() != want) {
				t.Errorf("got  %v\nwant %s", err, want)
			}
		})
	}
}

func TestKeyServersThatFail(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := newIssuer(t)
		const url = githubIssuer + "/.well-known/jwks"
		good, n := i.pages[url], 0
		i.pages[url] = func(req *http.Request) *http.Response {
			if n++; n < 4 {
				return page(503, "busy")
			}
			return good(req)
		}
		if _, err := i.verifier().Verify(t.Context(), i.sign(claims())); err != nil {
			t.Errorf("three times 503: %v", err)
		}
		i.pages[url] = func(*http.Request) *http.Response { return page(503, "busy") }
		var give *retry.Exhausted
		if _, err := i.verifier().Verify(t.Context(), i.sign(claims())); !errors.As(err, &give) || give.Elapsed != time.Minute {
			t.Errorf("503 for good: %v", err)
		}
		i.pages[url] = func(*http.Request) *http.Response { return page(200, strings.Repeat(" ", 1<<20)+"{}") }
		if _, err := i.verifier().Verify(t.Context(), i.sign(claims())); err == nil || !strings.HasSuffix(err.Error(), "jwks: longer than 1048576 bytes") {
			t.Errorf("too long: %v", err)
		}
		many := `{"keys":[` + strings.Repeat(`{},`, 100) + `{}]}`
		i.pages[url] = func(*http.Request) *http.Response { return page(200, many) }
		if _, err := i.verifier().Verify(t.Context(), i.sign(claims())); err == nil || !strings.Contains(err.Error(), "101 keys") {
			t.Errorf("too many: %v", err)
		}
	})
}

func TestIssuersOfServers(t *testing.T) {
	for server, want := range map[string]string{
		"https://github.com":        githubIssuer,
		"https://github.com/":       githubIssuer,
		"https://acme-1.ghe.com":    "https://token.actions.acme-1.ghe.com",
		"http://github.com":         "",
		"https://github.com.evil":   "",
		"https://a.b.ghe.com":       "",
		"https://ghe.com":           "",
		"https://git.acme.example":  "",
		"https://acme.ghe.com.evil": "",
	} {
		if got, ok := identity.GitHubIssuer(server); got != want || ok != (want != "") {
			t.Errorf("%s: %q, want %q", server, got, want)
		}
	}
	i := newIssuer(t)
	v := i.verifier(func(o *identity.VerifierOptions) { o.ServerURL = "https://acme.ghe.com" })
	if _, err := v.Verify(t.Context(), i.sign(claims())); err == nil {
		t.Error("a token of github.com is accepted for a tenant")
	}
	i.pages["https://token.actions.acme.ghe.com/.well-known/jwks"] = func(*http.Request) *http.Response { return i.jwks() }
	if _, err := v.Verify(t.Context(), i.sign(claims("iss", "https://token.actions.acme.ghe.com"))); err != nil {
		t.Error(err)
	}
}

func TestNewVerifierRefuses(t *testing.T) {
	client := &http.Client{}
	for name, o := range map[string]identity.VerifierOptions{
		"no client":                    {Audience: "sigstore"},
		"no audience":                  {HTTP: client},
		"a server without an issuer":   {HTTP: client, Audience: "sigstore", ServerURL: "https://git.acme.example"},
		"an issuer over plain http":    {HTTP: client, Audience: "sigstore", Issuers: []string{"http://oidc.example"}},
		"an issuer that is no URL":     {HTTP: client, Audience: "sigstore", Issuers: []string{"oidc"}},
		"an issuer with a user":        {HTTP: client, Audience: "sigstore", Issuers: []string{"https://a:b@oidc.example"}},
		"an issuer with a query":       {HTTP: client, Audience: "sigstore", Issuers: []string{"https://oidc.example?a"}},
		"an issuer of another network": {HTTP: client, Audience: "sigstore", Issuers: []string{"http://10.0.0.1"}},
	} {
		if _, err := identity.NewVerifier(o); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
	if _, err := identity.NewVerifier(identity.VerifierOptions{HTTP: client, Audience: "sigstore", ServerURL: "https://git.acme.example", Issuers: []string{"http://[::1]:80/x"}}); err != nil {
		t.Errorf("an extra issuer alone: %v", err)
	}
}
