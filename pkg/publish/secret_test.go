package publish_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/google/go-containerregistry/pkg/authn"

	"github.com/taglast/taglast/internal/registry"
	"github.com/taglast/taglast/internal/sandbox"
	"github.com/taglast/taglast/internal/sandbox/fault"
	"github.com/taglast/taglast/pkg/publish"
)

// customs looks through every request for secrets, and fails for each that goes where it must not.
type customs struct {
	t       *testing.T
	base    http.RoundTripper
	mu      sync.Mutex
	secrets map[string]secret // by value
	crossed map[string]bool   // names of secrets that were seen where they belong
}

// secret is a credential and the hosts that may see it.
type secret struct {
	name  string
	hosts []string
}

func (c *customs) declare(name, value string, hosts ...string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.secrets[value] = secret{name, hosts}
}

// forms are how a secret can stand in a request: itself, and as a password of basic authentication.
func forms(value string) []string {
	out := []string{value}
	for _, user := range []string{"x-access-token", "hubuser"} {
		out = append(out, base64.StdEncoding.EncodeToString([]byte(user+":"+value)))
	}
	return out
}

func (c *customs) RoundTrip(req *http.Request) (*http.Response, error) {
	var body []byte
	if req.Body != nil {
		var err error
		if body, err = io.ReadAll(req.Body); err != nil {
			return nil, err
		}
		_ = req.Body.Close()
		again := req.Clone(req.Context())
		again.Body = io.NopCloser(bytes.NewReader(body))
		req = again
	}
	var text strings.Builder
	fmt.Fprintln(&text, req.URL)
	_ = req.Header.Write(&text)
	text.Write(body)
	c.look(req.URL.Host, text.String())
	resp, err := c.base.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	return resp, c.learn(req, resp)
}

// look for secrets in what goes to a host.
func (c *customs) look(host, text string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for value, s := range c.secrets {
		for _, form := range forms(value) {
			if !strings.Contains(text, form) {
				continue
			}
			c.crossed[s.name] = true
			if !slices.Contains(s.hosts, host) {
				c.t.Errorf("%s goes to %s", s.name, host)
			}
		}
	}
}

// learn takes the ID tokens and registry logins that answers give.
func (c *customs) learn(req *http.Request, resp *http.Response) error {
	isToken := req.URL.Host == runnerHost || req.URL.Path == "/token"
	if !isToken || resp.StatusCode != http.StatusOK {
		return nil
	}
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	resp.Body = io.NopCloser(bytes.NewReader(raw))
	var answer struct{ Value, Token string }
	if err := json.Unmarshal(raw, &answer); err != nil {
		return err
	}
	if answer.Value != "" {
		c.declare("ID token", answer.Value, fulcioHost)
	} else {
		c.declare("login to "+req.URL.Host, answer.Token, req.URL.Host)
	}
	return nil
}

// guardedScene has a login for each of two registries, and a source on one that lets everybody read.
func guardedScene(t *testing.T) (*scene, *customs, func(http.RoundTripper) publish.Options) {
	t.Helper()
	const token, password = "ghs_theJobsOwnToken", "dckr_pat_theHubsPassword"
	text := strings.Replace(twoByTwo, "name: cli\n    source: {oci: image}", "name: cli\n    source: {image: \"quay.io/other/cli:1\"}", 1)
	s := newScene(t, text, sandbox.Options{GitHubToken: token, Registries: map[string]sandbox.RegistryOptions{
		"quay.io":         {Auth: sandbox.Auth{Scheme: "bearer", Password: "none of ours", Anonymous: true}},
		"ghcr.io":         {Auth: sandbox.Auth{Scheme: "bearer", Password: token}},
		"index.docker.io": {Auth: sandbox.Auth{Scheme: "bearer", Username: "hubuser", Password: password}},
	}})
	seedQuickstart(t, s.world, "quay.io", "other/cli", "1")
	c := &customs{t: t, base: s.world, secrets: map[string]secret{}, crossed: map[string]bool{}}
	c.declare("GITHUB_TOKEN", token, "ghcr.io", "api.github.com")
	c.declare("Docker Hub's password", password, "index.docker.io")
	c.declare("the runner's request token", s.world.Env()["ACTIONS_ID_TOKEN_REQUEST_TOKEN"], runnerHost)
	return s, c, func(rt http.RoundTripper) publish.Options {
		o := s.options(rt)
		keychain, err := registry.Keychain(registry.KeychainOptions{
			RegistryAuth: "[{registry: docker.io, username: hubuser, password: " + password + "}]",
			Docker:       authn.NewMultiKeychain(), GitHubToken: token,
		})
		if err != nil {
			t.Fatal(err)
		}
		o.Keychain = keychain
		return o
	}
}

// secretless fails for every secret in a text.
func (c *customs) secretless(where, text string) {
	c.t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	for value, s := range c.secrets {
		for _, form := range append(forms(value), url.QueryEscape(value)) {
			if strings.Contains(text, form) {
				c.t.Errorf("%s is in %s", s.name, where)
			}
		}
	}
}

// disk is all that a run left in the output directory.
func disk(t *testing.T, dir string) string {
	t.Helper()
	var all strings.Builder
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		raw, err := os.ReadFile(path)
		fmt.Fprintf(&all, "%s\n%s\n", path, raw)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all.String()
}

