package trust

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sigstore/sigstore/pkg/signature"
	"github.com/theupdateframework/go-tuf/v2/metadata"
)

const (
	testRoot   = `{"mediaType":"application/vnd.dev.sigstore.trustedroot+json;version=0.1","tlogs":[],"certificateAuthorities":[]}`
	testConfig = `{"mediaType":"application/vnd.dev.sigstore.signingconfig.v0.2+json",` +
		`"caUrls":[{"url":"https://fulcio.example","majorApiVersion":1,"validFor":{"start":"1999-01-01T00:00:00Z"}}],` +
		`"oidcUrls":[{"url":"https://oidc.example","majorApiVersion":1,"validFor":{"start":"1999-01-01T00:00:00Z"}}],` +
		`"rekorTlogUrls":[{"url":"https://rekor.example","majorApiVersion":1,"validFor":{"start":"1999-01-01T00:00:00Z"}}],` +
		`"rekorTlogConfig":{"selector":"ANY"},"tsaConfig":{"selector":"ANY"}}`
)

// mirror is a TUF repository in memory, with one key for all roles.
type mirror struct {
	files map[string][]byte

	mu   sync.Mutex
	seen []*http.Request
	fail func(n int, req *http.Request) (*http.Response, error) // nil, nil: answer as it should be
}

