package publish

import (
	"context"
	"fmt"

	"github.com/taglast/taglast/internal/commits"
	"github.com/taglast/taglast/internal/stage/tag"
	"github.com/taglast/taglast/pkg/tagrule"
)

// decide says which moving tags of an image stay where they are: see tag.Options. An alias moves only to the highest
// version of its scope; a tag of an image without a version does not move back to an older commit.
func (r *run) decide(ctx context.Context, image string, there []string, moving []tag.Tagged) ([]tag.Decision, error) {
	rec := r.byName[image]
	out := make([]tag.Decision, len(moving))
	if !rec.rules.Versioned() {
		for i, t := range moving {
			out[i].Keep = r.newer(ctx, rec, t)
		}
		return out, context.Cause(ctx)
	}
	aliases := rec.rules.Aliases(there, rec.file.AllowDowngrade)
	for i, t := range moving {
		a := aliases[t.Tag]
		if !a.Keep {
			continue
		}
		out[i] = tag.Decision{Keep: a.Reason(), By: a.Tag, Ours: a.Ours, Version: a.Higher}
		if t.Previous == "" && !t.Unknown {
			out[i].Keep += absent
		}
		if t.Action == tag.Pending && t.Previous != "" && t.Previous == rec.built.Root().Digest.String() { // overtaken before, by an earlier run of this release
			out[i].Keep += fmt.Sprintf(", though the tag names this release: re-run the release of %s", a.Higher)
			r.o.Observer.Warn(fmt.Sprintf("%s: %s", t.Ref(), out[i].Keep))
		}
	}
	return out, nil
}

// absent ends the reason for an alias that is kept and is not there.
const absent = "; the tag is not there, and is not made"

// newer says why a tag without a version stays where it is: the image that it names is attested by this repository at a
// commit of which ours is an ancestor. A run of a newer commit was faster then. Unknown means move: no attestation, a
// commit that nobody knows, a store in trouble.
func (r *run) newer(ctx context.Context, rec *record, t tag.Tagged) string {
	ours := r.claims.SHA
	if t.Unknown || t.Previous == "" || tagrule.Matches(rec.file.AllowDowngrade, t.Tag) {
		return ""
	}
	for _, theirs := range r.attestedCommits(ctx, t.Previous) {
		if r.commits.IsBehind(ctx, ours, theirs) {
			return fmt.Sprintf("it names an image of %.7s, and this run's commit %.7s is older: a newer run was faster", theirs, ours)
		}
	}
	return ""
}

// attestedCommits are the commits of this repository at which a digest was attested, as certificates say it.
func (r *run) attestedCommits(ctx context.Context, digest string) []string {
	r.attestedMu.Lock()
	defer r.attestedMu.Unlock()
	if known, ok := r.attestedAt[digest]; ok {
		return known
	}
	brief, cancel := context.WithTimeout(ctx, commits.CompareBudget) // a run can do without
	defer cancel()
	found, err := r.ours(brief, digest)
	if err != nil && ctx.Err() == nil {
		r.o.Observer.Warn(fmt.Sprintf("the attestations of %s cannot be listed, so tags that name it move: %v", digest, err))
	}
	var out []string
	for _, v := range found {
		out = append(out, v.Certificate.SourceRepositoryDigest)
	}
	r.attestedAt[digest] = out
	return out
}
