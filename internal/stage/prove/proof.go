// Package prove is the fifth stage and the barrier before the tags: it takes an attested image, checks what the stores
// gave back under the exact policy of this run, and alone makes a Proof; All makes of the proofs of every image of the
// release the one Complete that the tag stage accepts. It touches no network.
package prove

import (
	"errors"
	"fmt"
	"slices"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/sigstore/sigstore-go/pkg/root"

	"github.com/taglast/taglast/internal/identity"
	"github.com/taglast/taglast/internal/policy"
	"github.com/taglast/taglast/internal/provenance"
	"github.com/taglast/taglast/internal/registry"
	"github.com/taglast/taglast/internal/stage/attest"
)

// ErrNotMade is returned for a value that the stage before did not make: a zero Attested, Proof or Complete.
var ErrNotMade = errors.New("verify: this value was not made by the stage before")

// Run is what is known of this run for certain: its checked claims and the roots that it trusts.
type Run struct {
	Trusted   root.TrustedMaterial
	Claims    identity.Claims
	ServerURL string // GITHUB_SERVER_URL
}

// Proof says that an image, pushed under its digest to these repositories, has an attestation that passed. Made by
// Release alone.
type Proof struct{ p *proof }

type proof struct {
	image    string
	root     registry.Manifest
	repos    []name.Repository
	verified []policy.Verified
	reused   bool
}

// Ok says whether p was made by Release.
func (p Proof) Ok() bool { return p.p != nil }

// Image is the image's name in the release.
func (p Proof) Image() string { return p.p.image }

// Root is the manifest that tags may name: its bytes, media type and digest.
func (p Proof) Root() registry.Manifest { return p.p.root }

// Repositories that hold it.
func (p Proof) Repositories() []name.Repository { return slices.Clone(p.p.repos) }

// Verified is what the stored bundles proved, one for each required attestation.
func (p Proof) Verified() []policy.Verified { return slices.Clone(p.p.verified) }

// Names says whether the proof covers that repository.
func (p Proof) Names(repo name.Repository) bool {
	return slices.ContainsFunc(p.p.repos, func(r name.Repository) bool { return r.String() == repo.String() })
}

// Release checks every bundle that a store gave back: under policy.Exact where this run signed, under policy.Reuse
// where an earlier run did. One store's bundle that fails fails the image.
func Release(a attest.Attested, run Run) (Proof, error) {
	if !a.Ok() {
		return Proof{}, ErrNotMade
	}
	built := a.Pushed().Built()
	digest := built.Root().Digest.String()
	back := a.ReadBack()
	if len(back) == 0 {
		return Proof{}, fmt.Errorf("image %s: no store gave an attestation of %s back", built.Name(), digest)
	}
	check := policy.Exact{
		Trusted: run.Trusted, Claims: run.Claims, ServerURL: run.ServerURL,
		Statement: a.Statement(), Digest: digest,
	}.Check
	if a.Reused() {
		check = policy.Reuse{
			Trusted: run.Trusted, Claims: run.Claims, ServerURL: run.ServerURL,
			Subjects: a.Subjects(), Digest: digest,
		}.Check
	}
	var last policy.Verified
	for _, b := range back {
		v, err := check(b.Bundle)
		if err != nil {
			return Proof{}, fmt.Errorf("image %s: the attestation of %s in store %s does not pass: %w", built.Name(), digest, b.Store, err)
		}
		last = v
	}
	return Proof{&proof{
		image: built.Name(), root: built.Root(), repos: a.Pushed().Repositories(),
		verified: []policy.Verified{last}, reused: a.Reused(),
	}}, nil
}

// Required is what the plan asks of one image before any tag of the release is written.
type Required struct {
	Image          string
	PredicateTypes []string // each must be among the proof's attestations
}

// Complete says that every image of the plan has its proof. Made by All alone.
type Complete struct{ p *complete }

type complete struct{ proofs map[string]Proof }

// Ok says whether c was made by All.
func (c Complete) Ok() bool { return c.p != nil }

// Proof of that image.
func (c Complete) Proof(image string) (Proof, bool) {
	if c.p == nil {
		return Proof{}, false
	}
	p, ok := c.p.proofs[image]
	return p, ok
}

// All is the barrier: exactly one proof, with all required attestations (provenance always), for each image of the plan
// and for no other.
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
		for _, t := range append([]string{provenance.PredicateType}, want.PredicateTypes...) {
			if !slices.ContainsFunc(p.p.verified, func(v policy.Verified) bool { return v.PredicateType == t }) {
				return Complete{}, fmt.Errorf("verify: image %s has no attestation of type %s", want.Image, t)
			}
		}
	}
	for image := range byImage {
		if !seen[image] {
			return Complete{}, fmt.Errorf("verify: a proof for image %s, which the plan does not have", image)
		}
	}
	return Complete{&complete{byImage}}, nil
}
