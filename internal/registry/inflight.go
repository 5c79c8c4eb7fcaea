package registry

import (
	"context"
	"errors"
	"sync"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// inflight joins the uploads of one blob that are under way, and remembers the blobs that the repository is known to
// hold. A failure is shared with those who waited for it and then forgotten.
type inflight struct {
	mu      sync.Mutex
	known   map[v1.Hash]bool
	uploads map[v1.Hash]*pendingUpload
}

type pendingUpload struct {
	done chan struct{}
	err  error
}

func newInflight() *inflight {
	return &inflight{known: map[v1.Hash]bool{}, uploads: map[v1.Hash]*pendingUpload{}}
}

// do uploads a blob unless it is known to be there or another call is at it.
func (f *inflight) do(ctx context.Context, digest v1.Hash, upload func() (int64, error)) (int64, error) {
	for {
		f.mu.Lock()
		if f.known[digest] {
			f.mu.Unlock()
			return 0, nil
		}
		other, ok := f.uploads[digest]
		if !ok {
			break
		}
		f.mu.Unlock()
		select {
		case <-other.done:
		case <-ctx.Done():
			return 0, context.Cause(ctx)
		}
		// An upload that ended because its own caller gave up says nothing about ours.
		if other.err != nil && !errors.Is(other.err, context.Canceled) && !errors.Is(other.err, context.DeadlineExceeded) {
			return 0, other.err
		}
	}
	own := &pendingUpload{done: make(chan struct{})}
	f.uploads[digest] = own
	f.mu.Unlock()

	sent, err := upload()

	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.uploads, digest)
	if own.err = err; err == nil {
		f.known[digest] = true
	}
	close(own.done)
	return sent, err
}

// MarkPresent notes blobs that the repository is known to hold, because it holds a manifest that names them: PushBlob does
// not ask for them again.
func (c *Client) MarkPresent(blobs ...v1.Hash) {
	c.p.blobs.mu.Lock()
	defer c.p.blobs.mu.Unlock()
	for _, b := range blobs {
		c.p.blobs.known[b] = true
	}
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
