package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/taglast/taglast/internal/bundle"
	"github.com/taglast/taglast/internal/retry"
)

const lookBudget = 10 * time.Second // of one look for a bundle that may have been stored

// Put posts the bundle's canonical form. Where an answer was lost (no whole answer, or a server error), the store is
// asked whether it has the bundle before it is posted again; found there, the receipt is empty, because only the lost
// answer knew the id. Errors: ErrNoPermission, ErrPrivateUserRepository, ErrBadToken, or what GitHub said.
func (g *GitHub) Put(ctx context.Context, b *bundle.Bundle) (Receipt, error) {
	if b == nil || len(b.Digests()) == 0 {
		return Receipt{}, errors.New("store attestation: the bundle has no sha256 subject")
	}
	raw, err := b.Canonical()
	if err != nil {
		return Receipt{}, fmt.Errorf("store attestation: %w", err)
	}
	var receipt Receipt
	maybeStored := false
	err = g.api.Retry(ctx, func(ctx context.Context) error {
		if maybeStored {
			stored, err := g.contains(ctx, b)
			if stored || err != nil {
				return err
			}
		}
		id, maybe, err := g.api.CreateAttestation(ctx, g.scope, raw)
		if err == nil {
			receipt = Receipt{ID: id, URL: g.server + "/attestations/" + id}
		}
		maybeStored = maybeStored || maybe
		return err
	})
	if err != nil {
		return Receipt{}, fmt.Errorf("store attestation: %w", explain(err))
	}
	return receipt, nil
}

// contains reports whether the store has the bundle. It gives up soon: the caller looks again.
func (g *GitHub) contains(ctx context.Context, b *bundle.Bundle) (bool, error) {
	found, err := g.list(ctx, g.api.WithBudget(lookBudget), b.Digests()[0], b.PredicateType())
	for _, stored := range found {
		if stored.Bundle.Equal(b) {
			return true, nil
		}
	}
	if err == nil || isUnreadable(err) {
		return false, nil
	}
	err = fmt.Errorf("the answer was lost, and whether the bundle is stored cannot be seen: %w", err)
	if e := (*retry.Exhausted)(nil); errors.As(err, &e) {
		return false, retry.Transient(err, 0)
	}
	return false, err
}
