package prove_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/taglast/taglast/internal/bundle"
	"github.com/taglast/taglast/internal/policy"
	"github.com/taglast/taglast/internal/provenance"
	"github.com/taglast/taglast/internal/sandbox"
	"github.com/taglast/taglast/internal/stage/attest"
	"github.com/taglast/taglast/internal/stage/prove"
	"github.com/taglast/taglast/internal/store"
	"github.com/taglast/taglast/internal/testkit/releasetest"
	"github.com/taglast/taglast/internal/testkit/storetest"
)

func runOf(r *releasetest.Run) prove.Run {
	return prove.Run{Instance: r.Instance, Claims: r.Claims, ServerURL: r.Server}
}

// release takes an image through every stage up to its proof.
func release(t *testing.T, r *releasetest.Run, title string) prove.Proof {
	t.Helper()
	p, err := prove.Release(r.Attest(r.Push(r.Build(title), r.Repositories("ghcr.io/acme/app")...)), runOf(r))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestAProofHoldsWhatWasPushed(t *testing.T) {
	r := releasetest.New(t, sandbox.Options{})
	b := r.Build("app")
	repos := r.Repositories("ghcr.io/acme/app", "docker.io/acme/app", "quay.io/acme/app")
	p, err := prove.Release(r.Attest(r.Push(b, repos[:2]...)), runOf(r))
	if err != nil {
		t.Fatal(err)
	}
	if !p.Ok() || p.Image() != "app" || p.Root().Digest != b.Root().Digest || string(p.Root().Raw) != string(b.Root().Raw) {
		t.Errorf("proof of %s, %s", p.Image(), p.Root().Digest)
	}
	if !p.HasRepository(repos[0]) || !p.HasRepository(repos[1]) || p.HasRepository(repos[2]) {
		t.Errorf("the proof names %t, %t, %t", p.HasRepository(repos[0]), p.HasRepository(repos[1]), p.HasRepository(repos[2]))
	}
	if v := p.Verified(); len(v) != 1 || v[0].PredicateType != provenance.PredicateType || v[0].LogIndex < 0 {
		t.Errorf("verified %+v", v)
	}
	p.Verified()[0].PredicateType = "another"
	if p.Verified()[0].PredicateType != provenance.PredicateType {
		t.Error("what a proof gives out changes the proof")
	}
}

func TestReleaseRefusesAZeroAttested(t *testing.T) {
	if p, err := prove.Release(attest.Attested{}, prove.Run{}); !errors.Is(err, prove.ErrNotMade) || p.Ok() {
		t.Errorf("%v, proof %v", err, p.Ok())
	}
}

// fickle is a store whose lists are right until the attest stage is over: the signatures in them rot afterwards.
type fickle struct {
	name string
	store.Store
	given []*bundle.Bundle
}

func (s *fickle) Name() string { return s.name }

func (s *fickle) List(ctx context.Context, digest, predicateType string) ([]store.Stored, error) {
	found, err := s.Store.List(ctx, digest, predicateType)
	for _, f := range found {
		s.given = append(s.given, f.Bundle)
	}
	return found, err
}

func (s *fickle) rot() {
	for _, b := range s.given {
		if v, err := b.Verifiable(); err == nil {
			v.GetDsseEnvelope().GetSignatures()[0].Sig = []byte("rotten")
		}
	}
}

func TestReleaseChecksTheBundleOfEachStore(t *testing.T) {
	for _, c := range []struct {
		name   string
		reused bool
		rotten int // which store's, -1 for none
	}{
		{"all pass", false, -1},
		{"the first does not", false, 0},
		{"the second does not", false, 1},
		{"all pass, reused", true, -1},
		{"the first does not, reused", true, 0},
		{"the second does not, reused", true, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := releasetest.New(t, sandbox.Options{})
			stores := []*fickle{
				{name: "one", Store: r.Store},
				{name: "two", Store: storetest.NewMemory("two")},
			}
			pushed := r.Push(r.Build("app"), r.Repositories("ghcr.io/acme/app")...)
			job := r.Job(pushed)
			job.Stores = []store.Store{stores[0], stores[1]}
			attest := func() attest.Attested {
				a, err := attest.Attest(t.Context(), pushed, job)
				if err != nil {
					t.Fatal(err)
				}
				return a
			}
			a := attest()
			if c.reused {
				a = attest()
			}
			if one := a.Attestations()[0]; one.Reused() != c.reused || len(one.ReadBack()) != 2 {
				t.Fatalf("reused %v, read back from %d stores", one.Reused(), len(one.ReadBack()))
			}
			if c.rotten >= 0 {
				stores[c.rotten].rot()
			}
			p, err := prove.Release(a, runOf(r))
			if c.rotten < 0 {
				if err != nil || !p.Ok() {
					t.Fatal(err)
				}
				return
			}
			if err == nil || p.Ok() || !strings.Contains(err.Error(), "in store "+stores[c.rotten].name) {
				t.Errorf("%v, proof %v", err, p.Ok())
			}
		})
	}
}

