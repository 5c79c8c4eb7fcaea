// Package attest is the fourth stage: it takes a pushed image, signs or reuses each attestation that the image must
// have, stores them in every store of the image and reads them back from each.
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

// Signer signs an in-toto statement.
type Signer interface {
	// Sign returns a bundle over the statement.
	Sign(ctx context.Context, statement []byte) (*bundle.Bundle, error)
}

// Job is what Attest needs beside the pushed image.
type Job struct {
	Wanted []Wanted      // at least one
	Signer Signer        // required unless every attestation is reused
	Stores []store.Store // of the image, at least one; each of them gets every bundle
	// Keep is called with each attestation, one after the other, before any store gets one of them: it writes the
	// bundle's file, so that no signature is lost where storing fails. Required.
	Keep func(Attestation) error
}

// Wanted is one attestation that an image must have.
type Wanted struct {
	PredicateType string
	// Subjects are those that the statement must name, at least one. The first one's digest is what the attestation is
	// about, and what stores are asked for: the image's root or one of its manifests.
	Subjects []provenance.Subject
	// Statement returns the statement to sign. It is called only where no stored bundle can be reused. Required.
	Statement func(context.Context) ([]byte, error)
	// Reusable is nil for a stored bundle that may be used in place of a new one, and says why not otherwise. Required.
	Reusable func(*bundle.Bundle) error
}

// digest is what the attestation is about; empty where no subject is named.
func (w Wanted) digest() string {
	if len(w.Subjects) == 0 {
		return ""
	}
	return w.Subjects[0].Digest
}

// Attest reuses for each wanted attestation a stored bundle that passes Reusable, or signs a new one; stores it in every
// store that lacks it; and reads it back from each. A store is asked once for each digest and predicate type. Nothing is
// stored before Keep has returned for all of them.
func Attest(ctx context.Context, p push.Pushed, job Job) (Attested, error) {
	if !p.Ok() {
		return Attested{}, errors.New("attestation: this image was not made by the push stage")
	}
	if err := job.check(p); err != nil {
		return Attested{}, err
	}
	listed, err := listAll(ctx, job)
	if err != nil {
		return Attested{}, err
	}
	all := make([]Attestation, len(job.Wanted))
	g, gctx := errgroup.WithContext(ctx)
	for i, w := range job.Wanted {
		g.Go(func() error {
			a, err := attestOne(gctx, job.Signer, w, listed[keyOf(w)])
			all[i] = Attestation{a}
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return Attested{}, err
	}
	for _, a := range all {
		if err := job.Keep(a); err != nil {
			return Attested{}, fmt.Errorf("keep the bundle of %s: %w", a.Digest(), err)
		}
	}
	if err := storeAll(ctx, job, all, listed); err != nil {
		return Attested{}, err
	}
	return Attested{&attested{pushed: p, attestations: all}}, nil
}

// check refuses a job that cannot be done as it stands, before anything is sent.
func (job Job) check(p push.Pushed) error {
	if len(job.Wanted) == 0 {
		return errors.New("attestation: a job wants no attestation")
	}
	if len(job.Stores) == 0 || job.Keep == nil {
		return errors.New("attestation: a job needs a store and Keep")
	}
	for _, w := range job.Wanted {
		switch {
		case w.Reusable == nil || w.Statement == nil:
			return errors.New("attestation: a wanted attestation needs Reusable and Statement")
		case w.PredicateType == "":
			return errors.New("attestation: one without a predicate type is wanted")
		case !p.Built().Contains(w.digest()):
			return fmt.Errorf("attestation: %q is not a manifest of image %s", w.digest(), p.Built().Name())
		}
	}
	return nil
}

// attestOne reuses a listed bundle or signs a new one.
func attestOne(ctx context.Context, signer Signer, w Wanted, listed [][]store.Stored) (*attestation, error) {
	a := &attestation{predicateType: w.PredicateType, subjects: slices.Clone(w.Subjects)}
	if a.bundle = firstReusable(listed, w.Reusable); a.bundle != nil {
		a.reused = true
		return a, nil
	}
	var err error
	if a.statement, err = w.Statement(ctx); err != nil {
		return nil, err
	}
	if a.bundle, err = signer.Sign(ctx, a.statement); err != nil {
		return nil, err
	}
	if a.bundle.PredicateType() != w.PredicateType || !a.bundle.HasSubject(w.digest()) {
		return nil, fmt.Errorf("attestation: what was signed is not a statement of type %s about %s", w.PredicateType, w.digest())
	}
	return a, nil
}

// firstReusable returns the first listed bundle that passes check, nil where none does.
func firstReusable(listed [][]store.Stored, check func(*bundle.Bundle) error) *bundle.Bundle {
	for _, found := range listed {
		for _, s := range found {
			if check(s.Bundle) == nil {
				return s.Bundle
			}
		}
	}
	return nil
}
