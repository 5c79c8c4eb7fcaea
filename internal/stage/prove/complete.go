package prove

import (
	"errors"
	"fmt"

	"github.com/taglast/taglast/internal/provenance"
)

// Required is what the plan asks of one image before any tag of the release is written.
type Required struct {
	Image string // its name in the release
	// SBOM asks, beside the provenance of the root that every image needs, for an SBOM about every platform's manifest, in whatever format: one of the index is none of its platforms.
	SBOM bool
}

// Complete says that every image of the plan has its proof. All alone returns one; the zero value has no proof.
type Complete struct{ p *complete }

type complete struct{ proofs map[string]Proof }

// Ok reports whether c is a result of All.
func (c Complete) Ok() bool { return c.p != nil }

// Proof returns that image's proof, false where there is none.
func (c Complete) Proof(image string) (Proof, bool) {
	if c.p == nil {
		return Proof{}, false
	}
	p, ok := c.p.proofs[image]
	return p, ok
}

// All is the barrier: exactly one proof, with all required attestations, for each image of the plan and for no other.
func All(plan []Required, proofs []Proof) (Complete, error) {
	if len(plan) == 0 {
		return Complete{}, errors.New("verify: a plan without images")
	}
	byImage := make(map[string]Proof, len(proofs))
	for _, p := range proofs {
		if !p.Ok() {
			return Complete{}, ErrNotMade
		}
		if _, twice := byImage[p.Image()]; twice {
			return Complete{}, fmt.Errorf("verify: two proofs for image %s", p.Image())
		}
		byImage[p.Image()] = p
	}
	seen := make(map[string]bool, len(plan))
	for _, want := range plan {
		if seen[want.Image] {
			return Complete{}, fmt.Errorf("verify: image %s stands twice in the plan", want.Image)
		}
		seen[want.Image] = true
		p, ok := byImage[want.Image]
		if !ok {
			return Complete{}, fmt.Errorf("verify: image %s has no proof", want.Image)
		}
		if !p.hasProvenance() {
			return Complete{}, fmt.Errorf("verify: image %s has no attestation of type %s", want.Image, provenance.PredicateType)
		}
		if digest, ok := p.hasSBOMs(); want.SBOM && !ok {
			return Complete{}, fmt.Errorf("verify: image %s has no attested SBOM of %s", want.Image, digest)
		}
	}
	for image := range byImage {
		if !seen[image] {
			return Complete{}, fmt.Errorf("verify: a proof for image %s, which the plan does not have", image)
		}
	}
	return Complete{&complete{byImage}}, nil
}
