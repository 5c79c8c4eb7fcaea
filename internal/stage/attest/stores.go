package attest

import (
	"context"
	"fmt"

	"golang.org/x/sync/errgroup"

	"github.com/taglast/taglast/internal/bundle"
	"github.com/taglast/taglast/internal/store"
)

// listKey is what a store is asked for.
type listKey struct{ digest, predicateType string }

func keyOf(w Wanted) listKey { return listKey{w.digest(), w.PredicateType} }

// listAll asks every store once for each digest and predicate type, all at the same time; the lists are in the order of
// the stores. A store that lists some bundles and fails on others is no error: at worst a second attestation of the same
// digest is signed.
func listAll(ctx context.Context, job Job) (map[listKey][][]store.Stored, error) {
	listed := make(map[listKey][][]store.Stored)
	g, gctx := errgroup.WithContext(ctx)
	for _, w := range job.Wanted {
		key := keyOf(w)
		if listed[key] != nil {
			continue
		}
		lists := make([][]store.Stored, len(job.Stores))
		listed[key] = lists
		for i, s := range job.Stores {
			g.Go(func() error {
				found, err := s.List(gctx, key.digest, key.predicateType)
				if err != nil && len(found) == 0 {
					return fmt.Errorf("list the attestations of %s in store %s: %w", key.digest, s.Name(), err)
				}
				lists[i] = found
				return nil
			})
		}
	}
	return listed, g.Wait()
}

// storeAll stores every attestation in every store, and records what each gave back.
func storeAll(ctx context.Context, job Job, all []Attestation, listed map[listKey][][]store.Stored) error {
	g, gctx := errgroup.WithContext(ctx)
	receipts := make([][]store.Receipt, len(all))
	for n, a := range all {
		key := keyOf(job.Wanted[n])
		a.p.readBack = make([]ReadBack, len(job.Stores))
		receipts[n] = make([]store.Receipt, len(job.Stores))
		for i, s := range job.Stores {
			g.Go(func() error {
				back, receipt, err := storeOne(gctx, s, key, a.p.bundle, listed[key][i])
				a.p.readBack[i], receipts[n][i] = ReadBack{Store: s.Name(), Bundle: back}, receipt
				return err
			})
		}
	}
	err := g.Wait()
	for n, a := range all {
		a.p.receipts = make(map[string]store.Receipt, len(job.Stores))
		for i, s := range job.Stores {
			a.p.receipts[s.Name()] = receipts[n][i]
		}
	}
	return err
}

// storeOne stores b in s unless listed has it, and returns it as the store gives it back.
func storeOne(ctx context.Context, s store.Store, key listKey, b *bundle.Bundle, listed []store.Stored) (*bundle.Bundle, store.Receipt, error) {
	for _, stored := range listed {
		if b.Equal(stored.Bundle) {
			return stored.Bundle, store.Receipt{ID: stored.ID, URL: stored.URL}, nil
		}
	}
	receipt, err := s.Put(ctx, b)
	if err != nil {
		return nil, store.Receipt{}, fmt.Errorf("store %s: %s: %w", s.Name(), key.digest, err)
	}
	back, err := store.Poll(ctx, s, key.digest, key.predicateType, b)
	if err != nil {
		return nil, receipt, fmt.Errorf("store %s: %s: %w", s.Name(), key.digest, err)
	}
	return back, receipt, nil
}
