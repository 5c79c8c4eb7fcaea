// Package registry is a registry as taglast needs it: manifests pushed by digest and read back, blobs skipped, mounted
// or streamed, tags read. Under every client sits the guard: a manifest PUT whose reference is not a sha256 digest is
// refused unless its context carries a permit (package permit), which only the tag stage gives.
//
// It speaks the OCI distribution specification v1.1 in its own few lines over go-containerregistry's authenticated
// transport, never through that library's remote.Put, Tag, Write or Push, which write fallback tags unasked and retry
// on their own terms. Every operation is retried by the run's one policy (package retry), and a write whose answer was
// lost is resolved by looking. What is read is bounded and hashed: a registry's word about a digest is no proof.
package registry

import (
	"context"
	"io"
	"net/http"
	"sync"

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
	Open   func(context.Context) (io.ReadCloser, error)
	From   []name.Repository // repositories that hold it: mounted from there where the registry is the same
	Remote bool              // Open reads from a registry: the upload counts as two requests
}

// Options configure all clients of a run.
type Options struct {
	Transport http.RoundTripper // never nil; its timeouts are the run's
	Keychain  authn.Keychain    // nil: anonymous
	Retry     retry.Policy
	ReadOnly  bool              // pull scope only: plan and dry runs
	MountFrom []name.Repository // repositories whose pull scope is asked together with push, so that mounts work
	UserAgent string
	Jobs      int // requests in flight over all repositories, of them at most 8 that carry layers; zero means 32, less than 3 means 3
}

// Clients hands out one Client for each repository and run.
type Clients struct{ p *clients }

type clients struct {
	options Options

	slots *slots
	cache *manifestCache

	mu    sync.Mutex
	repos map[string]*Client
	hosts map[string]*hostState // as references spell them
}

// Client speaks to one repository for the length of a run. It is safe for concurrent use.
type Client struct{ p *client }

// NewClients opens nothing: a repository is authenticated at its first use.
func NewClients(o Options) *Clients {
	return &Clients{&clients{options: o, slots: newSlots(o.Jobs), cache: &manifestCache{manifests: map[string]Manifest{}}, repos: map[string]*Client{}, hosts: map[string]*hostState{}}}
}

// Repository is the client of that repository, always the same one.
func (c *Clients) Repository(r name.Repository) *Client {
	c.p.mu.Lock()
	defer c.p.mu.Unlock()
	if known, ok := c.p.repos[r.Name()]; ok {
		return known
	}
	host, ok := c.p.hosts[r.RegistryStr()]
	if !ok {
		host = newHostState(r.RegistryStr())
		c.p.hosts[r.RegistryStr()] = host
	}
	opened := &Client{newClient(r, c.p.options, host, c.p.slots, c.p.cache)}
	c.p.repos[r.Name()] = opened
	return opened
}

// Name is the repository.
func (c *Client) Name() name.Repository { return c.p.repo }