// TestSecretsGoWhereTheyBelong follows every credential of a run, in health and with a broken answer of each kind that
// could make an error quote one.
func TestSecretsGoWhereTheyBelong(t *testing.T) {
	for _, kind := range append([]fault.Kind{0}, fault.Kinds()...) {
		for _, at := range []fault.Key{
			{Method: "GET", Host: runnerHost, Path: "/idtoken?api-version=2.0&audience=sigstore", N: 1},
			{Method: "GET", Host: "ghcr.io", Path: "/token", N: 1},
			{Method: "POST", Host: fulcioHost, Path: "/api/v2/signingCert", N: 1},
			{Method: "POST", Host: "api.github.com", Path: "/repos/acme/app/attestations", N: 2},
			{Method: "PUT", Host: "ghcr.io", Path: "/v2/acme/app/manifests/1.2.3", N: 1},
		} {
			if kind == 0 && at.Host != runnerHost || kind != 0 && !kind.Applies(at) {
				continue
			}
			t.Run(fmt.Sprintf("%s at %s", kind, at), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s, c, options := guardedScene(t)
					if at.Path == "/token" {
						at.Path = tokenPathOf(t, s, options)
					}
					rt := &fault.Transport{Base: c, At: at, Kind: kind}
					o := options(rt)
					watch := &listener{}
					o.Observer = watch
					r, err := publish.Publish(t.Context(), o)
					if kind == 0 && err != nil || kind != 0 && !rt.Reached() {
						t.Fatalf("hit %v: %v", rt.Reached(), err)
					}
					raw, merr := publish.Marshal(r)
					if merr != nil {
						t.Fatal(merr)
					}
					c.secretless("the error", fmt.Sprint(err))
					c.secretless("the report", string(raw))
					c.secretless("the output directory", disk(t, o.OutputDir))
					c.secretless("what the observer heard", watch.all())
					if kind == 0 {
						names := slices.Sorted(maps.Keys(c.crossed))
						want := []string{"Docker Hub's password", "GITHUB_TOKEN", "ID token", "login to ghcr.io", "login to index.docker.io", "login to quay.io", "the runner's request token"}
						if !slices.Equal(names, want) {
							t.Errorf("this run used %v, want %v", names, want)
						}
					}
				})
			})
		}
	}
}

// tokenPathOf is how the fault transport names the login to ghcr.io.
func tokenPathOf(t *testing.T, s *scene, options func(http.RoundTripper) publish.Options) string {
	t.Helper()
	watch := &fault.Transport{Base: s.world}
	if _, err := publish.Publish(t.Context(), options(watch)); err != nil {
		t.Fatal(err)
	}
	for _, k := range watch.Keys() {
		if k.Host == "ghcr.io" && strings.HasPrefix(k.Path, "/token?") {
			return k.Path
		}
	}
	t.Fatal("no login to ghcr.io")
	return ""
}

// listener writes down what it is told.
type listener struct {
	mu    sync.Mutex
	heard []string
}

func (l *listener) note(v any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.heard = append(l.heard, fmt.Sprintf("%+v", v))
}

func (l *listener) Begin(h publish.Header)   { l.note(h) }
func (l *listener) Progress(e publish.Event) { l.note(e) }
func (l *listener) Warn(message string)      { l.note(message) }

func (l *listener) BuildOutput(string) io.WriteCloser { return heardOutput{l} }

// heardOutput is what a builder prints, as the listener hears it.
type heardOutput struct{ l *listener }

func (o heardOutput) Write(p []byte) (int, error) {
	o.l.note(string(p))
	return len(p), nil
}

func (heardOutput) Close() error { return nil }

func (l *listener) all() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.heard, "\n")
}

// TestABundleIsOnDiskBeforeItIsPosted looks at the output directory at the moment of the store's POST.
func TestABundleIsOnDiskBeforeItIsPosted(t *testing.T) {
	s := newScene(t, twoByTwo, sandbox.Options{})
	o := s.options(nil)
	posted := 0
	var mu sync.Mutex
	o.Transport = roundTripper(func(req *http.Request) (*http.Response, error) {
		if req.Method != http.MethodPost || !strings.HasSuffix(req.URL.Path, "/attestations") {
			return s.world.RoundTrip(req)
		}
		raw, err := io.ReadAll(req.Body)
		if err != nil {
			return nil, err
		}
		req = req.Clone(req.Context())
		req.Body = io.NopCloser(bytes.NewReader(raw))
		var body struct{ Bundle json.RawMessage }
		if json.Unmarshal(raw, &body) != nil || !bytes.Contains(body.Bundle, []byte("dsseEnvelope")) {
			return s.world.RoundTrip(req) // the preflight
		}
		mu.Lock()
		defer mu.Unlock()
		posted++
		found := false
		for _, image := range []string{"app", "cli"} {
			kept, err := os.ReadFile(filepath.Join(o.OutputDir, image+".sigstore.json"))
			found = found || err == nil && bytes.Equal(bytes.TrimSuffix(kept, []byte("\n")), body.Bundle)
		}
		if !found {
			t.Error("a bundle is posted that is not on disk")
		}
		return s.world.RoundTrip(req)
	})
	if _, err := publish.Publish(t.Context(), o); err != nil || posted != 2 {
		t.Errorf("%d posted: %v", posted, err)
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }
