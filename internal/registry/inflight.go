package registry

import (
	"context"
	"sync"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// inflight joins the uploads of one blob that are under way, and remembers the blobs that the repository is known to
// hold. A failure is shared with those who waited for it and then forgotten.
type inflight struct {
	uploads shared[v1.Hash, struct{}]

	mu    sync.Mutex
	known map[v1.Hash]bool
}

func newInflight() *inflight { return &inflight{known: map[v1.Hash]bool{}} }

// do uploads a blob unless it is known to be there or another call is at it. sent is what this call's own upload sent.
func (f *inflight) do(ctx context.Context, digest v1.Hash, upload func() (int64, error)) (sent int64, err error) {
	if f.isKnown(digest) {
		return 0, nil
	}
	_, err = f.uploads.do(ctx, digest, func() (struct{}, error) {
		if f.isKnown(digest) { // by an upload that has ended since
			return struct{}{}, nil
		}
		n, err := upload()
		if sent = n; err == nil {
			f.markKnown(digest)
		}
		return struct{}{}, err
	})
	return sent, err
}

func (f *inflight) isKnown(digest v1.Hash) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.known[digest]
}

func (f *inflight) markKnown(digests ...v1.Hash) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, d := range digests {
		f.known[d] = true
	}
}

// MarkPresent notes blobs that the repository is known to hold, because it holds a manifest that names them: PushBlob does
// not ask for them again.
func (c *Client) MarkPresent(blobs ...v1.Hash) {
	c.p.blobs.markKnown(blobs...)
}

// ClearPresent drops what is known of blobs, for instance because the registry refused a manifest that names them.
func (c *Client) ClearPresent(blobs ...v1.Hash) {
	c.p.blobs.mu.Lock()
	defer c.p.blobs.mu.Unlock()
	for _, b := range blobs {
		delete(c.p.blobs.known, b)
	}
}

// LockManifest waits until no other caller brings that manifest to the repository, so that images which share a child
// bring it once: whoever comes second finds it there (LastSeen). The caller unlocks it. The error is why ctx ended.
func (c *Client) LockManifest(ctx context.Context, manifest v1.Hash) (unlock func(), err error) {
	c.p.mu.Lock()
	lock, ok := c.p.locks[manifest]
	if !ok {
		lock = make(chan struct{}, 1)
		c.p.locks[manifest] = lock
	}
	c.p.mu.Unlock()
	select {
	case lock <- struct{}{}:
		return func() { <-lock }, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}
