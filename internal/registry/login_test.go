package registry_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"

	"github.com/taglast/taglast/internal/registry"
	"github.com/taglast/taglast/internal/sandbox"
	"github.com/taglast/taglast/internal/testkit/registrytest"
)

// issuer is a token endpoint. Each token is good for uses requests.
type issuer struct {
	password string
	uses     int
	deny     string // a scope that it grants to nobody
	answer   string // instead of a token

	mu     sync.Mutex
	issued int
	left   map[string]int
	scopes []string
}

func (i *issuer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	i.mu.Lock()
	defer i.mu.Unlock()
	_, password, _ := r.BasicAuth()
	scopes := r.URL.Query()["scope"]
	i.scopes = append(i.scopes, strings.Join(scopes, " "))
	if password != i.password {
		registrytest.Refuse(w, http.StatusUnauthorized, "UNAUTHORIZED")
		return
	}
	if i.deny != "" && slices.Contains(scopes, i.deny) {
		registrytest.Refuse(w, http.StatusForbidden, "DENIED")
		return
	}
	if i.answer != "" {
		_, _ = io.WriteString(w, i.answer)
		return
	}
	i.issued++
	token := fmt.Sprintf("token%d", i.issued)
	if i.left == nil {
		i.left = map[string]int{}
	}
	i.left[token] = i.uses
	fmt.Fprintf(w, `{"token":%q}`, token)
}

// guard makes a registry ask for this issuer's tokens.
func (i *issuer) guard(realm string) func(http.ResponseWriter, *http.Request) bool {
	return func(w http.ResponseWriter, r *http.Request) bool {
		token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		i.mu.Lock()
		defer i.mu.Unlock()
		if i.left[token] > 0 {
			if r.URL.Path != "/v2/" {
				i.left[token]--
			}
			return false
		}
		w.Header().Set("WWW-Authenticate", `Bearer realm="`+realm+`",service="test"`)
		registrytest.Refuse(w, http.StatusUnauthorized, "UNAUTHORIZED")
		return true
	}
}

// keys is a keychain of one password, for every host.
type keys struct{ password string }

func (k keys) Resolve(authn.Resource) (authn.Authenticator, error) {
	return authn.FromConfig(authn.AuthConfig{Username: "u", Password: k.password}), nil
}

func withIssuer(t *testing.T, i *issuer, realm string, change ...func(*registry.Options)) *world {
	w := newWorld(t, append([]func(*registry.Options){func(o *registry.Options) { o.Keychain = keys{"secret"} }}, change...)...)
	w.Before = i.guard(realm)
	w.transport.Hosts["auth.example"] = i
	return w
}

func TestATokenThatExpiresIsRenewedWithTheBodySentAgain(t *testing.T) {
	i := &issuer{password: "secret", uses: 3}
	w := withIssuer(t, i, "https://auth.example/token")
	ctx := context.Background()
	for n := range 6 {
		if _, err := w.client.PushBlob(ctx, blob(strings.Repeat("layer", n+1))); err != nil {
			t.Fatal(err)
		}
	}
	m := imageOf(t, blob("layer"))
	if err := w.client.PutByDigest(ctx, m); err != nil {
		t.Fatal(err)
	}
	if i.issued < 8 {
		t.Errorf("%d tokens were issued", i.issued)
	}
	if n := w.Count("GET /v2/ "); n > 1 {
		t.Errorf("%d pings", n)
	}
}

func TestAFinal401IsDenied(t *testing.T) {
	i := &issuer{password: "secret", uses: 0}
	w := withIssuer(t, i, "https://auth.example/token")
	_, err := w.client.Head(context.Background(), "latest")
	if !errors.Is(err, registry.ErrDenied) || errors.Is(err, registry.ErrNotFound) {
		t.Errorf("%v is no ErrDenied", err)
	}
	if strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "token1") {
		t.Errorf("a secret in %q", err)
	}
	if n := w.Count("HEAD"); n != 4 { // each of two logins: once, and once with a renewed token
		t.Errorf("it was asked %d times", n)
	}
}

