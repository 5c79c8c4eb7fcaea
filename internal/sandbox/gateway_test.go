package sandbox

import (
	"fmt"
	"go/parser"
	"go/token"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

func TestReadsFollowTheRealRegistrysRedirects(t *testing.T) {
	cdn := 0
	base := transportFunc(func(r *http.Request) (*http.Response, error) {
		return answerInProcess(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Host == "cdn.example.com" {
				cdn++
				_, _ = io.WriteString(w, "{}")
				return
			}
			w.Header().Set("Location", "https://cdn.example.com/blob?sig=1")
			w.WriteHeader(http.StatusTemporaryRedirect)
		}), r)
	})
	w := newWorld(t, Options{Base: base})
	early, _ := http.NewRequest(http.MethodGet, "https://cdn.example.com/blob", nil)
	if _, err := w.RoundTrip(early); err == nil {
		t.Error("a host that no registry named was asked")
	}
	req, _ := http.NewRequest(http.MethodGet, repoURL+"/blobs/"+sha("{}"), nil)
	if status := call(t, w, req, &struct{}{}); status != http.StatusOK || cdn != 1 {
		t.Errorf("status %d, %d requests to the CDN", status, cdn)
	}
	post, _ := http.NewRequest(http.MethodPost, "https://cdn.example.com/blob", nil)
	if _, err := w.RoundTrip(post); err == nil || cdn != 1 {
		t.Error("a write left the overlay")
	}
}

// shortPages lets tags/list of the base answer no more than n at once.
func shortPages(base http.RoundTripper, n int) http.RoundTripper {
	return transportFunc(func(r *http.Request) (*http.Response, error) {
		if query := r.URL.Query(); strings.HasSuffix(r.URL.Path, "/tags/list") {
			query.Set("n", strconv.Itoa(n))
			r = r.Clone(r.Context())
			r.URL.RawQuery = query.Encode()
		}
		return base.RoundTrip(r)
	})
}

func TestOverlayMergesAllPagesOfTheRealTags(t *testing.T) {
	outside := newWorld(t, Options{})
	seed := func(w *World, tags ...string) {
		for _, tag := range tags {
			if _, err := w.SeedManifest("ghcr.io", "acme/app", tag, mediaOCIIndex, []byte(`{"manifests":[]}`)); err != nil {
				t.Fatal(err)
			}
		}
	}
	seed(outside, "a", "c", "e", "g", "i")
	w := newWorld(t, Options{Base: shortPages(outside, 2)})
	seed(w, "b", "c")
	repo, _ := name.NewRepository("ghcr.io/acme/app")
	got, err := remote.List(repo, remote.WithTransport(w), remote.WithPageSize(4))
	if want := []string{"a", "b", "c", "e", "g", "i"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("tags %v, %v", got, err)
	}
}

func TestOverlayReadsTheRealTagsOncePerList(t *testing.T) {
	outside := newWorld(t, Options{})
	digest := must(outside.SeedManifest("ghcr.io", "acme/app", "", mediaOCIIndex, []byte(`{"manifests":[]}`)))
	seed := func(from, to int) {
		for n := from; n < to; n++ {
			if err := outside.SeedTag("ghcr.io", "acme/app", fmt.Sprintf("t%04d", n), digest); err != nil {
				t.Fatal(err)
			}
		}
	}
	seed(0, 950)
	w := newWorld(t, Options{Base: shortPages(outside, 100)})
	repo, _ := name.NewRepository("ghcr.io/acme/app")
	for _, want := range []int{950, 1000} {
		before := len(outside.Requests())
		got, err := remote.List(repo, remote.WithTransport(w), remote.WithPageSize(200))
		if err != nil || len(got) != want || !slices.IsSorted(got) {
			t.Errorf("%d tags, %v, want %d", len(got), err, want)
		}
		pages := 0
		for _, r := range outside.Requests()[before:] {
			if strings.HasSuffix(r.Path, "/tags/list") {
				pages++
			}
		}
		if pages != 10 {
			t.Errorf("%d pages were asked for", pages)
		}
		seed(950, 1000) // a list that begins anew sees what came since
	}
	refusing := newWorld(t, Options{Registry: RegistryOptions{DenyList: []string{"*"}}})
	if status, _, body := ask(t, newWorld(t, Options{Base: refusing}), "GET", "/tags/list", ""); status != http.StatusForbidden {
		t.Errorf("a refusal became %d %s", status, body)
	}
}

func TestTagListOfTheRealRegistryIsBounded(t *testing.T) {
	for title, answer := range map[string]http.HandlerFunc{
		"a page without end": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, `{"tags":["`+strings.Repeat("a", maxTagPage)+`"]}`)
		},
		"pages without end": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Link", `</v2/acme/app/tags/list?last=x>; rel="next"`)
			_, _ = io.WriteString(w, `{"tags":["x"]}`)
		},
		"a next page on another host": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Link", `<https://evil.example.com/v2/acme/app/tags/list>; rel="next"`)
			_, _ = io.WriteString(w, `{"tags":["x"]}`)
		},
		"no JSON": func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>") },
	} {
		base := transportFunc(func(r *http.Request) (*http.Response, error) {
			if r.URL.Host != "ghcr.io" {
				t.Errorf("%s: %s was asked", title, r.URL)
			}
			return answerInProcess(answer, r)
		})
		req, _ := http.NewRequest(http.MethodGet, repoURL+"/tags/list", nil)
		if resp, err := newWorld(t, Options{Base: base}).RoundTrip(req); err == nil {
			t.Errorf("%s: status %d", title, resp.StatusCode)
		}
	}
}

