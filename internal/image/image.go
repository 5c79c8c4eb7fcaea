package image

import (
	"context"
	"fmt"
	"slices"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/taglast/taglast/internal/ociref"
	"github.com/taglast/taglast/internal/provenance"
	"github.com/taglast/taglast/internal/registry"
	"github.com/taglast/taglast/pkg/release"
)

// imageSource is an image or index in any registry, which is copied whole.
type imageSource release.ImageSource

func newImageSource(s release.ImageSource) Source { return imageSource(s) }

// Repositories is the one that the reference names.
func (s imageSource) Repositories() []name.Repository { return []name.Repository{s.Ref.Context()} }

// Local is false: the image is in a registry.
func (imageSource) Local() bool { return false }

func (imageSource) check(context.Context, Env) error { return nil }

func (s imageSource) gather(ctx context.Context, env Env) (gathered, error) {
	repo := s.Ref.Context()
	t, err := readImage(ctx, repository{env.Registry.Repository(repo)}, s.Ref.Identifier(), env.KeepAttestations, s.staysIn(env.Repositories))
	if err != nil {
		return gathered{}, err
	}
	return gathered{
		sources:      []sourceImage{t},
		dependencies: []provenance.Dependency{dependency(repo, t.root.Digest)},
		copyWhole:    true,
		hint:         "copy an image that has it, or take it out of `platforms`",
	}, nil
}

// staysIn reports whether the image goes to the repository that it comes from, and to no other.
func (s imageSource) staysIn(repos []name.Repository) bool {
	from := s.Ref.Context().Name()
	return len(repos) > 0 && !slices.ContainsFunc(repos, func(r name.Repository) bool { return r.Name() != from })
}

// readImage reads the image that a tag or digest of the repository names. An image that stays in place
// sends no config: where the index names the platform, none is read.
func readImage(ctx context.Context, c repository, identifier string, keep, inPlace bool) (sourceImage, error) {
	read := func() (registry.Manifest, error) { return c.client.Get(ctx, identifier) }
	h, notDigest := ociref.ParseDigest(identifier)
	if notDigest == nil { // two images of one source read it once
		read = func() (registry.Manifest, error) { return c.client.GetOnce(ctx, h) }
	}
	root, err := read()
	if err != nil {
		return sourceImage{}, err
	}
	// A tag decides which digest it is; from here on the digest decides everything.
	d := v1.Descriptor{MediaType: root.MediaType, Size: int64(len(root.Raw)), Digest: ociref.Sum(root.Raw)}
	if notDigest == nil {
		d.Digest = h
	}
	where := ociref.DisplayName(c.client.Name()) + "@" + d.Digest.String()
	if err := check(root.Raw, d); err != nil {
		return sourceImage{}, fmt.Errorf("%s: %w", where, err)
	}
	t, err := mediaTypeOf(root.Raw, root.MediaType)
	if err != nil {
		return sourceImage{}, fmt.Errorf("%s: %w", where, err)
	}
	if root, err = newManifest(root.Raw, t); err != nil {
		return sourceImage{}, fmt.Errorf("%s: %w", where, err)
	}
	w := &walker{content: c, where: where, keepAttestations: keep, trustListedPlatform: inPlace}
	return w.walk(ctx, root, descriptor{})
}
