package registry

import (
	"context"
	"errors"
	"sync"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// flights joins uploads of one blob, and remembers the blobs that the repository is known to hold. A failure is shared
// with those who waited for it and then forgotten.
type flights struct {
	mu    sync.Mutex
	known map[v1.Hash]bool
	air   map[v1.Hash]*flight
}

type flight struct {
	done chan struct{}
	err  error
}

func newFlights() *flights {
	return &flights{known: map[v1.Hash]bool{}, air: map[v1.Hash]*flight{}}
}

// do uploads a blob unless it is known to be there or another call is at it.
func (f *flights) do(ctx context.Context, digest v1.Hash, upload func() (int64, error)) (int64, error) {
	for {
		f.mu.Lock()
		if f.known[digest] {
			f.mu.Unlock()
			return 0, nil
		}
		other, ok := f.air[digest]
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
	own := &flight{done: make(chan struct{})}
	f.air[digest] = own
	f.mu.Unlock()

	sent, err := upload()

	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.air, digest)
	if own.err = err; err == nil {
		f.known[digest] = true
	}
	close(own.done)
	return sent, err
}

// Holds notes blobs that the repository is known to hold, because it holds a manifest that names them: PushBlob does
// not ask for them again.
func (c *Client) Holds(blobs ...v1.Hash) {
	c.p.blobs.mu.Lock()
	defer c.p.blobs.mu.Unlock()
	for _, b := range blobs {
		c.p.blobs.known[b] = true
	}
}

// Forget drops what is known of blobs, because the registry refused a manifest that names them.
func (c *Client) Forget(blobs ...v1.Hash) {
	c.p.blobs.mu.Lock()
	defer c.p.blobs.mu.Unlock()
	for _, b := range blobs {
		delete(c.p.blobs.known, b)
	}
}

// Turn waits until no other caller brings that manifest to the repository, so that images which share a child bring it
// once: whoever comes second finds it there (LastSeen). The caller ends its turn with done.
func (c *Client) Turn(ctx context.Context, manifest v1.Hash) (done func(), err error) {
	c.p.mu.Lock()
	turn, ok := c.p.turns[manifest]
	if !ok {
		turn = make(chan struct{}, 1)
		c.p.turns[manifest] = turn
	}
	c.p.mu.Unlock()
	select {
	case turn <- struct{}{}:
		return func() { <-turn }, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}