func TestAWrongPasswordIsDeniedAndNoSecretIsSaid(t *testing.T) {
	w := withIssuer(t, &issuer{password: "other", uses: 9}, "https://auth.example/token")
	err := w.client.Probe(context.Background())
	if !errors.Is(err, registry.ErrDenied) || strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "scope=") {
		t.Errorf("Probe = %v", err)
	}
}

func TestOne401AfterALoginIsTriedWithANewLogin(t *testing.T) {
	w := newWorld(t, func(o *registry.Options) { o.Keychain = keys{"secret"} })
	first := true
	w.Before = func(rw http.ResponseWriter, r *http.Request) bool {
		if _, _, ok := r.BasicAuth(); !ok {
			rw.Header().Set("WWW-Authenticate", `Basic realm="x"`)
			registrytest.Refuse(rw, http.StatusUnauthorized, "UNAUTHORIZED")
			return true
		}
		if r.Method == http.MethodPatch && first {
			first = false
			registrytest.Refuse(rw, http.StatusUnauthorized, "UNAUTHORIZED")
			return true
		}
		return false
	}
	if _, err := w.client.PushBlob(context.Background(), blob("layer")); err != nil {
		t.Error(err)
	}
	if n := w.Count("GET /v2/"); n != 2 {
		t.Errorf("%d logins, want 2", n)
	}
	if n := w.Count("PATCH"); n != 2 {
		t.Errorf("%d PATCHes, want 2", n)
	}
}

func TestALoginThatFailsDoesNotSpoilTheNext(t *testing.T) {
	w := newWorld(t, func(o *registry.Options) { o.Retry.Budget = -1 })
	broken := true
	w.Before = func(rw http.ResponseWriter, r *http.Request) bool {
		if broken {
			registrytest.Refuse(rw, http.StatusNotFound, "NAME_UNKNOWN")
		}
		return broken
	}
	_, err := w.client.Head(context.Background(), "latest")
	if err == nil || errors.Is(err, registry.ErrNotFound) {
		t.Errorf("a registry that is not there became %v", err)
	}
	broken = false
	if _, err := w.client.Head(context.Background(), "latest"); !errors.Is(err, registry.ErrNotFound) {
		t.Errorf("the next call got %v", err)
	}
}

func TestATokenEndpointInTroubleIsAskedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i := &issuer{password: "secret", uses: 100}
		w := withIssuer(t, i, "https://auth.example/token")
		asked := 0
		w.transport.Hosts["auth.example"] = http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			switch asked++; asked {
			case 1:
				rw.Header().Set("Retry-After", "7")
				registrytest.Refuse(rw, http.StatusForbidden, "DENIED")
			case 2:
				rw.WriteHeader(http.StatusBadGateway)
			case 3:
				_, _ = io.WriteString(rw, `{"token":"half`)
			default:
				i.ServeHTTP(rw, r)
			}
		})
		if err := w.client.Probe(context.Background()); err != nil || asked != 4 {
			t.Errorf("asked %d times, %v", asked, err)
		}
	})
}

func TestATokenAnswerIsNeverPartOfAnError(t *testing.T) {
	i := &issuer{password: "secret", answer: `{"refresh_token":"hunter2"}`}
	w := withIssuer(t, i, "https://auth.example/token")
	err := w.client.Probe(context.Background())
	if err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("Probe = %v", err)
	}
}

func TestScopesOfTheOwnRegistryAreAskedTogether(t *testing.T) {
	mount := func(o *registry.Options) {
		o.MountFrom = []name.Repository{repo(t, host+"/library/base"), repo(t, host+"/acme/app"), repo(t, "ghcr.io/acme/app")}
	}
	const own, base = "repository:acme/app:push,pull", "repository:library/base:pull"
	for title, c := range map[string]struct {
		readOnly bool
		deny     string
		want     []string
	}{
		"push, and pull of what is mounted":           {want: []string{own + " " + base}},
		"pull alone where nothing is written":         {readOnly: true, want: []string{"repository:acme/app:pull"}},
		"without the mounts where those are not ours": {deny: base, want: []string{own + " " + base, own}},
	} {
		t.Run(title, func(t *testing.T) {
			i := &issuer{password: "secret", uses: 100, deny: c.deny}
			w := withIssuer(t, i, "https://auth.example/token", mount, func(o *registry.Options) { o.ReadOnly = c.readOnly })
			if _, err := w.client.Head(context.Background(), "latest"); !errors.Is(err, registry.ErrNotFound) {
				t.Fatal(err)
			}
			if !slices.Equal(i.scopes, c.want) {
				t.Errorf("scopes %q, want %q", i.scopes, c.want)
			}
		})
	}
}

