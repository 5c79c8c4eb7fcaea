package attest_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/taglast/taglast/internal/bundle"
	"github.com/taglast/taglast/internal/provenance"
	"github.com/taglast/taglast/internal/sandbox"
	"github.com/taglast/taglast/internal/stage/attest"
	"github.com/taglast/taglast/internal/stage/push"
	"github.com/taglast/taglast/internal/store"
	"github.com/taglast/taglast/internal/testkit/releasetest"
	"github.com/taglast/taglast/internal/testkit/storetest"
)

// noted is a store that writes down what is asked of it.
type noted struct {
	name string
	store.Store
	put  error // what Put answers, and stores nothing
	list error // what List answers
	log  *diary
}

// diary is what happened, in order.
type diary struct {
	mu    sync.Mutex
	lines []string
}

func (d *diary) note(line string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lines = append(d.lines, line)
}

func (d *diary) count(line string) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	n := 0
	for _, l := range d.lines {
		if l == line {
			n++
		}
	}
	return n
}

func (s *noted) Name() string { return s.name }

func (s *noted) Put(ctx context.Context, b *bundle.Bundle) (store.Receipt, error) {
	s.log.note("put " + s.name)
	if s.put != nil {
		return store.Receipt{}, s.put
	}
	return s.Store.Put(ctx, b)
}

func (s *noted) List(ctx context.Context, digest, predicateType string) ([]store.Stored, error) {
	s.log.note("list " + s.name)
	if s.list != nil {
		return nil, s.list
	}
	return s.Store.List(ctx, digest, predicateType)
}

// stage is one image that is pushed, two stores, and the job that attests it.
type stage struct {
	run    *releasetest.Run
	pushed push.Pushed
	stores []*noted
	job    attest.Job
	diary  *diary
	kept   []*bundle.Bundle
}

func newStage(t *testing.T) *stage {
	t.Helper()
	r := releasetest.New(t, sandbox.Options{})
	s := &stage{run: r, diary: &diary{}, pushed: r.Push(r.Build("app"), r.Repositories("ghcr.io/acme/app")...)}
	s.stores = []*noted{
		{name: "one", Store: r.Store, log: s.diary},
		{name: "two", Store: storetest.NewMemory("two"), log: s.diary},
	}
	s.job = r.Job(s.pushed)
	s.job.Stores = []store.Store{s.stores[0], s.stores[1]}
	s.job.Keep = func(a attest.Attestation) error {
		s.diary.note("keep")
		s.kept = append(s.kept, a.Bundle())
		return nil
	}
	statement := s.job.Wanted[0].Statement
	s.job.Wanted[0].Statement = func(ctx context.Context) ([]byte, error) {
		s.diary.note("sign")
		return statement(ctx)
	}
	return s
}

func (s *stage) attest(t *testing.T) (attest.Attested, error) {
	t.Helper()
	return attest.Attest(t.Context(), s.pushed, s.job)
}

func TestAttestSignsKeepsStoresAndReadsBack(t *testing.T) {
	s := newStage(t)
	a, err := s.attest(t)
	if err != nil {
		t.Fatal(err)
	}
	if !a.Ok() || a.Pushed().Built().Name() != "app" || len(a.Attestations()) != 1 {
		t.Fatalf("%+v", a)
	}
	one, wanted := a.Attestations()[0], s.job.Wanted[0]
	if one.Reused() || len(one.Statement()) == 0 || !slices.Equal(one.Subjects(), wanted.Subjects) ||
		one.PredicateType() != provenance.PredicateType || one.Digest() != s.pushed.Built().Root().Digest.String() {
		t.Errorf("%+v", one)
	}
	if len(s.kept) != 1 || !s.kept[0].Equal(one.Bundle()) {
		t.Errorf("%d bundles were kept", len(s.kept))
	}
	back := one.ReadBack()
	if len(back) != 2 || back[0].Store != "one" || back[1].Store != "two" {
		t.Fatalf("read back %+v", back)
	}
	for _, b := range back {
		if !one.Bundle().Equal(b.Bundle) {
			t.Errorf("store %s gave another bundle back", b.Store)
		}
	}
	if one.Receipt("one").ID == "" || one.Receipt("one").URL == "" || one.Receipt("two").ID == "" || one.Receipt("two").URL != "" || one.Receipt("three") != (store.Receipt{}) {
		t.Errorf("receipts %+v %+v", one.Receipt("one"), one.Receipt("two"))
	}
	// Nothing is stored before it is kept, nothing kept before it is looked for.
	keep := slices.Index(s.diary.lines, "keep")
	for i, line := range s.diary.lines {
		if strings.HasPrefix(line, "put ") && i < keep {
			t.Errorf("%q before the bundle is on disk: %v", line, s.diary.lines)
		}
	}
	if s.diary.count("put one") != 1 || s.diary.count("put two") != 1 || s.diary.count("sign") != 1 {
		t.Errorf("%v", s.diary.lines)
	}
}

