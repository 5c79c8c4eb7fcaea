package publish

import (
	"context"
	"encoding/hex"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/sigstore/sigstore-go/pkg/root"

	"github.com/taglast/taglast/internal/hint"
	"github.com/taglast/taglast/internal/image"
	"github.com/taglast/taglast/internal/platform"
	"github.com/taglast/taglast/internal/policy"
	"github.com/taglast/taglast/internal/provenance"
)

// adopt takes the index that a fixed tag names, in the first repository that has one, if it carries an attestation that
// this run could have made, of that very repository: then nothing is built. Another image of this release does not pass
// for this one because a tag was put on it. A zero Built means that there is nothing to adopt.
func (r *run) adopt(ctx context.Context, rec *record) (image.Built, error) {
	tried := make(map[string]bool)
	for _, t := range rec.wantedTags() {
		seen, _ := r.plan.current.of(t)
		there := displayName(t.repo) + "@" + seen
		if !t.fixed() || seen == "" || tried[there] {
			continue
		}
		tried[there] = true
		digest, err := v1.NewHash(seen)
		if err != nil {
			return image.Built{}, fmt.Errorf("%s: the registry names it %q: %w", t.ref(), seen, err)
		}
		if ok, err := r.attestedByUs(ctx, t.repo, seen); err != nil || !ok {
			if err != nil {
				return image.Built{}, fmt.Errorf("%s: %w", t.ref(), err)
			}
			continue
		}
		b, err := image.Adopt(ctx, r.clients, rec.file.Name, t.repo, digest)
		if err != nil {
			return image.Built{}, fmt.Errorf("adopt %s: %w", t.ref(), err)
		}
		for _, want := range rec.file.Platforms {
			if !slices.ContainsFunc(b.Manifests(), func(c image.Child) bool { return c.Platform == platform.Platform(want) }) {
				return image.Built{}, hint.With(fmt.Errorf("adopt %s: what was published there has no %s", t.ref(), want),
					"a published version is not overwritten. Release another version, or take the platform out of `platforms`")
			}
		}
		return b, nil
	}
	return image.Built{}, nil
}

// attestedByUs says whether a store holds, for digest in repo, an attestation that passes the reuse policy.
func (r *run) attestedByUs(ctx context.Context, repo name.Repository, digest string) (bool, error) {
	reuse := policy.Reuse{
		Trusted: r.trusted.Instance.Roots.Root, Requires: r.trusted.Instance.Requires, Claims: r.trusted.Claims, ServerURL: r.trusted.ServerURL,
		Subjects: provenance.Subjects([]string{displayName(repo)}, digest, nil), Digest: digest,
	}
	for _, s := range r.stores {
		listed, err := s.List(ctx, digest, provenance.PredicateType)
		if err != nil && len(listed) == 0 {
			return false, fmt.Errorf("list the attestations of %s in store %s: %w", digest, s.Name(), err)
		}
		for _, stored := range listed {
			if _, err := reuse.Check(stored.Bundle); err == nil {
				return true, nil
			}
		}
	}
	return false, nil
}

// describeThere says of a published digest what its attestation tells: for the error alone, so that failures to look are
// told as what they are.
func (r *run) describeThere(ctx context.Context, digest string) string {
	for _, s := range r.stores {
		listed, err := s.List(ctx, digest, provenance.PredicateType)
		if err != nil {
			return fmt.Sprintf("there  %s  its attestation could not be read", digest)
		}
		for _, stored := range listed {
			c := policy.Ours(r.claims, r.serverURL, r.trustedRoots()...)
			if v, err := c.Check(stored.Bundle, "sha256", digestBytes(digest)); err == nil {
				return fmt.Sprintf("there  %s  attested by %s", digest, signedBy(v))
			}
		}
	}
	return fmt.Sprintf("there  %s  not attested by %s", digest, r.claims.Repository)
}

// signedBy tells who signed, where and when: `acme/hello release.yml at 4be91c0, 12 Nov 2026, run 11593512252`.
func signedBy(v policy.Verified) string {
	c := v.Certificate
	repository := strings.TrimPrefix(c.SourceRepositoryURI, "https://github.com/")
	workflow, _, _ := strings.Cut(c.BuildConfigURI, "@")
	when := ""
	if len(v.Times) > 0 {
		when = ", " + v.Times[0].UTC().Format("2 Jan 2006")
	}
	run := strings.TrimPrefix(c.RunInvocationURI, c.SourceRepositoryURI+"/actions/runs/")
	run, _, _ = strings.Cut(run, "/")
	return fmt.Sprintf("%s %s at %.7s%s, run %s", repository, path.Base(workflow), c.SourceRepositoryDigest, when, run)
}

func (r *run) trustedRoots() []root.TrustedMaterial {
	return []root.TrustedMaterial{r.trusted.Instance.Roots.Root}
}

func digestBytes(digest string) []byte {
	raw, err := hex.DecodeString(strings.TrimPrefix(digest, "sha256:"))
	if err != nil {
		return nil
	}
	return raw
}
