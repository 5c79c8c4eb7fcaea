package publish

import (
	"context"
	"time"

	"github.com/taglast/taglast/internal/bundle"
	"github.com/taglast/taglast/internal/ociref"
	"github.com/taglast/taglast/internal/platform"
	"github.com/taglast/taglast/internal/provenance"
	"github.com/taglast/taglast/internal/stage/attest"
	"github.com/taglast/taglast/internal/stage/prove"
	"github.com/taglast/taglast/internal/store"
)

// attest makes or reuses the attestations of a pushed image. So many images are attested at the same time as requests may
// be in flight.
func (r *run) attest(ctx context.Context, rec *record) error {
	select {
	case r.attesting <- struct{}{}:
		defer func() { <-r.attesting }()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	stores, err := store.OpenAll(ctx, r.openers, store.Image{Name: rec.name(), Repositories: rec.repos})
	if err != nil {
		return err
	}
	rec.attested, err = attest.Attest(ctx, rec.pushed, attest.Job{
		Wanted: r.wanted(rec), Signer: signerSlots{r.signer, r.signing}, Stores: stores,
		Keep: func(a attest.Attestation) error { return r.out.bundle(rec.bundleName(a), a.Bundle()) },
	})
	return err
}

// signerSlots is a signer that asks log and timestamp authority for no more signatures at once than there are slots: an
// image has several attestations.
type signerSlots struct {
	attest.Signer
	slots chan struct{}
}

// Sign waits for a slot.
func (s signerSlots) Sign(ctx context.Context, statement []byte) (*bundle.Bundle, error) {
	select {
	case s.slots <- struct{}{}:
		defer func() { <-s.slots }()
		return s.Signer.Sign(ctx, statement)
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
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
		// What the plan asks for, not what was made: an attestation that was forgotten must not be missed here too.
		required = append(required, prove.Required{Image: rec.name(), SBOM: rec.wantsSBOM()})
	}
	complete, err := prove.All(required, proofs)
	return complete, at(StageVerify, "", "", err)
}

// wanted are the statements that are made about an image: its provenance, then its SBOMs. The subjects name every
// repository of the file, whatever --registry selects, so that a later run which makes up for the others reuses them.
func (r *run) wanted(rec *record) []attest.Wanted {
	subjects := subjectsOf(rec)
	reuse := r.reusePolicy(subjects, rec.built.Root().Digest.String())
	return append([]attest.Wanted{{
		PredicateType: provenance.PredicateType,
		Subjects:      subjects,
		Statement: func(context.Context) ([]byte, error) {
			builder, err := r.builderDependencies(rec)
			if err != nil {
				return nil, err
			}
			return provenance.Statement(provenance.Input{
				Claims: r.claims, ServerURL: r.serverURL, Subjects: subjects, Dependencies: rec.built.Dependencies(), BuilderDependencies: builder,
				FinishedOn: time.Now().UTC().Truncate(time.Second),
			})
		},
		Reusable: func(b *bundle.Bundle) error { _, err := reuse.Check(b); return err },
	}}, r.sbomsWanted(rec)...)
}

// builderDependencies are the programs that made an image for this one: of a Dockerfile buildx, unless the image is adopted.
func (r *run) builderDependencies(rec *record) ([]provenance.Dependency, error) {
	if !rec.usesBuilder() || rec.built.Adopted() {
		return nil, nil
	}
	return r.builder.BuilderDependencies()
}

func subjectsOf(rec *record) []provenance.Subject {
	var repos, children []string
	for _, r := range rec.all {
		repos = append(repos, ociref.DisplayName(r))
	}
	for _, c := range rec.built.Manifests() {
		if c.Platform != (platform.Platform{}) {
			children = append(children, c.Digest.String())
		}
	}
	return provenance.Subjects(repos, rec.built.Root().Digest.String(), children)
}