func TestAttestReusesAndCopiesToStoresThatLackIt(t *testing.T) {
	for _, c := range []struct {
		name string
		has  []int // stores that have it already
	}{
		{"the first has it", []int{0}},
		{"the second has it", []int{1}},
		{"both have it", []int{0, 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newStage(t)
			first := s.job
			first.Stores = nil
			for _, i := range c.has {
				first.Stores = append(first.Stores, s.stores[i])
			}
			made, err := attest.Attest(t.Context(), s.pushed, first)
			if err != nil {
				t.Fatal(err)
			}
			before := made.Attestations()[0]
			s.diary.lines = nil
			again, err := s.attest(t)
			if err != nil {
				t.Fatal(err)
			}
			a := again.Attestations()[0]
			if !a.Reused() || !a.Bundle().Equal(before.Bundle()) || s.diary.count("sign") != 0 || s.diary.count("keep") != 1 {
				t.Errorf("reused %v: %v", a.Reused(), s.diary.lines)
			}
			for i, st := range s.stores {
				want := 1
				if slices.Contains(c.has, i) {
					want = 0
				}
				if got := s.diary.count("put " + st.name); got != want {
					t.Errorf("store %s: %d puts, want %d", st.name, got, want)
				}
			}
			for _, b := range a.ReadBack() {
				if !before.Bundle().Equal(b.Bundle) {
					t.Errorf("store %s gave another bundle back", b.Store)
				}
			}
		})
	}
}

func TestAttestSignsAnewWhereNothingMayBeReused(t *testing.T) {
	s := newStage(t)
	if _, err := s.attest(t); err != nil {
		t.Fatal(err)
	}
	s.job.Wanted[0].Reusable = func(*bundle.Bundle) error { return errors.New("of another commit") }
	a, err := s.attest(t)
	if err != nil || a.Attestations()[0].Reused() || s.diary.count("sign") != 2 || s.diary.count("put one") != 2 {
		t.Errorf("%v: %v", err, s.diary.lines)
	}
}

// TestAttestPassesOverWhatIsNotReusable: of several stored bundles the one that passes is taken.
func TestAttestPassesOverWhatIsNotReusable(t *testing.T) {
	s := newStage(t)
	a, err := s.attest(t)
	if err != nil {
		t.Fatal(err)
	}
	digest := s.pushed.Built().Root().Digest.String()
	for _, salt := range []string{"a", "b"} { // newer than the good one, so listed before it
		if _, err := s.run.Store.Put(t.Context(), storetest.Bundle(t, salt, provenance.PredicateType, digest)); err != nil {
			t.Fatal(err)
		}
	}
	again, err := s.attest(t)
	if err != nil || !again.Attestations()[0].Reused() || !a.Attestations()[0].Bundle().Equal(again.Attestations()[0].Bundle()) {
		t.Errorf("%v", err)
	}
}

func TestAttestStopsAtTheFirstFailure(t *testing.T) {
	broken := errors.New("broken")
	for _, c := range []struct {
		name   string
		change func(*stage)
		want   string
		puts   bool // may a store have been written
	}{
		{"no store", func(s *stage) { s.job.Stores = nil }, "a job needs a store", false},
		{"no Keep", func(s *stage) { s.job.Keep = nil }, "a job needs a store and Keep", false},
		{"no Reusable", func(s *stage) { s.job.Wanted[0].Reusable = nil }, "needs Reusable and Statement", false},
		{"nothing is wanted", func(s *stage) { s.job.Wanted = nil }, "wants no attestation", false},
		{"no predicate type", func(s *stage) { s.job.Wanted[0].PredicateType = "" }, "without a predicate type", false},
		{"no subject", func(s *stage) { s.job.Wanted[0].Subjects = nil }, "is not a manifest of image app", false},
		{"a subject that is not of this image", func(s *stage) {
			s.job.Wanted[0].Subjects = []provenance.Subject{{Name: "ghcr.io/acme/app", Digest: storetest.Digest('a')}}
		}, "is not a manifest of image app", false},
		{"a statement of another type", func(s *stage) { s.job.Wanted[0].PredicateType = sbom }, "not a statement of type " + sbom, false},
		{"a store that cannot be asked", func(s *stage) { s.stores[1].list = broken }, "in store two: broken", false},
		{"no statement", func(s *stage) {
			s.job.Wanted[0].Statement = func(context.Context) ([]byte, error) { return nil, broken }
		}, "broken", false},
		{"the bundle cannot be kept", func(s *stage) { s.job.Keep = func(attest.Attestation) error { return broken } }, "keep the bundle of sha256:", false},
		{"a store refuses", func(s *stage) { s.stores[1].put = broken }, "store two: sha256:", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newStage(t)
			c.change(s)
			a, err := s.attest(t)
			if err == nil || a.Ok() || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, made %v", err, a.Ok())
			}
			if puts := s.diary.count("put one") + s.diary.count("put two"); !c.puts && puts > 0 {
				t.Errorf("%v", s.diary.lines)
			}
		})
	}
}

