package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/taglast/taglast/internal/bundle"
	"github.com/taglast/taglast/internal/retry"
)

const (
	maxCreated = 1 << 20 // bytes of the answer to a create call
	lookBudget = 10 * time.Second
)

// Put posts the bundle's canonical form. Where an answer was lost (no whole answer, or a server error), the store is asked whether it has
// the bundle before it is posted again; found there, the receipt is empty, because only the lost answer knew the id.
// Errors: ErrNoPermission, ErrPrivateUserRepository, ErrBadToken, or what GitHub said.
func (g *GitHub) Put(ctx context.Context, b *bundle.Bundle) (Receipt, error) {
	body, err := envelope(b)
	if err != nil {
		return Receipt{}, fmt.Errorf("store attestation: %w", err)
	}
	var receipt Receipt
	doubt := false
	err = g.api.try(ctx, g.api.policy, func(ctx context.Context) error {
		if doubt {
			there, err := g.has(ctx, b)
			if there || err != nil {
				return err
			}
		}
		if err := g.pace.Wait(ctx); err != nil {
			return err
		}
		var lost bool
		var err error
		receipt, lost, err = g.post(ctx, body)
		doubt = doubt || lost
		return err
	})
	if err != nil {
		return Receipt{}, fmt.Errorf("store attestation: %w", explain(err))
	}
	return receipt, nil
}

// post sends one create call. lost says that a failed one may have stored the bundle all the same.
func (g *GitHub) post(ctx context.Context, body []byte) (r Receipt, lost bool, err error) {
	got, err := g.api.call(ctx, http.MethodPost, g.create(), body, maxCreated)
	if s := (*retry.StatusError)(nil); errors.As(err, &s) {
		return Receipt{}, s.Status >= 500 || s.Status == http.StatusRequestTimeout, err
	}
	if err != nil {
		return Receipt{}, true, err
	}
	var created struct {
		ID json.Number `json:"id"`
	}
	err = json.Unmarshal(got.body, &created)
	id, bad := strconv.ParseUint(created.ID.String(), 10, 64)
	if err != nil || bad != nil {
		return Receipt{}, true, retry.Transient(fmt.Errorf("POST %s: the answer has no id", bare(g.create())), 0)
	}
	text := strconv.FormatUint(id, 10)
	return Receipt{ID: text, URL: g.server + "/attestations/" + text}, false, nil
}

// has looks whether the store holds the bundle. It bears little trouble: the caller looks again.
func (g *GitHub) has(ctx context.Context, b *bundle.Bundle) (bool, error) {
	short := g.api.policy
	if short.Budget > lookBudget {
		short.Budget = lookBudget
	}
	found, err := g.list(ctx, short, b.Digests()[0], b.PredicateType())
	for _, have := range found {
		if have.Bundle.Equal(b) {
			return true, nil
		}
	}
	if err == nil || unreadable(err) {
		return false, nil
	}
	err = fmt.Errorf("the answer was lost, and whether the bundle is stored cannot be seen: %w", err)
	if e := (*retry.Exhausted)(nil); errors.As(err, &e) {
		return false, retry.Transient(err, 0)
	}
	return false, err
}

// envelope is the body of a create call: the canonical form of b stands in it unchanged.
func envelope(b *bundle.Bundle) ([]byte, error) {
	if b == nil || len(b.Digests()) == 0 {
		return nil, errors.New("the bundle has no sha256 subject")
	}
	raw, err := b.Canonical()
	if err != nil {
		return nil, err
	}
	body := make([]byte, 0, len(raw)+len(`{"bundle":}`))
	body = append(body, `{"bundle":`...)
	body = append(body, raw...)
	return append(body, '}'), nil
}
