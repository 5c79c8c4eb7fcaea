package publish

import (
	"context"
	"time"

	"github.com/taglast/taglast/internal/bundle"
	"github.com/taglast/taglast/internal/platform"
	"github.com/taglast/taglast/internal/policy"
	"github.com/taglast/taglast/internal/provenance"
	"github.com/taglast/taglast/internal/stage/attest"
	"github.com/taglast/taglast/internal/stage/prove"
	"github.com/taglast/taglast/internal/store"
)

// attest makes or reuses the attestation of a pushed image.
func (r *run) attest(ctx context.Context, rec *record) error {
	stores, err := store.OpenAll(ctx, r.openers, store.Image{Name: rec.name(), Repositories: rec.repos})
	if err != nil {
		return err
	}
	rec.attested, err = attest.Attest(ctx, rec.pushed, r.job(rec, stores))
	return err
}

// prove makes a proof of what the stores gave back.
func (r *run) prove(_ context.Context, rec *record) error {
	var err error
	rec.proof, err = prove.Release(rec.attested, r.trusted)
	return err
}

// barrier is where all images wait for all: it wants the proof of each before the first tag is written.
func (r *run) barrier() (prove.Complete, error) {
	var proofs []prove.Proof
	var required []prove.Required
	for _, rec := range r.published() {
		proofs = append(proofs, rec.proof)
		required = append(required, prove.Required{Image: rec.name()})
	}
	complete, err := prove.All(required, proofs)
	return complete, at(StageVerify, "", "", err)
}

// job is what the attest stage needs of one image. The subjects name every repository of the file, whatever --registry
// selects, so that a later run which makes up for the others reuses this attestation.
func (r *run) job(rec *record, stores []store.Store) attest.Job {
	subjects := subjectsOf(rec)
	reuse := policy.Reuse{
		Trusted: r.trusted.Instance.Roots.Root, Requires: r.trusted.Instance.Requires, Claims: r.trusted.Claims, ServerURL: r.trusted.ServerURL,
		Subjects: subjects, Digest: rec.built.Root().Digest.String(),
	}
	provenanceOf := attest.Wanted{
		PredicateType: provenance.PredicateType,
		Subjects:      subjects,
		Statement: func(context.Context) ([]byte, error) {
			return provenance.Statement(provenance.Input{
				Claims: r.claims, ServerURL: r.serverURL, Subjects: subjects, Dependencies: rec.built.Dependencies(),
				FinishedOn: time.Now().UTC().Truncate(time.Second),
			})
		},
		Reusable: func(b *bundle.Bundle) error { _, err := reuse.Check(b); return err },
	}
	return attest.Job{
		Wanted: []attest.Wanted{provenanceOf},
		Signer: r.signer,
		Stores: stores,
		Keep:   func(a attest.Attestation) error { return r.out.bundle(rec.name(), a.Bundle()) },
	}
}

func subjectsOf(rec *record) []provenance.Subject {
	var repos, children []string
	for _, r := range rec.all {
		repos = append(repos, displayName(r))
	}
	for _, c := range rec.built.Manifests() {
		if c.Platform != (platform.Platform{}) {
			children = append(children, c.Digest.String())
		}
	}
	return provenance.Subjects(repos, rec.built.Root().Digest.String(), children)
}