func TestAttestRefusesAZeroPushed(t *testing.T) {
	s := newStage(t)
	if a, err := attest.Attest(t.Context(), push.Pushed{}, s.job); err == nil || a.Ok() || len(s.diary.lines) > 0 {
		t.Errorf("%v, made %v, %v", err, a.Ok(), s.diary.lines)
	}
}

const sbom = "https://spdx.dev/Document/v2.3"

// children are subjects for each platform's manifest of the image, under its repository.
func (s *stage) children() []provenance.Subject {
	var out []provenance.Subject
	for _, c := range s.pushed.Built().Manifests() {
		out = append(out, provenance.Subject{Name: "ghcr.io/acme/app", Digest: c.Digest.String()})
	}
	return out
}

func TestAttestMakesEveryWantedAttestation(t *testing.T) {
	s := newStage(t)
	child := s.children()[:1]
	s.job.Wanted = append(s.job.Wanted, s.run.Wanted(sbom, child, nil))
	keep := s.job.Keep
	s.job.Keep = func(a attest.Attestation) error {
		if len(a.ReadBack()) > 0 {
			t.Error("it was read back before it was kept")
		}
		return keep(a)
	}
	a, err := s.attest(t)
	if err != nil {
		t.Fatal(err)
	}
	all := a.Attestations()
	if len(all) != 2 || len(s.kept) != 2 || all[1].PredicateType() != sbom || all[1].Digest() != child[0].Digest {
		t.Fatalf("%d attestations, %d kept", len(all), len(s.kept))
	}
	last := len(s.diary.lines) - 1 - slices.Index(slices.Collect(reversed(s.diary.lines)), "keep")
	for i, line := range s.diary.lines {
		if strings.HasPrefix(line, "put ") && i < last {
			t.Errorf("%q before every bundle is on disk: %v", line, s.diary.lines)
		}
	}
	for i, one := range all {
		if !s.kept[i].Equal(one.Bundle()) || len(one.ReadBack()) != 2 || !one.Bundle().HasSubject(one.Digest()) {
			t.Errorf("%s: read back from %d stores", one.PredicateType(), len(one.ReadBack()))
		}
	}
	if s.diary.count("put one") != 2 || s.diary.count("put two") != 2 {
		t.Errorf("%v", s.diary.lines)
	}
	again, err := s.attest(t)
	if err != nil || !again.Attestations()[0].Reused() || !again.Attestations()[1].Reused() || s.diary.count("put one") != 2 {
		t.Errorf("%v: %v", err, s.diary.lines)
	}
}

func reversed(lines []string) func(func(string) bool) {
	return func(yield func(string) bool) {
		for _, line := range slices.Backward(lines) {
			if !yield(line) {
				return
			}
		}
	}
}

// TestAttestListsEachStoreOnce: for a digest and predicate type that two attestations share.
func TestAttestListsEachStoreOnce(t *testing.T) {
	s := newStage(t)
	if _, err := s.attest(t); err != nil { // now a list is all that is needed
		t.Fatal(err)
	}
	s.diary.lines = nil
	s.job.Wanted = append(s.job.Wanted, s.job.Wanted[0])
	if _, err := s.attest(t); err != nil {
		t.Fatal(err)
	}
	if s.diary.count("list one") != 1 || s.diary.count("list two") != 1 {
		t.Errorf("%v", s.diary.lines)
	}
}
