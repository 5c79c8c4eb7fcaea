// Package prove is the fifth stage and the barrier before the tags. Release takes an attested image, checks what the
// stores gave back under the exact policy of this run, and returns a Proof; All takes the proofs of all images of the
// release and returns the Complete that the tag stage needs. Nothing else makes either. It touches no network.
package prove

import (
	"errors"
	"fmt"
	"slices"

	"github.com/google/go-containerregistry/pkg/name"

	"github.com/taglast/taglast/internal/identity"
	"github.com/taglast/taglast/internal/platform"
	"github.com/taglast/taglast/internal/policy"
	"github.com/taglast/taglast/internal/provenance"
	"github.com/taglast/taglast/internal/registry"
	"github.com/taglast/taglast/internal/sbom"
	"github.com/taglast/taglast/internal/stage/attest"
	"github.com/taglast/taglast/internal/trust"
)

// ErrNotMade is returned for a zero Attested or Proof: a value that the stage before did not return.
var ErrNotMade = errors.New("verify: this value was not made by the stage before")

// Run is what proofs are checked against: the verified claims of this run, and the Sigstore instance that it signs on.
type Run struct {
	Instance  trust.Instance
	Claims    identity.Claims
	ServerURL string // GITHUB_SERVER_URL; empty means https://github.com
}

// Proof says that an image, pushed under its digest to its repositories, has attestations that passed. Release alone
// returns one; the zero value must not be used.
type Proof struct{ p *proof }

type proof struct {
	image     string
	root      registry.Manifest
	repos     []name.Repository
	platforms []string          // digests of the manifests that have a platform
	verified  []policy.Verified // one for each attestation
	coverage  []coverage        // what each of them is about
}

// coverage is what an attestation is about: a manifest of the image, and what is said of it.
type coverage struct{ digest, predicateType string }

// Ok reports whether p is a result of Release.
func (p Proof) Ok() bool { return p.p != nil }

// Image is the image's name in the release.
func (p Proof) Image() string { return p.p.image }

// Root is the manifest that tags may name: its bytes, media type and digest.
func (p Proof) Root() registry.Manifest { return p.p.root }

// Verified is what the stored bundles proved, one for each attestation of the image, in their order.
func (p Proof) Verified() []policy.Verified { return slices.Clone(p.p.verified) }

// hasProvenance reports whether provenance of the root passed.
func (p Proof) hasProvenance() bool {
	return slices.Contains(p.p.coverage, coverage{p.p.root.Digest.String(), provenance.PredicateType})
}

// hasSBOMs reports whether an SBOM about each manifest that has a platform passed. Where not, digest is the first that has
// none: the root's where no manifest has a platform.
func (p Proof) hasSBOMs() (digest string, ok bool) {
	for _, digest := range p.p.platforms {
		if !slices.ContainsFunc(p.p.coverage, func(c coverage) bool { return c.digest == digest && sbom.IsType(c.predicateType) }) {
			return digest, false
		}
	}
	return p.p.root.Digest.String(), len(p.p.platforms) > 0
}

// HasRepository reports whether the image was pushed to repo before it was proved.
func (p Proof) HasRepository(repo name.Repository) bool {
	return slices.ContainsFunc(p.p.repos, func(r name.Repository) bool { return r.String() == repo.String() })
}

// Release checks every attestation of an image as each store gave it back: under policy.Exact where this run signed it,
// under policy.Reuse where an earlier run did. One store's bundle that fails fails the image.
func Release(a attest.Attested, run Run) (Proof, error) {
	if !a.Ok() {
		return Proof{}, ErrNotMade
	}
	built := a.Pushed().Built()
	p := &proof{image: built.Name(), root: built.Root(), repos: a.Pushed().Repositories()}
	for _, c := range built.Manifests() {
		if c.Platform != (platform.Platform{}) {
			p.platforms = append(p.platforms, c.Digest.String())
		}
	}
	for _, one := range a.Attestations() {
		if !built.Contains(one.Digest()) {
			return Proof{}, fmt.Errorf("image %s: an attestation of %s, which is not a manifest of it", built.Name(), one.Digest())
		}
		v, err := proveOne(one, run)
		if err != nil {
			return Proof{}, fmt.Errorf("image %s: %w", built.Name(), err)
		}
		p.verified = append(p.verified, v)
		p.coverage = append(p.coverage, coverage{one.Digest(), v.PredicateType})
	}
	if len(p.verified) == 0 {
		return Proof{}, fmt.Errorf("image %s: no attestation of %s", built.Name(), built.Root().Digest)
	}
	return Proof{p}, nil
}

// proveOne checks one attestation as each store gave it back, and says what it proved.
func proveOne(a attest.Attestation, run Run) (policy.Verified, error) {
	back := a.ReadBack()
	if len(back) == 0 {
		return policy.Verified{}, fmt.Errorf("no store gave an attestation of %s back", a.Digest())
	}
	check := policy.Exact{
		Trusted: run.Instance.Roots.Root, Requires: run.Instance.Requires, Claims: run.Claims, ServerURL: run.ServerURL,
		Statement: a.Statement(), Digest: a.Digest(), PredicateType: a.PredicateType(), Subjects: a.Subjects(),
	}.Check
	if a.Reused() {
		check = policy.Reuse{
			Trusted: run.Instance.Roots.Root, Requires: run.Instance.Requires, Claims: run.Claims, ServerURL: run.ServerURL,
			Subjects: a.Subjects(), Digest: a.Digest(), PredicateType: a.PredicateType(),
		}.Check
	}
	var last policy.Verified
	for _, b := range back {
		v, err := check(b.Bundle)
		if err != nil {
			return policy.Verified{}, fmt.Errorf("the attestation of %s in store %s does not pass: %w", a.Digest(), b.Store, err)
		}
		last = v
	}
	return last, nil
}
