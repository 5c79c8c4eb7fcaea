package store_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/golang/snappy"

	"github.com/taglast/taglast/internal/bundle"
	"github.com/taglast/taglast/internal/retry"
	"github.com/taglast/taglast/internal/store"
)

const (
	secret     = "ghs_thisIsTheToken"
	signature  = "sig=thisIsASignedURL"
	provenance = "https://slsa.dev/provenance/v1"
)

// github is the part of GitHub's API that the store uses, as its reference describes it, behind a RoundTripper.
type github struct {
	mu      sync.Mutex
	bundles []kept
	hidden  int      // how many lists do not show anything yet
	inline  bool     // lists carry `bundle`, as the API version 2022-11-28 does, and no bundle_url
	log     []string // method, host and path of each request
	posts   []string // bodies
	headers []http.Header
	// before answers in the API's place where it returns true; n counts requests from 1.
	before func(w http.ResponseWriter, r *http.Request, n int) bool
	// lose makes the transport fail after the request was served.
	lose func(r *http.Request, n int) bool
}

type kept struct {
	raw       []byte
	about     *bundle.Bundle
	initiator string
}

func (g *github) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	var body []byte
	if r.Body != nil {
		body, _ = io.ReadAll(r.Body)
		r.Body.Close()
	}
	r2 := r.Clone(r.Context())
	r2.Body = io.NopCloser(strings.NewReader(string(body)))
	g.log = append(g.log, r.Method+" "+r.URL.Host+r.URL.Path)
	g.headers = append(g.headers, r.Header.Clone())
	if r.Method == http.MethodPost {
		g.posts = append(g.posts, string(body))
	}
	n := len(g.log)
	w := httptest.NewRecorder()
	if g.before == nil || !g.before(w, r2, n) {
		g.serve(w, r2)
	}
	if g.lose != nil && g.lose(r2, n) {
		return nil, io.ErrUnexpectedEOF
	}
	resp := w.Result()
	resp.Request = r
	return resp, nil
}

func (g *github) serve(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.URL.Host == "blobs.example":
		i, err := strconv.Atoi(strings.TrimPrefix(r.URL.Path, "/"))
		if err != nil || i >= len(g.bundles) || r.URL.RawQuery != signature || r.Header.Get("Authorization") != "" {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		_, _ = w.Write(snappy.Encode(nil, g.bundles[i].raw))
	case r.URL.Host != "api.example" || r.Header.Get("Authorization") != "Bearer "+secret:
		say(w, http.StatusUnauthorized, "Requires authentication")
	case r.Method == http.MethodPost && r.URL.Path == "/repos/acme/app/attestations":
		g.create(w, r)
	case r.Method == http.MethodGet && strings.HasPrefix(r.URL.Path, "/repos/acme/app/attestations/sha256:"):
		g.listed(w, r, strings.TrimPrefix(r.URL.Path, "/repos/acme/app/attestations/"))
	default:
		say(w, http.StatusNotFound, "Not Found")
	}
}

func (g *github) create(w http.ResponseWriter, r *http.Request) {
	var body struct{ Bundle json.RawMessage }
	err := json.NewDecoder(r.Body).Decode(&body)
	b, bad := bundle.Parse(body.Bundle)
	if err != nil || bad != nil || len(b.Digests()) == 0 {
		say(w, http.StatusUnprocessableEntity, "Invalid bundle")
		return
	}
	g.bundles = append(g.bundles, kept{body.Bundle, b, "user"})
	w.WriteHeader(http.StatusCreated)
	fmt.Fprintf(w, `{"id":%d}`, 4241+len(g.bundles))
}

func (g *github) listed(w http.ResponseWriter, r *http.Request, digest string) {
	q := r.URL.Query()
	size, _ := strconv.Atoi(q.Get("per_page"))
	after, _ := strconv.Atoi(q.Get("after"))
	if g.hidden > 0 {
		g.hidden--
		say(w, http.StatusNotFound, "Not Found")
		return
	}
	var records []map[string]any
	next := -1
	for i := after; i < len(g.bundles); i++ {
		b := g.bundles[i]
		if !b.about.HasSubject(digest) || q.Has("predicate_type") && b.about.PredicateType() != q.Get("predicate_type") {
			continue
		}
		if len(records) == size {
			next = i
			break
		}
		record := map[string]any{"repository_id": 1, "initiator": b.initiator, "bundle": nil}
		if g.inline {
			record["bundle"] = json.RawMessage(b.raw)
		} else {
			record["bundle_url"] = fmt.Sprintf("https://blobs.example/%d?%s", i, signature)
		}
		records = append(records, record)
	}
	if records == nil {
		say(w, http.StatusNotFound, "Not Found")
		return
	}
	if next >= 0 {
		q.Set("after", strconv.Itoa(next))
		w.Header().Set("Link", fmt.Sprintf(`<https://api.example%s?%s>; rel="next", <https://api.example/x>; rel="last"`, r.URL.Path, q.Encode()))
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"attestations": records})
}

func say(w http.ResponseWriter, status int, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"message":%q,"documentation_url":"https://docs.github.com/rest"}`, message)
}

func (g *github) store(t *testing.T) *store.GitHub {
	t.Helper()
	s, err := store.NewGitHub(store.GitHubOptions{
		HTTP: g, APIURL: "https://api.example", ServerURL: "https://github.example", Repository: "acme/app", Token: secret,
		Retry: retry.Policy{Rand: func(n int64) int64 { return n / 2 }}, UserAgent: "taglast/test",
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// count is how many requests began with prefix ("POST api.example").
func (g *github) count(prefix string) int {
	n := 0
	for _, line := range g.log {
		if strings.HasPrefix(line, prefix) {
			n++
		}
	}
	return n
}

// leaks fails if an error names the token or the signature of a URL.
func leaks(t *testing.T, err error) {
	t.Helper()
	for ; err != nil; err = errors.Unwrap(err) {
		if s := err.Error(); strings.Contains(s, secret) || strings.Contains(s, signature) {
			t.Errorf("a secret is in the error %q", s)
		}
	}
}
