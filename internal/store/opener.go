package store

import (
	"context"
	"fmt"

	"github.com/google/go-containerregistry/pkg/name"
)

// Image is what a store is opened for. A store that keeps bundles beside images needs the repositories.
type Image struct {
	Name         string // the image's name in the release
	Repositories []name.Repository
}

// Opener opens the store of one kind that keeps the bundles of an image. It may be called for several images at once,
// and may give all of them the same store.
type Opener func(ctx context.Context, image Image) (Store, error)

// Shared returns an Opener that gives every image the store s.
func Shared(s Store) Opener {
	return func(context.Context, Image) (Store, error) { return s, nil }
}

// OpenAll opens the stores of an image, in the order of the openers.
func OpenAll(ctx context.Context, openers []Opener, image Image) ([]Store, error) {
	stores := make([]Store, 0, len(openers))
	for _, open := range openers {
		s, err := open(ctx, image)
		if err != nil {
			return nil, fmt.Errorf("open a store for image %s: %w", image.Name, err)
		}
		stores = append(stores, s)
	}
	return stores, nil
}
