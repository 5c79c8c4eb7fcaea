// Package storetest is the suite that every store of bundles passes, so that the stage that uses stores need not know
// which one it has.
package storetest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/taglast/taglast/internal/bundle"
	"github.com/taglast/taglast/internal/store"
)

const (
	provenance = "https://slsa.dev/provenance/v1"
	sbom       = "https://spdx.dev/Document/v2.3"
)

// Test runs the suite. newStore makes an empty store for each test, in a synctest bubble: paces and waits cost no time,
// and the store must not use a real network.
func Test(t *testing.T, newStore func(t *testing.T) store.Store) {
	for _, c := range []struct {
		name string
		run  func(*testing.T, context.Context, store.Store)
	}{
		{"the preflight of a healthy store passes and leaves nothing", preflight},
		{"an empty store lists nothing, without error", empty},
		{"a bundle is listed under each of its subjects", eachSubject},
		{"a bundle comes back as the same message", sameMessage},
		{"bundles are told apart by predicate type", predicateTypes},
		{"a bundle put twice does no harm", twice},
		{"more than a page of bundles is listed whole", manyBundles},
		{"bundles put at the same time are all kept", concurrent},
		{"a bundle that names nothing is refused", namesNothing},
		{"what is not a sha256 digest is refused", notADigest},
		{"nothing is done under a context that has ended", ended},
		{"poll finds the bundle that was put", poll},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { c.run(t, t.Context(), newStore(t)) })
		})
	}
}

func preflight(t *testing.T, ctx context.Context, s store.Store) {
	if s.Name() == "" {
		t.Error("the store has no name")
	}
	if err := s.Preflight(ctx); err != nil {
		t.Fatal(err)
	}
	if got := list(t, ctx, s, Digest('a'), provenance); len(got) != 0 {
		t.Errorf("the store lists %d bundles after a preflight", len(got))
	}
}

func empty(t *testing.T, ctx context.Context, s store.Store) {
	if got := list(t, ctx, s, Digest('a'), provenance); len(got) != 0 {
		t.Errorf("got %d bundles", len(got))
	}
}

func eachSubject(t *testing.T, ctx context.Context, s store.Store) {
	b := Bundle(t, "", provenance, Digest('a'), Digest('b'))
	put(t, ctx, s, b)
	for _, digest := range []string{Digest('a'), Digest('b')} {
		expect(t, list(t, ctx, s, digest, provenance), b)
	}
	expect(t, list(t, ctx, s, Digest('c'), provenance))
}

func sameMessage(t *testing.T, ctx context.Context, s store.Store) {
	b := Bundle(t, "", provenance, Digest('a'))
	put(t, ctx, s, b)
	var spaced bytes.Buffer
	if err := json.Indent(&spaced, b.Raw(), "", "  "); err != nil {
		t.Fatal(err)
	}
	same, err := bundle.Parse(spaced.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if got := list(t, ctx, s, Digest('a'), provenance); len(got) != 1 || !same.Equal(got[0].Bundle) {
		t.Errorf("got %d bundles, none equal to the one put, or several", len(got))
	}
}

func predicateTypes(t *testing.T, ctx context.Context, s store.Store) {
	p, d := Bundle(t, "", provenance, Digest('a')), Bundle(t, "", sbom, Digest('a'))
	put(t, ctx, s, p)
	put(t, ctx, s, d)
	expect(t, list(t, ctx, s, Digest('a'), provenance), p)
	expect(t, list(t, ctx, s, Digest('a'), sbom), d)
	expect(t, list(t, ctx, s, Digest('a'), ""), p, d)
}

func twice(t *testing.T, ctx context.Context, s store.Store) {
	b := Bundle(t, "", provenance, Digest('a'))
	put(t, ctx, s, b)
	put(t, ctx, s, b)
	got := list(t, ctx, s, Digest('a'), provenance)
	if len(got) == 0 {
		t.Fatal("no bundle is listed")
	}
	for _, g := range got {
		if !b.Equal(g.Bundle) {
			t.Error("another bundle is listed")
		}
	}
}

func manyBundles(t *testing.T, ctx context.Context, s store.Store) {
	var want []*bundle.Bundle
	for i := range 230 {
		b := Bundle(t, fmt.Sprint(i), provenance, Digest('a'))
		want = append(want, b)
		put(t, ctx, s, b)
	}
	expect(t, list(t, ctx, s, Digest('a'), provenance), want...)
}

func concurrent(t *testing.T, ctx context.Context, s store.Store) {
	var want []*bundle.Bundle
	var g errgroup.Group
	for i := range 20 {
		b := Bundle(t, fmt.Sprint(i), provenance, Digest('a'))
		want = append(want, b)
		g.Go(func() error {
			_, err := s.Put(ctx, b)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	expect(t, list(t, ctx, s, Digest('a'), provenance), want...)
}

func namesNothing(t *testing.T, ctx context.Context, s store.Store) {
	empty, err := bundle.Parse([]byte(`{"mediaType":"x"}`))
	if err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string]*bundle.Bundle{
		"none": nil, "one without a statement": empty, "one without a subject": Bundle(t, "", provenance),
	} {
		if _, err := s.Put(ctx, b); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
}

func notADigest(t *testing.T, ctx context.Context, s store.Store) {
	for _, digest := range []string{"", "sha256:", "sha256:../../x", Digest('A'), "sha512:" + Digest('a')[7:], Digest('a') + "?x"} {
		if _, err := s.List(ctx, digest, provenance); err == nil {
			t.Errorf("%q was taken", digest)
		}
	}
}

func ended(t *testing.T, ctx context.Context, s store.Store) {
	ctx, cancel := context.WithCancel(ctx)
	cancel()
	b := Bundle(t, "", provenance, Digest('a'))
	if _, err := s.Put(ctx, b); err == nil {
		t.Error("Put gave no error")
	}
	if err := s.Preflight(ctx); err == nil {
		t.Error("Preflight gave no error")
	}
	if _, err := store.Poll(ctx, s, Digest('a'), provenance, b); err == nil {
		t.Error("Poll gave no error")
	}
}

func poll(t *testing.T, ctx context.Context, s store.Store) {
	b := Bundle(t, "ours", provenance, Digest('a'))
	put(t, ctx, s, Bundle(t, "another", provenance, Digest('a')))
	put(t, ctx, s, b)
	got, err := store.Poll(ctx, s, Digest('a'), provenance, b)
	if err != nil {
		t.Fatal(err)
	}
	if !b.Equal(got) {
		t.Error("poll gave another bundle")
	}
}

func put(t *testing.T, ctx context.Context, s store.Store, b *bundle.Bundle) {
	t.Helper()
	if _, err := s.Put(ctx, b); err != nil {
		t.Fatal(err)
	}
}

// list looks a minute later, in no time: a store may show what it took with a delay.
func list(t *testing.T, ctx context.Context, s store.Store, digest, predicateType string) []store.Stored {
	t.Helper()
	time.Sleep(time.Minute)
	got, err := s.List(ctx, digest, predicateType)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// expect wants each bundle once, in any order, and no other.
func expect(t *testing.T, got []store.Stored, want ...*bundle.Bundle) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("got %d bundles, want %d", len(got), len(want))
	}
	for i, w := range want {
		found := 0
		for _, g := range got {
			if w.Equal(g.Bundle) {
				found++
			}
		}
		if found != 1 {
			t.Errorf("bundle %d is listed %d times", i, found)
		}
	}
}
