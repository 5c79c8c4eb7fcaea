// Package registry is a registry as taglast needs it: manifests pushed by digest and read back, blobs skipped, mounted
// or streamed, tags read. Under every client sits the guard: a manifest PUT whose reference is not a sha256 digest is
// refused unless its context carries a permit (package internal/permit), which only the tag stage and the referrers
// writer can make.
package registry

import (
	"context"
	"io"
	"net/http"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/taglast/taglast/internal/retry"
)

// MaxManifest is the largest manifest that is read or written: 4 MiB, what the distribution specification asks
// registries to accept.
const MaxManifest = 4 << 20

// Manifest is a manifest's bytes and their descriptor (media type, size, sha256 computed here).
type Manifest struct {
	v1.Descriptor
	Raw []byte
}

// Blob is content to upload: Open is called once for each attempt and must yield exactly Size bytes that hash to Digest.
type Blob struct {
	v1.Descriptor
	Open func(context.Context) (io.ReadCloser, error)
	From []name.Repository // repositories that hold it: mounted from there where the registry is the same
}

// Options configure all clients of a run.
type Options struct {
	Transport http.RoundTripper // never nil
	Keychain  authn.Keychain    // nil: anonymous
	Retry     retry.Policy
	ReadOnly  bool              // pull scope only: plan and dry runs
	MountFrom []name.Repository // repositories whose pull scope is asked together with push, so that mounts work
	UserAgent string
}

// Client speaks to one repository for the length of a run. It is safe for concurrent use.
type Client struct{ p *client }

type client struct{}

// Clients hands out one Client for each repository and run.
type Clients struct{ p *clients }

type clients struct{}

// NewClients opens nothing: a repository is authenticated at its first use.
func NewClients(o Options) *Clients { panic("skeleton") }

// Repository is the client of that repository, always the same one.
func (c *Clients) Repository(r name.Repository) *Client { panic("skeleton") }

// Name is the repository.
func (c *Client) Name() name.Repository { panic("skeleton") }

// Head looks at a manifest by digest or tag: ErrNotFound where there is none. The descriptor is what the registry says, not proof.
func (c *Client) Head(ctx context.Context, ref string) (v1.Descriptor, error) { panic("skeleton") }

// Get reads a manifest by digest or tag, bounded by MaxManifest, and hashes it; by digest, other bytes are an error.
func (c *Client) Get(ctx context.Context, ref string) (Manifest, error) { panic("skeleton") }

// GetBlob reads a small blob whole (a config), checked against its digest and bounded by max bytes.
func (c *Client) GetBlob(ctx context.Context, digest v1.Hash, max int64) ([]byte, error) {
	panic("skeleton")
}

// OpenBlob streams a blob; the caller hashes (push does).
func (c *Client) OpenBlob(ctx context.Context, digest v1.Hash) (io.ReadCloser, error) {
	panic("skeleton")
}

// PushBlob uploads a blob unless it is there: HEAD, mount, or POST + PATCH + PUT. sent is the number of bytes uploaded.
func (c *Client) PushBlob(ctx context.Context, b Blob) (sent int64, err error) { panic("skeleton") }

// PutByDigest writes a manifest under its own digest, and only that.
func (c *Client) PutByDigest(ctx context.Context, m Manifest) error { panic("skeleton") }

// Probe proves that this token may push: an upload is begun and cancelled.
func (c *Client) Probe(ctx context.Context) error { panic("skeleton") }