func TestReleaseHoldsABundleToThisRun(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*prove.Run)
		want   string
	}{
		{"another repository", func(r *prove.Run) { r.Claims.Repository, r.Claims.RepositoryID = "acme/other", "9" }, "source repository"},
		{"another commit", func(r *prove.Run) { r.Claims.SHA = strings.Repeat("b", 40) }, ""},
		{"another ref", func(r *prove.Run) { r.Claims.Ref = "refs/heads/main" }, ""},
		{"another workflow", func(r *prove.Run) {
			r.Claims.JobWorkflowRef = "acme/app/.github/workflows/other.yml@refs/tags/v1.2.3"
		}, ""},
		{"another run, which did not sign this", func(r *prove.Run) { r.Claims.RunID = "77" }, ""},
		{"another server", func(r *prove.Run) { r.ServerURL = "https://github.example" }, ""},
		{"other roots", func(r *prove.Run) { r.Instance = releasetest.New(t, sandbox.Options{}).Instance }, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := releasetest.New(t, sandbox.Options{})
			a := r.Attest(r.Push(r.Build("app"), r.Repositories("ghcr.io/acme/app")...))
			run := runOf(r)
			c.change(&run)
			if p, err := prove.Release(a, run); err == nil || p.Ok() || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, proof %v", err, p.Ok())
			}
		})
	}
}

// TestReleaseComparesTheStatement lets the signer sign something else than it was asked to.
func TestReleaseComparesTheStatement(t *testing.T) {
	r := releasetest.New(t, sandbox.Options{})
	pushed := r.Push(r.Build("app"), r.Repositories("ghcr.io/acme/app")...)
	job := r.Job(pushed)
	job.Signer = signerFunc(func(ctx context.Context, statement []byte) (*bundle.Bundle, error) {
		return r.Signer.Sign(ctx, []byte(strings.Replace(string(statement), "ghcr.io/acme/app", "ghcr.io/acme/xyz", 1)))
	})
	a, err := attest.Attest(t.Context(), pushed, job)
	if err != nil {
		t.Fatal(err)
	}
	if p, err := prove.Release(a, runOf(r)); err == nil || p.Ok() || !strings.Contains(err.Error(), "statement") {
		t.Errorf("%v, proof %v", err, p.Ok())
	}
}

type signerFunc func(context.Context, []byte) (*bundle.Bundle, error)

func (f signerFunc) Sign(ctx context.Context, statement []byte) (*bundle.Bundle, error) {
	return f(ctx, statement)
}

// TestReleaseReusesAnEarlierRunsAttestation: of another run the reuse policy is asked, and its mistakes are not mended.
func TestReleaseReusesAnEarlierRunsAttestation(t *testing.T) {
	first := releasetest.New(t, sandbox.Options{})
	first.Attest(first.Push(first.Build("app"), first.Repositories("ghcr.io/acme/app")...))
	next := first.World.Identity()
	next.RunID = "4004"
	first.World.SetIdentity(next)
	r := releasetest.In(t, first.World, first.World)
	a := r.Attest(r.Push(r.Build("app"), r.Repositories("ghcr.io/acme/app")...))
	if !a.Attestations()[0].Reused() {
		t.Fatal("it was not reused")
	}
	p, err := prove.Release(a, runOf(r))
	if err != nil || !strings.Contains(p.Verified()[0].Certificate.RunInvocationURI, "/3003/") {
		t.Errorf("%v %+v", err, p)
	}
	// A careless attest stage that reuses what it must not is stopped here.
	pushed := r.Push(r.Build("app"), r.Repositories("quay.io/acme/app")...)
	job := r.Job(pushed)
	job.Wanted[0].Reusable = func(*bundle.Bundle) error { return nil }
	careless, err := attest.Attest(t.Context(), pushed, job)
	if err != nil || !careless.Attestations()[0].Reused() {
		t.Fatal(err)
	}
	var mismatch *policy.MismatchError
	if p, err := prove.Release(careless, runOf(r)); !errors.As(err, &mismatch) || mismatch.Field != "statement subject" || p.Ok() {
		t.Errorf("%v, proof %v", err, p.Ok())
	}
}