func TestARegistryCannotSendCredentialsAnywhere(t *testing.T) {
	basic := "Basic " + base64.StdEncoding.EncodeToString([]byte("u:secret"))
	for title, c := range map[string]struct {
		host  string
		realm string
		sent  bool // credentials may go to the realm: every registry with a token service of its own needs that
	}{
		"a token endpoint by https":               {host, "https://auth.example/token", true},
		"a token endpoint by plain http":          {host, "http://auth.example/token", false},
		"the cloud's metadata":                    {host, "https://169.254.169.254/token", false},
		"a private address":                       {host, "https://10.0.0.1/token", false},
		"a loopback address":                      {host, "https://127.0.0.1/token", false},
		"GHCR keeps its token on GHCR":            {"ghcr.io", "https://auth.example/token", false},
		"a token endpoint of another host's port": {"ghcr.io", "https://ghcr.io.auth.example/token", false},
	} {
		t.Run(title, func(t *testing.T) {
			i := &issuer{password: "secret", uses: 100}
			w := withIssuer(t, i, c.realm, func(o *registry.Options) { o.Retry.Budget = -1 })
			for _, h := range []string{c.host, "169.254.169.254", "10.0.0.1", "127.0.0.1", "ghcr.io.auth.example"} {
				if h == c.host {
					w.transport.Hosts[h] = w.Host
				} else {
					w.transport.Hosts[h] = i
				}
			}
			err := w.clients.Repository(repo(t, c.host+"/acme/app")).Probe(context.Background())
			if c.sent != (err == nil) {
				t.Errorf("Probe = %v", err)
			}
			for _, h := range []string{"auth.example", "169.254.169.254", "10.0.0.1", "127.0.0.1", "ghcr.io.auth.example"} {
				if got := w.transport.Credentials(h); slices.Contains(got, basic) && !(c.sent && h == "auth.example") {
					t.Errorf("%s was sent %q", h, got)
				}
			}
		})
	}
}

func TestATokenEndpointThatRedirectsTakesNoCredentialsAlong(t *testing.T) {
	i := &issuer{password: "", uses: 100}
	w := withIssuer(t, i, "https://auth.example/token")
	w.transport.Hosts["evil.example"] = i
	w.transport.Hosts["auth.example"] = http.RedirectHandler("https://evil.example/token", http.StatusFound)
	_ = w.client.Probe(context.Background())
	if got := w.transport.Credentials("evil.example"); len(got) != 0 {
		t.Errorf("evil.example was sent %q", got)
	}
}

func TestPlainHTTPIsForThisMachineAlone(t *testing.T) {
	for h, plain := range map[string]bool{
		"localhost:5000": true, "127.0.0.1:5000": true, "127.8.9.1:5000": true, "[::1]:5000": true, "localhost": true,
		"10.0.0.1:5000": false, "192.168.1.1": false, "app.localhost:5000": false, "registry.example:5000": false,
	} {
		t.Run(h, func(t *testing.T) {
			var seen []string
			w := newWorld(t, func(o *registry.Options) {
				o.Retry.Budget = -1
				o.Transport = roundTrip(func(r *http.Request) (*http.Response, error) {
					seen = append(seen, r.URL.Scheme)
					if r.URL.Scheme == "https" {
						return nil, errors.New("http: server gave HTTP response to HTTPS client")
					}
					return (&registrytest.Network{Hosts: map[string]http.Handler{h: registrytest.NewHost(t, h, sandbox.RegistryOptions{})}}).RoundTrip(r)
				})
			})
			r, err := name.NewRepository(h+"/acme/app", name.Insecure)
			if err != nil {
				t.Fatal(err)
			}
			err = w.clients.Repository(r).Probe(context.Background())
			if plain != (err == nil) || plain != slices.Contains(seen, "http") {
				t.Errorf("Probe = %v, schemes %q", err, seen)
			}
		})
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
