package image

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/taglast/taglast/internal/registry"
)

// Build reads the source and writes the index. Manifests, indexes and configs are hashed; layers are looked for in
// layouts, but their content is for the pusher to hash as it streams. Errors may carry a hint (internal/hint).
func Build(ctx context.Context, r Request) (Built, error) {
	if err := r.Check(ctx); err != nil {
		return Built{}, err
	}
	g, err := r.Source.gather(ctx, r.env().withDefaults())
	if err != nil {
		return Built{}, fmt.Errorf("image %s: %w", r.Name, err)
	}
	b, err := r.assemble(ctx, g)
	if err != nil {
		return Built{}, fmt.Errorf("image %s: %w", r.Name, err)
	}
	return Built{b}, nil
}

// env is what the source is given, with what of the request a builder takes.
func (r Request) env() Env {
	env := r.Env
	env.labels, env.sbom = r.labels, r.SBOM.FromBuild
	return env
}

// assemble joins everything that was gathered to one image.
func (r Request) assemble(ctx context.Context, g gathered) (*built, error) {
	images, attestations, err := split(g)
	if err != nil {
		return nil, err
	}
	if err := r.checkPlatforms(images, g.hint); err != nil {
		return nil, err
	}
	if g.byBuilder {
		if err := r.checkNoOthers(images, g.hint); err != nil {
			return nil, err
		}
	}
	lifted := g.attestationManifests()
	if err := r.attachSBOMs(ctx, lifted, images); err != nil {
		return nil, err
	}
	b := &built{name: r.Name, dependencies: g.dependencies}
	if !g.copyWhole { // what a copied image was built from is no affair of this build
		from, err := builtFrom(ctx, lifted, images)
		if err != nil {
			return nil, err
		}
		b.dependencies = slices.Concat(b.dependencies, from)
	}
	var sourceAnnotations map[string]string
	if len(g.sources) == 1 {
		sourceAnnotations = g.sources[0].annotations
	}
	sameAnnotations := maps.Equal(sourceAnnotations, withIndexAnnotations(sourceAnnotations, r.Annotations))
	annotations := r.Annotations
	if g.byBuilder && !r.Env.KeepAttestations {
		defaults, err := r.defaults(ctx)
		if err != nil {
			return nil, err
		}
		annotations = slices.Concat(onManifests(defaults), annotations)
	}
	rewritten, err := r.rewriteAll(ctx, images, annotations)
	if err != nil {
		return nil, err
	}
	if rewritten && g.byBuilder && r.Env.KeepAttestations {
		return nil, errors.New("labels: one that is to be removed comes from a base image, and BuildKit's attestations are about the digest that this would change; leave it or keep-attestations out")
	}
	kept := attestationsOf(attestations, images)
	if g.copyWhole && sameAnnotations && !rewritten && !g.sources[0].nested && !g.sources[0].omitted && len(kept) == len(attestations) {
		b.root = g.sources[0].root
		all, err := children(g.sources[0].manifests)
		if err != nil {
			return nil, err
		}
		if g.sources[0].single {
			b.single = &all[0]
		} else {
			b.children = all
		}
		return b, nil
	}
	slices.SortStableFunc(images, func(x, y *sourceManifest) int { return x.platform.compare(y.platform) })
	all := slices.Concat(images, attestationsOf(attestations, images))
	defaults, err := r.defaults(ctx)
	if err != nil {
		return nil, err
	}
	if b.root, err = writeIndex(all, withIndexAnnotations(sourceAnnotations, slices.Concat(defaults, r.Annotations))); err != nil {
		return nil, err
	}
	b.children, err = children(all)
	return b, err
}

// split gives the image manifests and the attestation manifests of all sources, each digest once. Two images for one platform are an
// error, except in an image that is copied whole.
func split(g gathered) (images, attestations []*sourceManifest, err error) {
	seen := map[v1.Hash]bool{}
	for _, t := range g.sources {
		for _, f := range t.manifests {
			if seen[f.Digest] {
				continue
			}
			seen[f.Digest] = true
			if f.attestation {
				attestations = append(attestations, f)
				continue
			}
			if i := slices.IndexFunc(images, func(o *sourceManifest) bool { return o.platform.same(f.platform) }); i >= 0 && !g.copyWhole {
				return nil, nil, duplicatePlatformError(images[i], f)
			}
			images = append(images, f)
		}
	}
	if len(images) == 0 {
		return nil, nil, errors.New("the source has no image")
	}
	if n := len(images) + len(attestations); n > maxChildren {
		return nil, nil, fmt.Errorf("%d manifests are more than the %d that an index may have", n, maxChildren)
	}
	return images, attestations, nil
}

// attestationsOf are those attestation manifests that are about one of the images, in the order of the images.
func attestationsOf(attestations, images []*sourceManifest) []*sourceManifest {
	var kept []*sourceManifest
	for _, i := range images {
		first := len(kept)
		for _, a := range attestations {
			if a.subject == i.Digest.String() {
				kept = append(kept, a)
			}
		}
		slices.SortFunc(kept[first:], func(x, y *sourceManifest) int { return cmp.Compare(x.Digest.Hex, y.Digest.Hex) })
	}
	return kept
}

// children are all manifests as they are pushed, each digest once; a blob that several of them name is one value.
func children(all []*sourceManifest) ([]Child, error) {
	shared := map[v1.Hash]registry.Blob{}
	for _, f := range all {
		for _, b := range f.blobs {
			have, ok := shared[b.Digest]
			if !ok {
				shared[b.Digest] = b
				continue
			}
			if have.Size != b.Size {
				return nil, fmt.Errorf("blob %s is listed with %d bytes and with %d", b.Digest, have.Size, b.Size)
			}
		}
	}
	out := make([]Child, 0, len(all))
	done := map[v1.Hash]bool{}
	for _, f := range all {
		if done[f.Digest] {
			continue
		}
		done[f.Digest] = true
		c := Child{Manifest: f.Manifest, Blobs: make([]registry.Blob, len(f.blobs)), From: f.repositories, SBOM: f.sbom}
		if !f.attestation {
			c.Platform = f.platform.normalName()
		}
		for i, b := range f.blobs {
			c.Blobs[i] = shared[b.Digest]
		}
		out = append(out, c)
	}
	return out, nil
}
