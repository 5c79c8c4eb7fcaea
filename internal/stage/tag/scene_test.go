package tag_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"

	"github.com/taglast/taglast/internal/sandbox"
	"github.com/taglast/taglast/internal/stage/prove"
	"github.com/taglast/taglast/internal/stage/tag"
	"github.com/taglast/taglast/internal/testkit/releasetest"
)

// watch lists the requests for tags and lets a test step in.
type watch struct {
	base   http.RoundTripper
	before func(*http.Request) (*http.Response, error) // answers in the registry's place, unless both are nil
	after  func(*http.Request)                         // the registry has answered
	list   func(*http.Request) *http.Response          // answers a list of tags in its place, unless nil

	mu  sync.Mutex
	log []string // PUT ghcr.io/acme/app:1.2.3, in the order in which they began
}

func (w *watch) RoundTrip(req *http.Request) (*http.Response, error) {
	ref, isTag := tagOf(req)
	if w.list != nil && strings.HasSuffix(req.URL.Path, "/tags/list") {
		if resp := w.list(req); resp != nil {
			return resp, nil
		}
	}
	if !isTag {
		return w.base.RoundTrip(req)
	}
	w.mu.Lock()
	w.log = append(w.log, req.Method+" "+ref)
	w.mu.Unlock()
	if w.before != nil {
		if resp, err := w.before(req); resp != nil || err != nil {
			return resp, err
		}
	}
	resp, err := w.base.RoundTrip(req)
	if w.after != nil && err == nil {
		w.after(req)
	}
	return resp, err
}

// tagOf is the reference of a request for a tag.
func tagOf(req *http.Request) (ref string, ok bool) {
	repo, ref, ok := strings.Cut(strings.TrimPrefix(req.URL.Path, "/v2/"), "/manifests/")
	return strings.Replace(req.URL.Host, "index.docker.io", "docker.io", 1) + "/" + repo + ":" + ref, ok && !strings.HasPrefix(ref, "sha256:")
}

// requests of one method so far.
func (w *watch) requests(method string) []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []string
	for _, line := range w.log {
		if rest, ok := strings.CutPrefix(line, method+" "); ok {
			out = append(out, rest)
		}
	}
	return out
}

// lookedAtAfterWrite says whether a tag was asked for after it was written.
func (w *watch) lookedAtAfterWrite(ref string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	put := slices.Index(w.log, "PUT "+ref)
	return put >= 0 && slices.ContainsFunc(w.log[put:], func(line string) bool { return line == "GET "+ref || line == "HEAD "+ref })
}

func (w *watch) forget() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.log = nil
}

// scene is a release of two images whose proofs are there: app in two repositories, cli in a third.
type scene struct {
	t        *testing.T
	run      *releasetest.Run
	watch    *watch
	complete prove.Complete
	app, cli prove.Proof
	repos    []name.Repository
}

func newScene(t *testing.T, o sandbox.Options) *scene {
	t.Helper()
	w, err := sandbox.New(o)
	if err != nil {
		t.Fatal(err)
	}
	s := &scene{t: t, watch: &watch{base: w}}
	s.run = releasetest.In(t, w, s.watch)
	s.repos = s.run.Repositories("ghcr.io/acme/app", "docker.io/acme/app", "quay.io/acme/app")
	s.app, s.cli = s.prove("app", s.repos[:2]...), s.prove("cli", s.repos[2])
	if s.complete, err = prove.All([]prove.Required{{Image: "app"}, {Image: "cli"}}, []prove.Proof{s.app, s.cli}); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *scene) prove(title string, repos ...name.Repository) prove.Proof {
	s.t.Helper()
	r := s.run
	p, err := prove.Release(r.Attest(r.Push(r.Build(title), repos...)), prove.Run{Instance: r.Instance, Claims: r.Claims, ServerURL: r.Server})
	if err != nil {
		s.t.Fatal(err)
	}
	return p
}

// requests are the tags of the release, in the order of its file; seen is what each names now.
func (s *scene) requests() []tag.Request {
	var out []tag.Request
	state := s.run.World.State()
	add := func(image string, repo name.Repository, text string, fixed bool) {
		out = append(out, tag.Request{Image: image, Repository: repo, Tag: text, Fixed: fixed, Seen: state.Tags[repo.Name()][text]})
	}
	for _, repo := range s.repos[:2] {
		add("app", repo, "latest", false)
		add("app", repo, "1.2", false)
		add("app", repo, "1.2.3", true)
	}
	add("cli", s.repos[2], "latest", false)
	add("cli", s.repos[2], "1.2.3", true)
	add("cli", s.repos[2], "cli", false)
	return out
}

func (s *scene) write(ctx context.Context, o tag.Options) ([]tag.Tagged, error) {
	return tag.Write(ctx, s.complete, s.run.Clients, s.requests(), o)
}

// stranger puts another index under a tag, as another run would, and gives its digest.
func (s *scene) stranger(host, text string) string {
	s.t.Helper()
	raw := `{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[],"annotations":{"by":"a stranger"}}`
	digest, err := s.run.World.SeedManifest(host, "acme/app", text, "application/vnd.oci.image.index.v1+json", []byte(raw))
	if err != nil {
		s.t.Fatal(err)
	}
	return digest
}

// actions are what became of each tag, sorted.
func actions(tagged []tag.Tagged) []string {
	var out []string
	for _, t := range tagged {
		out = append(out, fmt.Sprintf("%s %s", t.Ref(), t.Action))
	}
	slices.Sort(out)
	return out
}

// truthful compares what is said of each tag with what the registries hold.
func (s *scene) truthful(tagged []tag.Tagged) {
	s.t.Helper()
	state := s.run.World.State()
	if len(tagged) != 9 {
		s.t.Errorf("%d tags are told of, want 9", len(tagged))
	}
	for _, t := range tagged {
		there := state.Tags[t.Repository.Name()][t.Tag]
		if t.Doubtful {
			continue
		}
		if t.Digest != there {
			s.t.Errorf("%s is %s and names %s; it is said to name %q", t.Ref(), t.Action, there, t.Digest)
		}
		if t.Action == tag.Pending && there != t.Seen {
			s.t.Errorf("%s is said to be pending, and names %s", t.Ref(), there)
		}
	}
	if v := s.run.World.Violations(); len(v) > 0 {
		s.t.Errorf("violations: %v", v)
	}
}

func answerJSON(req *http.Request, body string) *http.Response {
	resp := answer(req, http.StatusOK, body)
	resp.Header.Set("Content-Type", "application/json")
	return resp
}

func answer(req *http.Request, status int, body string) *http.Response {
	if req.Body != nil {
		_ = req.Body.Close()
	}
	return &http.Response{
		Status: fmt.Sprint(status), StatusCode: status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)), Request: req,
	}
}
