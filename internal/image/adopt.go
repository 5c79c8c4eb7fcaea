package image

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/taglast/taglast/internal/ociref"
)

// Adopt reads an index (or a single image manifest) that a registry holds under digest, whole, attestation manifests
// included, for copying as it is. Its children keep the order of the index.
func Adopt(ctx context.Context, reg Registry, image string, repo name.Repository, digest v1.Hash) (Built, error) {
	t, err := readImage(ctx, repository{reg.Repository(repo)}, digest.String(), true, false)
	if err == nil && t.nested {
		err = fmt.Errorf("%s@%s: its index nests another, which taglast never writes", ociref.DisplayName(repo), digest)
	}
	if err != nil {
		return Built{}, fmt.Errorf("image %s: %w", image, err)
	}
	all, err := children(t.manifests)
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
