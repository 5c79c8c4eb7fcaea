package verify

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/taglast/taglast/internal/bounded"
	"github.com/taglast/taglast/internal/ociref"
	"github.com/taglast/taglast/internal/registry"
)

// subject is the artifact that a reference names.
type subject struct {
	digest v1.Hash
	image  *registry.Client // of its repository; nil for a file or a layout
}

// resolve finds the digest of ref: an image reference, with or without oci://; a file or an OCI layout where it begins
// like a path or exists under that name. An image's digest is computed from the manifest's bytes, never asked for; an
// index stays an index.
func (o Options) resolve(ctx context.Context, ref string) (subject, error) {
	if image, ok := strings.CutPrefix(ref, "oci://"); ok {
		return o.resolveImage(ctx, image)
	}
	path := o.path(ref)
	info, err := os.Stat(path)
	if err != nil && !looksLikePath(ref) {
		return o.resolveImage(ctx, ref)
	}
	if o.BundleFromOCI {
		return subject{}, fmt.Errorf("%w: --bundle-from-oci is for images, and %s is a path; begin an image's reference with oci://", ErrUsage, printable(ref))
	}
	var digest v1.Hash
	switch {
	case err != nil:
		return subject{}, fmt.Errorf("%s: %w", printable(ref), bounded.WithoutPath(err))
	case info.IsDir():
		digest, err = layoutDigest(path)
	case info.Mode().IsRegular():
		digest, err = fileDigest(ctx, path)
	default:
		err = errors.New("neither a file nor an OCI layout")
	}
	if err != nil {
		return subject{}, fmt.Errorf("%s: %w", printable(ref), err)
	}
	return subject{digest: digest}, nil
}

// looksLikePath reports whether ref begins with ./ ../ or /, or as a path does on Windows.
func looksLikePath(ref string) bool {
	slashed := filepath.ToSlash(ref)
	return strings.HasPrefix(slashed, "./") || strings.HasPrefix(slashed, "../") || strings.HasPrefix(slashed, "/") || filepath.IsAbs(ref)
}

func (o Options) resolveImage(ctx context.Context, ref string) (subject, error) {
	parsed, err := name.ParseReference(ref)
	if err != nil {
		return subject{}, fmt.Errorf("%w: %s is no image reference", ErrUsage, printable(ref))
	}
	clients := registry.NewClients(registry.Options{
		Transport: o.HTTP, Keychain: o.Keychain, Retry: o.retry(), ReadOnly: true, UserAgent: o.UserAgent,
	})
	client := clients.Repository(parsed.Context())
	m, err := client.Get(ctx, parsed.Identifier())
	if err != nil {
		return subject{}, err
	}
	return subject{m.Digest, client}, nil
}

// fileDigest hashes a file of any size.
func fileDigest(ctx context.Context, path string) (v1.Hash, error) {
	f, err := os.Open(path)
	if err != nil {
		return v1.Hash{}, bounded.WithoutPath(err)
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, reader{ctx, f}); err != nil {
		return v1.Hash{}, bounded.WithoutPath(err)
	}
	return ociref.FromSum([sha256.Size]byte(h.Sum(nil))), nil
}

// reader is r until its context ends.
type reader struct {
	ctx context.Context
	r   io.Reader
}

func (r reader) Read(p []byte) (int, error) {
	if r.ctx.Err() != nil {
		return 0, context.Cause(r.ctx)
	}
	return r.r.Read(p)
}
