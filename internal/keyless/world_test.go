package keyless_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/taglast/taglast/internal/bundle"
	"github.com/taglast/taglast/internal/identity"
	"github.com/taglast/taglast/internal/keyless"
	"github.com/taglast/taglast/internal/policy"
	"github.com/taglast/taglast/internal/sandbox"
	"github.com/taglast/taglast/internal/trust"
)

const (
	fulcioHost = "fulcio.taglast.invalid"
	rekorHost  = "rekor.taglast.invalid"
	tsaHost    = "timestamp.taglast.invalid"
)

// world is the sandbox with a hook between it and the signer.
type world struct {
	*sandbox.World
	t        testing.TB
	services trust.Services
	material trust.Material

	mu     sync.Mutex
	counts map[string]int // requests by method and host
	seen   []*http.Request
	tokens int

	// before may answer in place of the world; after may change or lose the world's answer. n counts the requests of
	// that method to that host, from 1.
	before func(n int, req *http.Request) (*http.Response, error)
	after  func(n int, req *http.Request, resp *http.Response) (*http.Response, error)
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w, err := sandbox.New(sandbox.Options{})
	if err != nil {
		t.Fatal(err)
	}
	services, material, err := trust.FromFiles(w.SigningConfig(), w.TrustedRoot())
	if err != nil {
		t.Fatal(err)
	}
	return &world{World: w, t: t, services: services, material: material, counts: map[string]int{}}
}

func (w *world) RoundTrip(req *http.Request) (*http.Response, error) {
	w.mu.Lock()
	w.counts[req.Method+" "+req.URL.Host]++
	n := w.counts[req.Method+" "+req.URL.Host]
	w.seen = append(w.seen, req)
	before, after := w.before, w.after
	w.mu.Unlock()
	if before != nil {
		if resp, err := before(n, req); resp != nil || err != nil {
			return resp, err
		}
	}
	resp, err := w.World.RoundTrip(req)
	if err != nil || after == nil {
		return resp, err
	}
	return after(n, req, resp)
}

func (w *world) count(method, host string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.counts[method+" "+host]
}

// token asks the runner and verifies what it gives, anew each time.
func (w *world) token(ctx context.Context) (identity.Token, error) {
	w.mu.Lock()
	w.tokens++
	w.mu.Unlock()
	v, err := identity.NewVerifier(identity.VerifierOptions{HTTP: &http.Client{Transport: w.World}, Audience: "sigstore"})
	if err != nil {
		return identity.Token{}, err
	}
	env := w.Env()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, env["ACTIONS_ID_TOKEN_REQUEST_URL"]+"&audience=sigstore", nil)
	if err != nil {
		return identity.Token{}, err
	}
	req.Header.Set("Authorization", "Bearer "+env["ACTIONS_ID_TOKEN_REQUEST_TOKEN"])
	resp, err := w.World.RoundTrip(req)
	if err != nil {
		return identity.Token{}, err
	}
	defer func() { _ = resp.Body.Close() }()
	var answer struct{ Value string }
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		return identity.Token{}, err
	}
	return v.Verify(ctx, answer.Value)
}

func (w *world) signer(change ...func(*keyless.Options)) *keyless.Signer {
	w.t.Helper()
	o := keyless.Options{Services: w.services, HTTP: w, Tokens: w.token, UserAgent: "taglast/test"}
	for _, c := range change {
		c(&o)
	}
	s, err := keyless.New(o)
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

func digest(s string) string {
	sum := sha256.Sum256([]byte(s))
	return "sha256:" + hex.EncodeToString(sum[:])
}

// statement says of a digest what the world's job would say.
func (w *world) statement(digest string) []byte {
	i := w.Identity()
	repository := "https://github.com/" + i.Repository
	path, _, _ := strings.Cut(strings.TrimPrefix(i.WorkflowRef, i.Repository+"/"), "@")
	return fmt.Appendf(nil, `{"_type":"https://in-toto.io/Statement/v1","subject":[{"name":"ghcr.io/acme/app","digest":{"sha256":%q}}],`+
		`"predicateType":"https://slsa.dev/provenance/v1","predicate":{"buildDefinition":{`+
		`"buildType":"https://actions.github.io/buildtypes/workflow/v1",`+
		`"externalParameters":{"workflow":{"ref":%q,"repository":%q,"path":%q}},`+
		`"internalParameters":{"github":{"event_name":%q,"repository_id":%q,"repository_owner_id":%q,"runner_environment":%q}},`+
		`"resolvedDependencies":[{"uri":%q,"digest":{"gitCommit":%q}}]},`+
		`"runDetails":{"builder":{"id":%q},"metadata":{"invocationId":%q}}}}`,
		strings.TrimPrefix(digest, "sha256:"), i.Ref, repository, path, i.EventName, i.RepositoryID, i.RepositoryOwnerID, i.RunnerEnvironment,
		"git+"+repository+"@"+i.Ref, i.SHA, "https://github.com/"+i.JobWorkflowRef,
		repository+"/actions/runs/"+i.RunID+"/attempts/"+i.RunAttempt)
}

// verify holds a bundle against the exact policy of this run.
func (w *world) verify(b *bundle.Bundle, statement []byte, digest string) policy.Verified {
	w.t.Helper()
	token, err := w.token(context.Background())
	if err != nil {
		w.t.Fatal(err)
	}
	v, err := policy.Exact{Trusted: w.material.Root, Requires: trust.Custom(w.services, w.material).Requires, Claims: token.Claims(), Statement: statement, Digest: digest}.Check(b)
	if err != nil {
		w.t.Errorf("the bundle does not verify: %v", err)
	}
	return v
}

func respond(req *http.Request, status int, header map[string]string, body string) *http.Response {
	resp := &http.Response{
		StatusCode: status, Status: http.StatusText(status), Header: http.Header{}, Request: req,
		Body: io.NopCloser(strings.NewReader(body)),
	}
	for k, v := range header {
		resp.Header.Set(k, v)
	}
	return resp
}

// rewrite changes the body of an answer.
func rewrite(resp *http.Response, change func([]byte) []byte) (*http.Response, error) {
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	body = change(body)
	resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	return resp, nil
}

var errReset = errors.New("read tcp 192.0.2.1:443: connection reset by peer")
