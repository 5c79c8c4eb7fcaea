package image

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/taglast/taglast/internal/hint"
	"github.com/taglast/taglast/internal/ociref"
	"github.com/taglast/taglast/internal/registry"
)

// repository is the content of a registry's repository.
type repository struct{ client *registry.Client }

func (r repository) where() string                   { return ociref.DisplayName(r.client.Name()) }
func (r repository) repositories() []name.Repository { return []name.Repository{r.client.Name()} }

func (r repository) manifest(ctx context.Context, h v1.Hash) ([]byte, types.MediaType, error) {
	m, err := r.client.GetOnce(ctx, h)
	if err != nil {
		return nil, "", err
	}
	return m.Raw, m.MediaType, nil
}

func (r repository) config(ctx context.Context, h v1.Hash, limit int64) ([]byte, error) {
	return r.client.GetBlob(ctx, h, limit)
}

func (r repository) blob(d v1.Descriptor) (registry.Blob, error) {
	return registry.Blob{
		Descriptor: d,
		Open: func(ctx context.Context) (io.ReadCloser, error) {
			return r.client.OpenBlob(ctx, d.Digest)
		},
		From: r.repositories(),
	}, nil
}

// explainNotFound is err, in words and with a hint where the repository does not have the manifest.
func (r repository) explainNotFound(h v1.Hash, err error) error {
	if !errors.Is(err, registry.ErrNotFound) {
		return err
	}
	return hint.With(fmt.Errorf("%s does not have %s: %w", r.where(), h, err),
		"did the build jobs push to this repository? `repository:` of the source names another")
}