func newMirror(t *testing.T, targets map[string]string) (*mirror, repository) {
	t.Helper()
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := signature.LoadSigner(key, crypto.Hash(0))
	if err != nil {
		t.Fatal(err)
	}
	public, err := metadata.KeyFromPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	expires := time.Now().Add(24 * time.Hour).UTC()
	root, list := metadata.Root(expires), metadata.Targets(expires)
	snapshot, stamp := metadata.Snapshot(expires), metadata.Timestamp(expires)
	for _, role := range []string{"root", "targets", "snapshot", "timestamp"} {
		if err := root.Signed.AddKey(public, role); err != nil {
			t.Fatal(err)
		}
	}
	m := &mirror{files: map[string][]byte{}}
	for name, content := range targets {
		target, err := metadata.TargetFile().FromBytes(name, []byte(content), "sha256")
		if err != nil {
			t.Fatal(err)
		}
		list.Signed.Targets[name] = target
		sum := sha256.Sum256([]byte(content))
		m.files["/targets/"+hex.EncodeToString(sum[:])+"."+name] = []byte(content)
	}
	encode := func(sign func(signature.Signer) (*metadata.Signature, error), to func(bool) ([]byte, error)) []byte {
		if _, err := sign(signer); err != nil {
			t.Fatal(err)
		}
		raw, err := to(false)
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	m.files["/1.targets.json"] = encode(list.Sign, list.ToBytes)
	m.files["/1.snapshot.json"] = encode(snapshot.Sign, snapshot.ToBytes)
	m.files["/timestamp.json"] = encode(stamp.Sign, stamp.ToBytes)
	return m, repository{url: "https://tuf.example", anchor: encode(root.Sign, root.ToBytes)}
}

func (m *mirror) RoundTrip(req *http.Request) (*http.Response, error) {
	if err := req.Context().Err(); err != nil {
		return nil, err
	}
	m.mu.Lock()
	m.seen = append(m.seen, req)
	n := len(m.seen)
	m.mu.Unlock()
	if m.fail != nil {
		if resp, err := m.fail(n, req); resp != nil || err != nil {
			return resp, err
		}
	}
	if body, ok := m.files[req.URL.Path]; ok {
		return answer(req, http.StatusOK, body), nil
	}
	return answer(req, http.StatusNotFound, nil), nil
}

func answer(req *http.Request, status int, body []byte) *http.Response {
	return &http.Response{StatusCode: status, Status: http.StatusText(status), Header: http.Header{}, Request: req, Body: io.NopCloser(bytes.NewReader(body))}
}

var bothTargets = map[string]string{rootTarget: testRoot, configTarget: testConfig}

func TestServicesAndRootComeFromTUF(t *testing.T) {
	m, r := newMirror(t, bothTargets)
	transport, timeout := http.DefaultClient.Transport, http.DefaultClient.Timeout
	s, material, err := r.services(t.Context(), TUFOptions{HTTP: m, UserAgent: "taglast/test"})
	if err != nil {
		t.Fatal(err)
	}
	if s.Fulcio != "https://fulcio.example" || s.Rekor != "https://rekor.example" || s.TSA != "" {
		t.Errorf("services: %+v", s)
	}
	if len(s.OIDCIssuers) != 0 {
		t.Errorf("the instance's own identity providers were accepted: %v", s.OIDCIssuers)
	}
	if string(material.JSON) != testRoot || material.Root == nil {
		t.Errorf("trusted root: %s", material.JSON)
	}
	for _, req := range m.seen {
		if req.Header.Get("Authorization") != "" || req.Header.Get("Cookie") != "" {
			t.Errorf("%s was sent a credential", req.URL)
		}
		if req.Header.Get("User-Agent") != "taglast/test" {
			t.Errorf("%s: user agent %q", req.URL, req.Header.Get("User-Agent"))
		}
	}
	if http.DefaultClient.Transport != transport || http.DefaultClient.Timeout != timeout {
		t.Error("http.DefaultClient was changed")
	}
}

func TestTUFCacheIsPrivateAndUsedForADay(t *testing.T) {
	m, r := newMirror(t, bothTargets)
	dir := filepath.Join(t.TempDir(), "taglast", "tuf")
	o := TUFOptions{HTTP: m, CacheDir: dir}
	if _, _, err := r.services(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	asked := len(m.seen)
	if _, _, err := r.services(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	if len(m.seen) != asked {
		t.Errorf("the second reading made %d requests", len(m.seen)-asked)
	}
	err := filepath.WalkDir(filepath.Dir(dir), func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err == nil && d.IsDir() && runtime.GOOS != "windows" && info.Mode().Perm() != 0o700 {
			t.Errorf("%s has mode %o", path, info.Mode().Perm())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestWithoutACacheDirectoryNothingIsKept(t *testing.T) {
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("XDG_CACHE_HOME", filepath.Join(home, "cache"))
	t.Chdir(home)
	m, r := newMirror(t, bothTargets)
	if _, _, err := r.services(t.Context(), TUFOptions{HTTP: m}); err != nil {
		t.Fatal(err)
	}
	left, err := os.ReadDir(home)
	if err != nil {
		t.Fatal(err)
	}
	if len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestTUFFailures(t *testing.T) {
	status := func(code int) func(int, *http.Request) (*http.Response, error) {
		return func(_ int, req *http.Request) (*http.Response, error) { return answer(req, code, nil), nil }
	}
	for _, tt := range []struct {
		name string
		fail func(n int, req *http.Request) (*http.Response, error)
		want string // in the error; empty: it succeeds
	}{
		{"three failures pass", func(n int, req *http.Request) (*http.Response, error) {
			if n <= 3 {
				return answer(req, http.StatusBadGateway, nil), nil
			}
			return nil, nil
		}, ""},
		{"a fourth does not", status(http.StatusBadGateway), "502"},
		{"a reset passes", func(n int, _ *http.Request) (*http.Response, error) {
			if n == 1 {
				return nil, io.ErrUnexpectedEOF
			}
			return nil, nil
		}, ""},
		{"a file without end", func(_ int, req *http.Request) (*http.Response, error) {
			resp := answer(req, http.StatusOK, nil)
			resp.Body = io.NopCloser(endless{})
			return resp, nil
		}, "larger than"},
		{"a redirect to plain http", func(_ int, req *http.Request) (*http.Response, error) {
			resp := answer(req, http.StatusFound, nil)
			resp.Header.Set("Location", "http://tuf.example"+req.URL.Path)
			return resp, nil
		}, "redirect from https"},
		{"foreign metadata", func(_ int, req *http.Request) (*http.Response, error) {
			if strings.HasSuffix(req.URL.Path, "/timestamp.json") {
				return answer(req, http.StatusOK, []byte("{}")), nil
			}
			return nil, nil
		}, "https://tuf.example"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m, r := newMirror(t, bothTargets)
				m.fail = tt.fail
				_, _, err := r.services(t.Context(), TUFOptions{HTTP: m})
				if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
					t.Errorf("got %v, want %q", err, tt.want)
				}
				if tt.want == "502" && len(m.seen) != fetchTries {
					t.Errorf("%d tries", len(m.seen))
				}
			})
		})
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

func TestASilentMirrorEndsWithinTwoMinutes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, r := newMirror(t, bothTargets)
		m.fail = func(_ int, req *http.Request) (*http.Response, error) {
			<-req.Context().Done()
			return nil, req.Context().Err()
		}
		begin := time.Now()
		_, _, err := r.services(t.Context(), TUFOptions{HTTP: m})
		if took := time.Since(begin); err == nil || len(m.seen) != fetchTries || took < fetchTries*fetchTimeout || took >= refreshBudget {
			t.Errorf("%v after %s and %d tries", err, took, len(m.seen))
		}
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		begin = time.Now()
		_, _, err = r.services(ctx, TUFOptions{HTTP: m})
		if took := time.Since(begin); took != 2*time.Second || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v after %s, want the deadline after 2s", err, took)
		}
	})
}

func TestAMirrorThatAnswersEveryFourthTimeEndsWithinTwoMinutes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, r := newMirror(t, bothTargets)
		m.fail = func(n int, req *http.Request) (*http.Response, error) {
			if n%fetchTries == 0 {
				return nil, nil
			}
			<-req.Context().Done()
			return nil, req.Context().Err()
		}
		begin := time.Now()
		_, _, err := r.services(t.Context(), TUFOptions{HTTP: m})
		if took := time.Since(begin); !errors.Is(err, context.DeadlineExceeded) || took != refreshBudget {
			t.Errorf("%v after %s", err, took)
		}
	})
}

func TestOneRepositoryThatIsDownLeavesTheOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		roots, err := RootsFromTUF(t.Context(), TUFOptions{
			HTTP: roundTrip(func(*http.Request) (*http.Response, error) { return nil, fmt.Errorf("no network") }),
		})
		if len(roots) != 0 || err == nil || !strings.Contains(err.Error(), "tuf-repo-cdn.sigstore.dev") || !strings.Contains(err.Error(), "tuf-repo.github.com") {
			t.Errorf("got %d roots, %v: want both repositories named", len(roots), err)
		}
	})
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

func TestAnchorsAreTUFRoots(t *testing.T) {
	for _, r := range []repository{publicGood(), gitHub()} {
		root, err := metadata.Root().FromBytes(r.anchor)
		if err != nil {
			t.Fatalf("%s: %v", r.url, err)
		}
		if err := root.VerifyDelegate("root", root); err != nil {
			t.Errorf("%s: does not sign itself: %v", r.url, err)
		}
	}
}
