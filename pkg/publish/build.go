package publish

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"golang.org/x/sync/errgroup"

	"github.com/taglast/taglast/internal/hint"
	"github.com/taglast/taglast/internal/image"
	"github.com/taglast/taglast/internal/policy"
	"github.com/taglast/taglast/internal/provenance"
	"github.com/taglast/taglast/internal/registry"
	"github.com/taglast/taglast/pkg/release"
)

// build makes or adopts every image and compares the fixed tags with what was made: a published version is never
// written over, and that is known before anything is sent. Images that cannot be had in a dry run are skipped.
func (p *plan) build(ctx context.Context, step func(done, total int, note string)) ([]image.Built, error) {
	built := make([]image.Built, len(p.images))
	var count progressCount
	siblings := image.NewSiblings(p.buildOne)
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(p.o.jobs())
	for i, im := range p.images {
		if im.unbuilt {
			continue
		}
		g.Go(func() error {
			b, err := siblings.Build(gctx, im.file.Name)
			if err != nil && p.o.dryRun && needsLogin(err) {
				im.skipped, im.unbuilt = err.Error(), true
				p.o.Observer.Warn(fmt.Sprintf("image %s is skipped: %v", im.file.Name, err))
				return nil
			}
			if err != nil {
				return at(StageBuild, im.file.Name, "", err)
			}
			if err := p.guardBuilt(gctx, im, b); err != nil {
				return err
			}
			built[i] = b
			step(count.next(), len(p.images), "")
			return nil
		})
	}
	return built, g.Wait()
}

// needsLogin says that a source or base needs credentials that are not there.
func needsLogin(err error) bool { return errors.Is(err, registry.ErrDenied) }

// buildOne adopts or builds an image of the plan; built gives it the others. One that is skipped is a zero Built.
func (p *plan) buildOne(ctx context.Context, name string, built func(context.Context, string) (image.Built, error)) (image.Built, error) {
	im := p.image(name)
	if im == nil {
		return image.Built{}, fmt.Errorf("image %s: it is not in this run", name)
	}
	if im.unbuilt {
		return image.Built{}, nil
	}
	if !p.o.Rebuild {
		b, err := p.adopt(ctx, im)
		if err != nil || b.Ok() {
			return b, err
		}
	}
	request := image.Request{
		Name: im.file.Name, Source: im.source,
		Env: image.Env{
			Registry: p.clients, Dir: p.o.File.Dir, Repositories: im.repos, Platforms: im.file.Platforms, KeepAttestations: im.file.KeepAttestations,
			TempDir: p.workspace.Dir, Built: built,
		},
		Annotations: annotations(im.file.Annotations), Defaults: p.defaults(im), Labels: im.file.Labels,
	}
	if err := request.Check(); err != nil {
		return image.Built{}, at(StagePlan, im.file.Name, "", err)
	}
	return image.Build(ctx, request)
}

// adopt takes the index that a fixed tag names, in the first repository that has one, if it carries an attestation that
// this run could have made, of that very repository: then nothing is built. Another image of this release does not pass
// for this one because a tag was put on it. A zero Built means that there is nothing to adopt.
func (p *plan) adopt(ctx context.Context, im *planned) (image.Built, error) {
	tried := make(map[string]bool)
	for _, t := range im.tags {
		there := displayName(t.repo) + "@" + t.seen
		if t.tag.Class != "fixed" || t.seen == "" || tried[there] {
			continue
		}
		tried[there] = true
		digest, err := v1.NewHash(t.seen)
		if err != nil {
			return image.Built{}, fmt.Errorf("%s: the registry names it %q: %w", t.ref(), t.seen, err)
		}
		if ok, err := p.attestedByUs(ctx, t.repo, t.seen); err != nil || !ok {
			if err != nil {
				return image.Built{}, fmt.Errorf("%s: %w", t.ref(), err)
			}
			continue
		}
		b, err := image.Adopt(ctx, p.clients, im.file.Name, t.repo, digest)
		if err != nil {
			return image.Built{}, fmt.Errorf("adopt %s: %w", t.ref(), err)
		}
		for _, want := range im.file.Platforms {
			if !slices.ContainsFunc(b.Manifests(), func(c image.Child) bool { return c.Platform == want }) {
				return image.Built{}, hint.With(fmt.Errorf("adopt %s: what was published there has no %s", t.ref(), want),
					"a published version is not overwritten. Release another version, or take the platform out of `platforms`")
			}
		}
		return b, nil
	}
	return image.Built{}, nil
}

// attestedByUs says whether a store holds, for digest in repo, an attestation that passes the reuse policy.
func (p *plan) attestedByUs(ctx context.Context, repo name.Repository, digest string) (bool, error) {
	reuse := policy.Reuse{
		Trusted: p.run.Trusted, Claims: p.run.Claims, ServerURL: p.run.ServerURL,
		Subjects: provenance.Subjects([]string{displayName(repo)}, digest, nil), Digest: digest,
	}
	for _, s := range p.stores {
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

// guardBuilt is the fixed tags' guard after the build.
func (p *plan) guardBuilt(ctx context.Context, im *planned, b image.Built) error {
	here := b.Root().Digest.String()
	for _, t := range im.tags {
		if t.tag.Class != "fixed" || t.seen == "" || t.seen == here {
			continue
		}
		err := fmt.Errorf("%s exists with another digest\n%s\nhere   %s  built from %.7s", t.ref(), p.describeThere(ctx, t.seen), here, p.claims.SHA)
		return at(StageBuild, im.file.Name, t.ref(), hint.With(err, fmt.Sprintf(
			"a published version is not overwritten. Release another version; or publish what is there to the other registries:\nsource: {image: %s@%s}",
			displayName(t.repo), t.seen)))
	}
	return nil
}

// describeThere says of a published digest what its attestation tells: for the error alone, so that failures to look are
// told as what they are.
func (p *plan) describeThere(ctx context.Context, digest string) string {
	for _, s := range p.stores {
		listed, err := s.List(ctx, digest, provenance.PredicateType)
		if err != nil {
			return fmt.Sprintf("there  %s  its attestation could not be read", digest)
		}
		for _, stored := range listed {
			c := policy.Consumer{Trusted: p.trustedRoots(), Repo: p.claims.Repository, CertOIDCIssuer: p.claims.Issuer}
			if v, err := c.Check(stored.Bundle, "sha256", digestBytes(digest)); err == nil {
				return fmt.Sprintf("there  %s  attested by %s", digest, signedBy(v))
			}
		}
	}
	return fmt.Sprintf("there  %s  not attested by %s", digest, p.claims.Repository)
}

func annotations(in []release.Annotation) []image.Annotation {
	out := make([]image.Annotation, 0, len(in))
	for _, a := range in {
		out = append(out, image.Annotation(a))
	}
	return out
}
