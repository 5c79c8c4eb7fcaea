package image

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/taglast/taglast/internal/ociref"
	"github.com/taglast/taglast/internal/registry"
)

// content is where manifests and blobs are read by digest: a layout or a repository. What it returns is hashed again by
// load, so that one place holds the promise.
type content interface {
	// where names the place in errors.
	where() string
	// repositories are the repositories that have everything here.
	repositories() []name.Repository
	// manifest reads no more than registry.MaxManifest bytes. The media type is empty where the place knows none.
	manifest(ctx context.Context, h v1.Hash) (raw []byte, t types.MediaType, err error)
	// config reads no more than limit bytes.
	config(ctx context.Context, h v1.Hash, limit int64) ([]byte, error)
	// blob is a blob as the pusher takes it; a layout looks whether it is there and has the size.
	blob(d v1.Descriptor) (registry.Blob, error)
}

// load reads the manifest that d names and checks digest, size and media type before anyone looks at its fields. A
// size of -1 and an empty media type are not known.
func load(ctx context.Context, c content, d v1.Descriptor) (registry.Manifest, error) {
	if d.Size > registry.MaxManifest {
		return registry.Manifest{}, fmt.Errorf("%s: manifest %s is %d bytes, more than %d", c.where(), d.Digest, d.Size, registry.MaxManifest)
	}
	raw, t, err := c.manifest(ctx, d.Digest)
	if err != nil {
		return registry.Manifest{}, err
	}
	if err := check(raw, d); err != nil {
		return registry.Manifest{}, fmt.Errorf("%s: manifest %s: %w", c.where(), d.Digest, err)
	}
	if d.MediaType != "" {
		if t != "" && t != d.MediaType {
			return registry.Manifest{}, fmt.Errorf("%s: manifest %s: it is listed as %s and served as %s", c.where(), d.Digest,
				quote(string(d.MediaType)), quote(string(t)))
		}
		t = d.MediaType
	}
	if t, err = mediaTypeOf(raw, t); err != nil {
		return registry.Manifest{}, fmt.Errorf("%s: manifest %s: %w", c.where(), d.Digest, err)
	}
	return newManifest(raw, t)
}

// loadConfig reads and checks a config.
func loadConfig(ctx context.Context, c content, d v1.Descriptor) ([]byte, error) {
	raw, err := c.config(ctx, d.Digest, maxConfig)
	if err != nil {
		return nil, err
	}
	if err := check(raw, d); err != nil {
		return nil, fmt.Errorf("%s: config %s: %w", c.where(), d.Digest, err)
	}
	return raw, nil
}

var errWrongDigest = errors.New("its content does not have this digest")

func check(raw []byte, d v1.Descriptor) error {
	if d.Size >= 0 && int64(len(raw)) != d.Size {
		return fmt.Errorf("it is listed with %d bytes and has %d", d.Size, len(raw))
	}
	if ociref.Sum(raw) != d.Digest {
		return errWrongDigest
	}
	return nil
}

// blobOf is a blob of this process.
func blobOf(raw []byte, t types.MediaType) registry.Blob {
	return registry.Blob{
		Descriptor: v1.Descriptor{MediaType: t, Size: int64(len(raw)), Digest: ociref.Sum(raw)},
		Open: func(context.Context) (io.ReadCloser, error) {
			return io.NopCloser(bytes.NewReader(raw)), nil
		},
	}
}
