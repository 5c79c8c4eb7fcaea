// Package attest is the fourth stage: it takes a pushed image, makes or reuses its attestation, keeps it in every
// configured store and reads it back from each.
package attest

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/taglast/taglast/internal/bundle"
	"github.com/taglast/taglast/internal/provenance"
	"github.com/taglast/taglast/internal/stage/push"
	"github.com/taglast/taglast/internal/store"
)

// Attested is a pushed image with its bundle as each store gave it back. Made by Attest alone.
type Attested struct{ p *attested }

type attested struct {
	pushed    push.Pushed
	statement []byte
	subjects  []provenance.Subject
	bundle    *bundle.Bundle
	back      []ReadBack
	receipts  map[string]store.Receipt
	reused    bool
}

// ReadBack is the bundle as one store gave it back.
type ReadBack struct {
	Store  string
	Bundle *bundle.Bundle
}

// Ok says whether a was made by Attest.
func (a Attested) Ok() bool { return a.p != nil }

// Pushed is the image.
func (a Attested) Pushed() push.Pushed { return a.p.pushed }

// Statement is the in-toto statement that the bundle signs.
func (a Attested) Statement() []byte { return slices.Clone(a.p.statement) }

// Subjects of the statement.
func (a Attested) Subjects() []provenance.Subject { return slices.Clone(a.p.subjects) }

// Bundle is the bundle as it was kept.
func (a Attested) Bundle() *bundle.Bundle { return a.p.bundle }

// ReadBack is the bundle as each store gave it back, in the order of the stores.
func (a Attested) ReadBack() []ReadBack { return slices.Clone(a.p.back) }

// Receipt is the answer of a store to this run; a zero Receipt where it gave none.
func (a Attested) Receipt(name string) store.Receipt { return a.p.receipts[name] }

// Reused says that the bundle is of an earlier run.
func (a Attested) Reused() bool { return a.p.reused }

// Signer makes a bundle over an in-toto statement.
type Signer interface {
	Sign(ctx context.Context, statement []byte) (*bundle.Bundle, error)
}

// Job is what Attest needs beside the pushed image.
type Job struct {
	Subjects []provenance.Subject
	// Statement makes the statement; called only where no stored bundle can be reused.
	Statement func(context.Context) ([]byte, error)
	Signer    Signer
	Stores    []store.Store // every one keeps the bundle
	// Reusable says whether a stored bundle may stand for this run; nil or an error means no.
	Reusable func(*bundle.Bundle) error
	// Keep is called with the bundle before any store sees it: it writes the file that nothing may be lost from.
	Keep func(*bundle.Bundle) error
}

// Attest reuses a stored bundle that passes Reusable, or signs a new one; keeps it in every store that lacks it; and
// reads it back from each. Nothing is posted before Keep has returned.
func Attest(ctx context.Context, p push.Pushed, job Job) (Attested, error) {
	if !p.Ok() {
		return Attested{}, errors.New("attestation: this image was not made by the push stage")
	}
	if len(job.Stores) == 0 || job.Keep == nil || job.Reusable == nil {
		return Attested{}, errors.New("attestation: a job needs a store, Keep and Reusable")
	}
	digest := p.Built().Root().Digest.String()
	listed, err := listAll(ctx, job.Stores, digest)
	if err != nil {
		return Attested{}, err
	}
	a := &attested{pushed: p, subjects: slices.Clone(job.Subjects), receipts: map[string]store.Receipt{}}
	a.bundle = reusable(listed, job.Reusable)
	a.reused = a.bundle != nil
	if !a.reused {
		if a.statement, err = job.Statement(ctx); err != nil {
			return Attested{}, err
		}
		if a.bundle, err = job.Signer.Sign(ctx, a.statement); err != nil {
			return Attested{}, err
		}
	}
	if err := job.Keep(a.bundle); err != nil {
		return Attested{}, fmt.Errorf("keep the bundle of %s: %w", digest, err)
	}
	a.back = make([]ReadBack, len(job.Stores))
	receipts := make([]store.Receipt, len(job.Stores))
	g, gctx := errgroup.WithContext(ctx)
	for i, s := range job.Stores {
		g.Go(func() error {
			back, receipt, err := keepIn(gctx, s, digest, a.bundle, listed[i])
			a.back[i], receipts[i] = ReadBack{Store: s.Name(), Bundle: back}, receipt
			return err
		})
	}
	err = g.Wait()
	for i, s := range job.Stores {
		a.receipts[s.Name()] = receipts[i]
	}
	if err != nil {
		return Attested{}, err
	}
	return Attested{a}, nil
}

// listAll asks every store for what it has of digest, at once. What cannot be read among what could is not fatal here:
// the worst that follows is a second attestation of the same digest.
func listAll(ctx context.Context, stores []store.Store, digest string) ([][]store.Stored, error) {
	listed := make([][]store.Stored, len(stores))
	g, gctx := errgroup.WithContext(ctx)
	for i, s := range stores {
		g.Go(func() error {
			found, err := s.List(gctx, digest, provenance.PredicateType)
			if err != nil && len(found) == 0 {
				return fmt.Errorf("list the attestations of %s in store %s: %w", digest, s.Name(), err)
			}
			listed[i] = found
			return nil
		})
	}
	return listed, g.Wait()
}

func reusable(listed [][]store.Stored, ok func(*bundle.Bundle) error) *bundle.Bundle {
	for _, found := range listed {
		for _, s := range found {
			if ok(s.Bundle) == nil {
				return s.Bundle
			}
		}
	}
	return nil
}

// keepIn keeps b in s unless listed already has it, and gives back what the store says of it.
func keepIn(ctx context.Context, s store.Store, digest string, b *bundle.Bundle, listed []store.Stored) (*bundle.Bundle, store.Receipt, error) {
	for _, have := range listed {
		if b.Equal(have.Bundle) {
			return have.Bundle, store.Receipt{ID: have.ID, URL: have.URL}, nil
		}
	}
	receipt, err := s.Put(ctx, b)
	if err != nil {
		return nil, store.Receipt{}, fmt.Errorf("store %s: %s: %w", s.Name(), digest, err)
	}
	back, err := store.Poll(ctx, s, digest, provenance.PredicateType, b)
	if err != nil {
		return nil, receipt, fmt.Errorf("store %s: %s: %w", s.Name(), digest, err)
	}
	return back, receipt, nil
}
