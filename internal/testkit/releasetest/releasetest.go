// Package releasetest takes images of a sandbox through the stages before verify, with the production code of each, so
// that the later stages can be tested with values that the stages before have made: nothing else can make them.
package releasetest

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"

	"github.com/taglast/taglast/internal/actions"
	"github.com/taglast/taglast/internal/bundle"
	"github.com/taglast/taglast/internal/identity"
	"github.com/taglast/taglast/internal/image"
	"github.com/taglast/taglast/internal/keyless"
	"github.com/taglast/taglast/internal/policy"
	"github.com/taglast/taglast/internal/provenance"
	"github.com/taglast/taglast/internal/registry"
	"github.com/taglast/taglast/internal/retry"
	"github.com/taglast/taglast/internal/sandbox"
	"github.com/taglast/taglast/internal/stage/attest"
	"github.com/taglast/taglast/internal/stage/push"
	"github.com/taglast/taglast/internal/store"
	"github.com/taglast/taglast/internal/trust"
	"github.com/taglast/taglast/pkg/release"
)

// Run is a job in a world: who it is, and the clients that it has.
type Run struct {
	World    *sandbox.World
	Claims   identity.Claims
	Instance trust.Instance
	Server   string // GITHUB_SERVER_URL
	Clients  *registry.Clients
	Signer   *keyless.Signer
	Store    store.Store
	tb       testing.TB
}

// New makes a world and a job in it.
func New(tb testing.TB, o sandbox.Options) *Run {
	tb.Helper()
	w, err := sandbox.New(o)
	if err != nil {
		tb.Fatal(err)
	}
	return In(tb, w, w)
}

// In makes a job in a world that rt leads to.
func In(tb testing.TB, w *sandbox.World, rt http.RoundTripper) *Run {
	tb.Helper()
	must := func(err error) {
		tb.Helper()
		if err != nil {
			tb.Fatal(err)
		}
	}
	env := w.Env()
	getenv := func(key string) string { return env[key] }
	services, material, err := trust.FromFiles(w.SigningConfig(), w.TrustedRoot())
	must(err)
	client := &http.Client{Transport: rt}
	verifier, err := identity.NewVerifier(identity.VerifierOptions{HTTP: client, Issuers: services.OIDCIssuers, Audience: "sigstore"})
	must(err)
	session := identity.NewSession(func(ctx context.Context) (string, error) {
		return actions.New(getenv, io.Discard).IDToken(ctx, client, "sigstore", retry.Policy{})
	}, verifier)
	token, err := session.Token(tb.Context())
	must(err)
	signer, err := keyless.New(keyless.Options{Services: services, HTTP: rt, Tokens: session.Token, Renew: session.Renew})
	must(err)
	store, err := store.NewGitHub(store.GitHubOptions{
		HTTP: rt, APIURL: env["GITHUB_API_URL"], ServerURL: env["GITHUB_SERVER_URL"],
		Repository: env["GITHUB_REPOSITORY"], Token: env["GITHUB_TOKEN"],
	})
	must(err)
	return &Run{
		World: w, Claims: token.Claims(), Instance: trust.Custom(services, material), Server: env["GITHUB_SERVER_URL"],
		Clients: registry.NewClients(registry.Options{Transport: rt}), Signer: signer, Store: store, tb: tb,
	}
}

// Repositories parses the names of repositories; a wrong one fails the test.
func (r *Run) Repositories(names ...string) []name.Repository {
	r.tb.Helper()
	var out []name.Repository
	for _, n := range names {
		repo, err := name.NewRepository(n, name.StrictValidation)
		if err != nil {
			r.tb.Fatal(err)
		}
		out = append(out, repo)
	}
	return out
}