const sbom = "https://spdx.dev/Document/v2.3"

// TestReleaseProvesEveryAttestation: provenance of the index, and one of another type about its manifests.
func TestReleaseProvesEveryAttestation(t *testing.T) {
	r := releasetest.New(t, sandbox.Options{})
	pushed := r.Push(r.Build("app"), r.Repositories("ghcr.io/acme/app")...)
	var children []provenance.Subject
	for _, c := range pushed.Built().Manifests() {
		children = append(children, provenance.Subject{Name: "ghcr.io/acme/app", Digest: c.Digest.String()})
	}
	if len(children) < 2 {
		t.Fatalf("%d manifests: this test needs two", len(children))
	}
	complete := func(children ...provenance.Subject) error {
		job := r.Job(pushed)
		for _, child := range children {
			job.Wanted = append(job.Wanted, r.Wanted(sbom, []provenance.Subject{child}, nil))
		}
		a, err := attest.Attest(t.Context(), pushed, job)
		if err != nil {
			t.Fatal(err)
		}
		p, err := prove.Release(a, runOf(r))
		if err != nil {
			t.Fatal(err)
		}
		verified := p.Verified()
		if len(verified) != 1+len(children) || verified[0].PredicateType != provenance.PredicateType {
			t.Fatalf("%d attestations are proved", len(verified))
		}
		for i, child := range children {
			if v := verified[1+i]; v.PredicateType != sbom || !slices.Contains(v.Subjects, child) {
				t.Errorf("%s about %v", v.PredicateType, v.Subjects)
			}
		}
		_, err = prove.All([]prove.Required{{Image: "app", SBOM: true}}, []prove.Proof{p})
		return err
	}
	if err := complete(children...); err != nil {
		t.Error(err)
	}
	for name, lacking := range map[string][]provenance.Subject{"no manifest": nil, "one manifest alone": children[:1]} {
		if err := complete(lacking...); err == nil || !strings.Contains(err.Error(), "no attested SBOM") {
			t.Errorf("%s has one: %v", name, err)
		}
	}
}

// TestEveryPlatformNeedsItsSBOM: in whatever format; one of the index, or of one platform, is not enough.
func TestEveryPlatformNeedsItsSBOM(t *testing.T) {
	r := releasetest.New(t, sandbox.Options{})
	pushed := r.Push(r.Build("app"), r.Repositories("ghcr.io/acme/app")...)
	about := func(digest string) []provenance.Subject {
		return []provenance.Subject{{Name: "ghcr.io/acme/app", Digest: digest}}
	}
	root := about(pushed.Built().Root().Digest.String())
	first, second := about(pushed.Built().Manifests()[0].Digest.String()), about(pushed.Built().Manifests()[1].Digest.String())
	const cycloneDX = "https://cyclonedx.org/bom"
	for _, c := range []struct {
		name  string
		extra []attest.Wanted
		want  string // part of the error; empty: it passes
	}{
		{"each in the same format", []attest.Wanted{r.Wanted(sbom, first, nil), r.Wanted(sbom, second, nil)}, ""},
		{"each in a format of its own", []attest.Wanted{r.Wanted(sbom, first, nil), r.Wanted(cycloneDX, second, nil)}, ""},
		{"none", nil, "image app has no attested SBOM of " + first[0].Digest},
		{"one of the index alone", []attest.Wanted{r.Wanted(sbom, root, nil)}, "image app has no attested SBOM of " + first[0].Digest},
		{"one platform's alone", []attest.Wanted{r.Wanted(sbom, first, nil)}, "image app has no attested SBOM of " + second[0].Digest},
		{"something else of the other", []attest.Wanted{r.Wanted(sbom, first, nil), r.Wanted("https://example.com/scan", second, nil)}, "no attested SBOM of " + second[0].Digest},
		{"one that names the other beside its own", []attest.Wanted{r.Wanted(sbom, append(slices.Clone(first), second...), nil)}, "no attested SBOM of " + second[0].Digest},
	} {
		t.Run(c.name, func(t *testing.T) {
			job := r.Job(pushed)
			job.Wanted = append(job.Wanted, c.extra...)
			a, err := attest.Attest(t.Context(), pushed, job)
			if err != nil {
				t.Fatal(err)
			}
			p, err := prove.Release(a, runOf(r))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := prove.All([]prove.Required{{Image: "app"}}, []prove.Proof{p}); err != nil {
				t.Errorf("where none is asked for: %v", err)
			}
			complete, err := prove.All([]prove.Required{{Image: "app", SBOM: true}}, []prove.Proof{p})
			if complete.Ok() != (c.want == "") || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("complete %v, %v", complete.Ok(), err)
			}
		})
	}
}

