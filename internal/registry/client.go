package registry

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/taglast/taglast/internal/retry"
)

// client holds what one repository needs for a run. Locks that are held while the network answers are channels, so that
// waiting for them ends with the context.
type client struct {
	repo      name.Repository
	options   Options
	endpoint  endpoint
	host      *hostState
	slots     *slots
	cache     *manifestCache
	lists     shared[int64, []string] // of tags, by how many tags this client had begun to write
	probes    shared[struct{}, struct{}]
	tagWrites atomic.Int64
	login     chan struct{} // lock of session
	session   *session      // nil before the first use and after the registry refused it
	blobs     *inflight

	mu    sync.Mutex
	seen  map[v1.Hash]time.Time     // manifests, when the repository was last known to hold them
	read  map[v1.Hash]time.Time     // manifests, when they were last read from it and hashed
	locks map[v1.Hash]chan struct{} // one for each manifest that a caller of LockManifest brings
}

func newClient(r name.Repository, o Options, h *hostState, s *slots, k *manifestCache) *client {
	return &client{
		repo:     r,
		options:  o,
		endpoint: endpointOf(r),
		host:     h,
		slots:    s,
		cache:    k,
		login:    make(chan struct{}, 1),
		blobs:    newInflight(),
		seen:     map[v1.Hash]time.Time{},
		read:     map[v1.Hash]time.Time{},
		locks:    map[v1.Hash]chan struct{}{},
	}
}

// retry runs op under the run's policy.
func (c *client) retry(ctx context.Context, op func(context.Context) error) error {
	return retry.Do(ctx, c.options.Retry, op)
}

// LastSeen is when the repository was last known to hold the manifest (it was read or written by digest); the zero time
// if that is not known.
func (c *Client) LastSeen(digest v1.Hash) time.Time {
	c.p.mu.Lock()
	defer c.p.mu.Unlock()
	return c.p.seen[digest]
}

// LastRead is when the manifest was last read from the repository, and hashed; the zero time if it was not, or has been
// missed since. A HEAD or a write does not count: it is only the registry's word.
func (c *Client) LastRead(digest v1.Hash) time.Time {
	c.p.mu.Lock()
	defer c.p.mu.Unlock()
	return c.p.read[digest]
}

func (c *client) markSeen(digest v1.Hash) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seen[digest] = time.Now()
}

func (c *client) markRead(digest v1.Hash) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seen[digest] = time.Now()
	c.read[digest] = time.Now()
}

func (c *client) clearSeen(digest v1.Hash) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.seen, digest)
	delete(c.read, digest)
}

// path is a URL in the repository; the parts are joined as they are.
func (c *client) path(parts string) *url.URL {
	return &url.URL{Scheme: c.endpoint.scheme, Host: c.endpoint.host, Path: "/v2/" + c.repo.RepositoryStr() + parts}
}

// request describes one request, of which each attempt builds a new http.Request.
type request struct {
	method string
	url    *url.URL
	header http.Header
	body   func() (io.ReadCloser, error) // nil: there is no body
	size   int64
	remote bool // the body is read from another registry: two exchanges at once
}

func (r request) build(ctx context.Context, u *url.URL) (*http.Request, error) {
	clone := *u
	req, err := http.NewRequestWithContext(ctx, r.method, "", nil)
	if err != nil {
		return nil, err
	}
	req.URL, req.Host = &clone, clone.Host
	for k, v := range r.header {
		req.Header[k] = append([]string(nil), v...)
	}
	if r.body != nil {
		req.ContentLength, req.GetBody = r.size, r.body
		if req.Body, err = r.body(); err != nil {
			return nil, err
		}
	}
	return req, nil
}
