package publish

import (
	"context"
	"fmt"
	"net/url"
	"strings"

	"github.com/taglast/taglast/internal/policy"
	"github.com/taglast/taglast/internal/provenance"
	"github.com/taglast/taglast/internal/stage/tag"
	"github.com/taglast/taglast/internal/store"
	"github.com/taglast/taglast/pkg/tagrule"
)

// decide says which moving tags of an image stay where they are: see tag.Options. An alias moves only to the highest
// version of its scope; a tag of an image without a version does not move back to an older commit.
func (p *plan) decide(ctx context.Context, image string, there []string, moving []tag.Tagged) ([]tag.Decision, error) {
	im := p.image(image)
	out := make([]tag.Decision, len(moving))
	if !im.rules.Versioned() {
		for i, t := range moving {
			out[i].Keep = p.newer(ctx, im, t)
		}
		return out, context.Cause(ctx)
	}
	aliases := im.rules.Aliases(there, im.file.AllowDowngrade)
	for i, t := range moving {
		a := aliases[t.Tag]
		if !a.Keep {
			continue
		}
		out[i] = tag.Decision{Keep: a.Reason(), By: a.Tag, Ours: a.Ours, Version: a.Higher}
		if t.Previous == "" && !t.Unknown {
			out[i].Keep += absent
		}
		if t.Action == tag.Pending && t.Previous != "" && t.Previous == p.digests[image] { // overtaken before, by an earlier run of this release
			out[i].Keep += fmt.Sprintf(", though the tag names this release: re-run the release of %s", a.Higher)
			p.o.Observer.Warn(fmt.Sprintf("%s: %s", t.Ref(), out[i].Keep))
		}
	}
	return out, nil
}

// absent ends the reason for an alias that is kept and is not there.
const absent = "; the tag is not there, and is not made"

// newer says why a tag without a version stays where it is: the image that it names is attested by this repository at a
// commit of which ours is an ancestor. A run of a newer commit was faster then. Unknown means move: no attestation, a
// commit that nobody knows, a store in trouble.
func (p *plan) newer(ctx context.Context, im *planned, t tag.Tagged) string {
	ours := p.claims.SHA
	if t.Unknown || t.Previous == "" || tagrule.Matches(im.file.AllowDowngrade, t.Tag) {
		return ""
	}
	for _, theirs := range p.attestedCommits(ctx, t.Previous) {
		if p.commits.isBehind(ctx, ours, theirs) {
			return fmt.Sprintf("it names an image of %.7s, and this run's commit %.7s is older: a newer run was faster", theirs, ours)
		}
	}
	return ""
}

// attestedCommits are the commits of this repository at which a digest was attested, as certificates say it.
func (p *plan) attestedCommits(ctx context.Context, digest string) []string {
	p.attestedMu.Lock()
	defer p.attestedMu.Unlock()
	if known, ok := p.attestedAt[digest]; ok {
		return known
	}
	consumer := policy.Consumer{Trusted: p.trustedRoots(), Repo: p.claims.Repository, CertOIDCIssuer: p.claims.Issuer}
	if u, err := url.Parse(p.serverURL); err == nil && strings.HasSuffix(u.Host, ".ghe.com") {
		consumer.Hostname = u.Host
	}
	if signer, _, _ := strings.Cut(p.claims.JobWorkflowRef, "/.github/"); !strings.EqualFold(signer, p.claims.Repository) {
		consumer.SignerRepo = signer // a reusable workflow of another repository
	}
	var out []string
	for _, s := range p.stores {
		listed, err := p.listBriefly(ctx, s, digest)
		if err != nil && ctx.Err() == nil {
			p.o.Observer.Warn(fmt.Sprintf("the attestations of %s cannot be listed, so tags that name it move: %v", digest, err))
		}
		for _, stored := range listed {
			if v, err := consumer.Check(stored.Bundle, "sha256", digestBytes(digest)); err == nil {
				out = append(out, v.Certificate.SourceRepositoryDigest)
			}
		}
	}
	p.attestedAt[digest] = out
	return out
}

// listBriefly lists the attestations of a digest for as long as a run can do without them.
func (p *plan) listBriefly(ctx context.Context, s store.Store, digest string) ([]store.Stored, error) {
	ctx, cancel := context.WithTimeout(ctx, compareBudget)
	defer cancel()
	return s.List(ctx, digest, provenance.PredicateType)
}