// TestProvenanceOfAManifestIsNotThatOfTheImage: tags name the root.
func TestProvenanceOfAManifestIsNotThatOfTheImage(t *testing.T) {
	r := releasetest.New(t, sandbox.Options{})
	pushed := r.Push(r.Build("app"), r.Repositories("ghcr.io/acme/app")...)
	job := r.Job(pushed)
	child := pushed.Built().Manifests()[0].Digest.String()
	slices.SortStableFunc(job.Wanted[0].Subjects, func(a, b provenance.Subject) int {
		return strings.Compare(map[bool]string{true: "0", false: "1"}[a.Digest == child], map[bool]string{true: "0", false: "1"}[b.Digest == child])
	})
	a, err := attest.Attest(t.Context(), pushed, job)
	if err != nil {
		t.Fatal(err)
	}
	p, err := prove.Release(a, runOf(r))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := prove.All([]prove.Required{{Image: "app"}}, []prove.Proof{p}); err == nil || !strings.Contains(err.Error(), "no attestation of type") {
		t.Errorf("got %v", err)
	}
}

// TestReleaseChecksTheSubjectsOfEachAttestation: the statement leaves out what was wanted.
func TestReleaseChecksTheSubjectsOfEachAttestation(t *testing.T) {
	r := releasetest.New(t, sandbox.Options{})
	pushed := r.Push(r.Build("app"), r.Repositories("ghcr.io/acme/app")...)
	job := r.Job(pushed)
	job.Wanted[0].Subjects = append(job.Wanted[0].Subjects, provenance.Subject{Name: "quay.io/acme/app", Digest: job.Wanted[0].Subjects[0].Digest})
	a, err := attest.Attest(t.Context(), pushed, job)
	if err != nil {
		t.Fatal(err)
	}
	var mismatch *policy.MismatchError
	if p, err := prove.Release(a, runOf(r)); !errors.As(err, &mismatch) || mismatch.Field != "statement subject" || p.Ok() {
		t.Errorf("%v, proof %v", err, p.Ok())
	}
}

func TestAllIsTheBarrier(t *testing.T) {
	r := releasetest.New(t, sandbox.Options{})
	app, cli := release(t, r, "app"), release(t, r, "cli")
	plan := []prove.Required{{Image: "app"}, {Image: "cli"}}
	for _, c := range []struct {
		name   string
		plan   []prove.Required
		proofs []prove.Proof
		want   string // part of the error; empty: it passes
	}{
		{"a proof for each", plan, []prove.Proof{cli, app}, ""},
		{"no plan", nil, nil, "a plan without images"},
		{"no plan, but a proof", nil, []prove.Proof{app}, "a plan without images"},
		{"none of the proofs", plan, nil, "image app has no proof"},
		{"one proof is missing", plan, []prove.Proof{app}, "image cli has no proof"},
		{"two for one image", plan, []prove.Proof{app, app, cli}, "two proofs for image app"},
		{"one for a stranger", plan[:1], []prove.Proof{app, cli}, "a proof for image cli, which the plan does not have"},
		{"an image twice in the plan", append(slices.Clone(plan), plan[0]), []prove.Proof{app, cli}, "image app stands twice in the plan"},
		{"a required attestation is missing", []prove.Required{{Image: "app", SBOM: true}}, []prove.Proof{app}, "no attested SBOM"},
		{"a zero proof", plan, []prove.Proof{app, {}, cli}, prove.ErrNotMade.Error()},
	} {
		t.Run(c.name, func(t *testing.T) {
			complete, err := prove.All(c.plan, c.proofs)
			if c.want == "" {
				if err != nil || !complete.Ok() {
					t.Fatal(err)
				}
				for _, want := range c.plan {
					if p, ok := complete.Proof(want.Image); !ok || p.Image() != want.Image {
						t.Errorf("no proof of %s in it", want.Image)
					}
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), c.want) || complete.Ok() {
				t.Errorf("%v, complete %v", err, complete.Ok())
			}
			if _, ok := complete.Proof("app"); ok {
				t.Error("a refused Complete gives proofs out")
			}
		})
	}
}
