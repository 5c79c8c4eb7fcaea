package image

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/taglast/taglast/internal/provenance"
	"github.com/taglast/taglast/internal/registry"
)

// fromImage reads an image source whole.
func (r Request) fromImage(ctx context.Context, reg Registry) (gathered, error) {
	ref := r.Source.Image.Ref
	repo := ref.Context()
	t, err := readImage(ctx, repository{reg.Repository(repo)}, ref.Identifier(), r.KeepAttestations, r.InPlace)
	if err != nil {
		return gathered{}, err
	}
	return gathered{
		trees: []tree{t},
		deps:  []provenance.Dependency{dependency(repo, t.root.Digest)},
		whole: true,
		hint:  "copy an image that has it, or take it out of `platforms`",
	}, nil
}

// readImage reads the image that a tag or digest of the repository names. An image that stays in place
// sends no config: none is read where the index names the platform.
func readImage(ctx context.Context, c repository, identifier string, keep, inPlace bool) (tree, error) {
	read := func() (registry.Manifest, error) { return c.client.Get(ctx, identifier) }
	if h, err := parseDigest(identifier); err == nil { // two images of one source read it once
		read = func() (registry.Manifest, error) { return c.client.GetOnce(ctx, h) }
	}
	root, err := read()
	if err != nil {
		return tree{}, err
	}
	// A tag decides which digest it is; from here on the digest decides everything.
	d := v1.Descriptor{MediaType: root.MediaType, Size: int64(len(root.Raw)), Digest: hashOf(root.Raw)}
	if h, err := parseDigest(identifier); err == nil {
		d.Digest = h
	}
	where := shownRepository(c.client.Name()) + "@" + d.Digest.String()
	if err := check(root.Raw, d); err != nil {
		return tree{}, fmt.Errorf("%s: %w", where, err)
	}
	t, err := mediaTypeOf(root.Raw, root.MediaType)
	if err != nil {
		return tree{}, fmt.Errorf("%s: %w", where, err)
	}
	if root, err = newManifest(root.Raw, t); err != nil {
		return tree{}, fmt.Errorf("%s: %w", where, err)
	}
	w := &walker{content: c, where: where, keep: keep, listed: inPlace}
	return w.walk(ctx, root, descriptor{})
}

// Adopt reads an index (or a single image manifest) that a registry holds under digest, whole, attestation manifests
// included, for copying as it is. Its children keep the order of the index.
func Adopt(ctx context.Context, reg Registry, image string, repo name.Repository, digest v1.Hash) (Built, error) {
	t, err := readImage(ctx, repository{reg.Repository(repo)}, digest.String(), true, false)
	if err == nil && t.nested {
		err = fmt.Errorf("%s@%s: its index nests another, which taglast never writes", shownRepository(repo), digest)
	}
	if err != nil {
		return Built{}, fmt.Errorf("image %s: %w", image, err)
	}
	all, err := children(t.found)
	if err != nil {
		return Built{}, fmt.Errorf("image %s: %w", image, err)
	}
	b := &built{name: image, root: t.root, adopted: true}
	switch {
	case t.single:
		b.single = &all[0]
	case len(all) == 0:
		return Built{}, fmt.Errorf("image %s: %w", image, errors.New("the index is empty"))
	default:
		b.children = all
	}
	return Built{b}, nil
}