func TestTokenRequestsAreCutDownToPull(t *testing.T) {
	var got []string
	base := transportFunc(func(r *http.Request) (*http.Response, error) {
		return answerInProcess(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/v2/" {
				w.Header().Set("Www-Authenticate", `Bearer realm="https://auth.example.com/token",service="x"`)
				w.WriteHeader(http.StatusUnauthorized)
				return
			}
			if err := r.ParseForm(); err != nil {
				t.Error(err)
			}
			got = append(got, r.Form["scope"]...)
			writeJSON(w, http.StatusOK, map[string]string{"token": "real"})
		}), r)
	})
	w := newWorld(t, Options{Base: base})
	ask(t, w, "GET", "/v2/", "")
	scopes := url.Values{"scope": {"repository:acme/app:pull,push repository:localhost:5000/x:push", "registry:catalog:*"}}
	for _, r := range []*http.Request{
		must(http.NewRequest(http.MethodGet, "https://auth.example.com/token?"+scopes.Encode(), nil)),
		must(http.NewRequest(http.MethodPost, "https://auth.example.com/token", strings.NewReader(scopes.Encode()))),
	} {
		got = nil
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		var answer struct{ Token string }
		if status := call(t, w, r, &answer); status != http.StatusOK || answer.Token != "real" {
			t.Errorf("%s: status %d, token %q", r.Method, status, answer.Token)
		}
		if want := []string{"repository:acme/app:pull repository:localhost:5000/x:pull", "registry:catalog:*"}; !slices.Equal(got, want) {
			t.Errorf("%s: scopes %q", r.Method, got)
		}
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func TestMountNeedsTheRightToReadItsSource(t *testing.T) {
	w := newWorld(t, Options{Registry: RegistryOptions{Auth: Auth{Scheme: "bearer", Password: "p"}}})
	digest := must(w.SeedBlob("ghcr.io", "acme/base", []byte("layer")))
	for scope, want := range map[string]int{"": 202, "&scope=repository:acme/base:pull": 201} {
		req := must(http.NewRequest(http.MethodGet, "https://ghcr.io/token?scope=repository:acme/app:pull,push"+scope, nil))
		req.SetBasicAuth("u", "p")
		var answer struct{ Token string }
		call(t, w, req, &answer)
		status, _, body := ask(t, w, "POST", "/blobs/uploads/?from=acme/base&mount="+digest, "", "Authorization: Bearer "+answer.Token)
		if status != want {
			t.Errorf("%q: %d %s", scope, status, body)
		}
	}
}

func TestServedOverlayRelaysReads(t *testing.T) {
	outside, base := real(t, RegistryOptions{})
	w := newWorld(t, Options{Base: outside})
	rec := httptest.NewRecorder()
	req := httptest.NewRequest(http.MethodGet, "https://ghcr.io/v2/acme/base/manifests/3", nil)
	w.Handler().ServeHTTP(rec, req)
	if raw := must(base.RawManifest()); rec.Code != http.StatusOK || rec.Body.String() != string(raw) {
		t.Errorf("%d %s", rec.Code, rec.Body)
	}
	rec = httptest.NewRecorder()
	w.Handler().ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "https://example.com/", nil))
	if rec.Code != http.StatusBadGateway || !strings.Contains(rec.Body.String(), "refusing network access to example.com") {
		t.Errorf("%d %s", rec.Code, rec.Body)
	}
}

func TestOverlayIsWritableWhateverTheRegistrysManners(t *testing.T) {
	outside := newWorld(t, Options{})
	w := newWorld(t, Options{Base: outside, Registry: RegistryOptions{Auth: Auth{Scheme: "basic", Password: "p"}, DenyPush: []string{"*"}}})
	if status, _, body := ask(t, w, "POST", "/blobs/uploads/", ""); status != http.StatusAccepted {
		t.Errorf("%d %s", status, body)
	}
}

func TestServiceIsFoundByWholePathSegments(t *testing.T) {
	u := "http://127.0.0.1:8080"
	w := must(newWorldAt(serviceURLs{
		token: u + "/idtoken", issuer: u + "/issuer", fulcio: u + "/fulcio", rekor: u + "/rekor", tsa: u + "/tsa", bundles: u + "/bundles",
	}, Options{APIURL: u + "/api"}))
	for path, want := range map[string]bool{"/fulcio/api/v2/signingCert": true, "/fulciox/api/v2/signingCert": false, "/": false} {
		if _, err := w.find(must(http.NewRequest(http.MethodPost, u+path, nil))); (err == nil) != want {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// The world checks the program, so that it may share nothing with it but the smallest ideas.
func TestSandboxImportsOnlyLeaves(t *testing.T) {
	const rooms = "github.com/taglast/taglast/"
	leaves := []string{rooms + "internal/bounded", rooms + "internal/link", rooms + "internal/ociref"}
	for _, dir := range []string{".", "fault"} {
		for _, file := range must(os.ReadDir(dir)) {
			if !strings.HasSuffix(file.Name(), ".go") || strings.HasSuffix(file.Name(), "_test.go") {
				continue
			}
			f := must(parser.ParseFile(token.NewFileSet(), dir+"/"+file.Name(), nil, parser.ImportsOnly))
			for _, i := range f.Imports {
				if path := must(strconv.Unquote(i.Path.Value)); strings.HasPrefix(path, rooms) && !slices.Contains(leaves, path) {
					t.Error(fmt.Sprint(file.Name(), " imports ", i.Path.Value))
				}
			}
		}
	}
}