// Build makes an image of the quickstart's layout; its name is its title, so that two images differ.
func (r *Run) Build(title string) image.Built {
	r.tb.Helper()
	source, err := image.SourceOf(release.OCISource{Paths: []string{"image"}})
	if err != nil {
		r.tb.Fatal(err)
	}
	b, err := image.Build(r.tb.Context(), image.Request{
		Name:        title,
		Env:         image.Env{Registry: r.Clients, Dir: quickstart(r.tb)},
		Source:      source,
		Annotations: []release.Annotation{{Key: "org.opencontainers.image.title", Value: title}},
	})
	if err != nil {
		r.tb.Fatal(err)
	}
	return b
}

// quickstart is the folder of the quickstart's layout: tests run in the folder of their package.
func quickstart(tb testing.TB) string {
	tb.Helper()
	dir, err := os.Getwd()
	for ; err == nil && dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		found := filepath.Join(dir, "testdata", "quickstart")
		if _, err := os.Stat(found); err == nil {
			return found
		}
	}
	tb.Fatalf("testdata/quickstart is not above this package: %v", err)
	return ""
}

// Push puts an image into the repositories, untagged.
func (r *Run) Push(b image.Built, repos ...name.Repository) push.Pushed {
	r.tb.Helper()
	p, err := push.Image(r.tb.Context(), r.Clients, b, repos, push.Options{})
	if err != nil {
		r.tb.Fatal(err)
	}
	return p
}

// Job attests an image as the pipeline does; the test may change it.
func (r *Run) Job(p push.Pushed) attest.Job {
	var repos, children []string
	for _, repo := range p.Repositories() {
		repos = append(repos, repo.Name())
	}
	for _, c := range p.Built().Manifests() {
		children = append(children, c.Digest.String())
	}
	digest := p.Built().Root().Digest.String()
	subjects := provenance.Subjects(repos, digest, children)
	wanted := r.Wanted(provenance.PredicateType, subjects, func(context.Context) ([]byte, error) {
		return provenance.Statement(provenance.Input{
			Claims: r.Claims, ServerURL: r.Server, Subjects: subjects, FinishedOn: time.Now().UTC().Truncate(time.Second),
		})
	})
	return attest.Job{
		Wanted: []attest.Wanted{wanted}, Signer: r.Signer, Stores: []store.Store{r.Store},
		Keep: func(attest.Attestation) error { return nil },
	}
}

// Wanted is an attestation that is reused by the reuse policy of this run. A nil statement makes one whose predicate is
// empty.
func (r *Run) Wanted(predicateType string, subjects []provenance.Subject, statement func(context.Context) ([]byte, error)) attest.Wanted {
	reuse := policy.Reuse{
		Trusted: r.Instance.Roots.Root, Requires: r.Instance.Requires, Claims: r.Claims, ServerURL: r.Server,
		Subjects: subjects, Digest: subjects[0].Digest, PredicateType: predicateType,
	}
	if statement == nil {
		statement = func(context.Context) ([]byte, error) { return emptyStatement(predicateType, subjects) }
	}
	return attest.Wanted{
		PredicateType: predicateType, Subjects: subjects, Statement: statement,
		Reusable: func(b *bundle.Bundle) error { _, err := reuse.Check(b); return err },
	}
}

func emptyStatement(predicateType string, subjects []provenance.Subject) ([]byte, error) {
	type subject struct {
		Name   string            `json:"name"`
		Digest map[string]string `json:"digest"`
	}
	var named []subject
	for _, s := range subjects {
		named = append(named, subject{s.Name, map[string]string{"sha256": strings.TrimPrefix(s.Digest, "sha256:")}})
	}
	return json.Marshal(map[string]any{
		"_type": "https://in-toto.io/Statement/v1", "subject": named, "predicateType": predicateType, "predicate": map[string]any{},
	})
}

// Attest makes or reuses the attestation of a pushed image.
func (r *Run) Attest(p push.Pushed) attest.Attested {
	r.tb.Helper()
	a, err := attest.Attest(r.tb.Context(), p, r.Job(p))
	if err != nil {
		r.tb.Fatal(err)
	}
	return a
}
