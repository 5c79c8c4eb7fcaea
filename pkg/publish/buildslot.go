package publish

import (
	"context"
	"errors"
	"sync"

	"github.com/taglast/taglast/internal/image"
)

// buildSlot is an image's part in how many are built at the same time: each holds files open. An image that waits for
// another one gives its slot back meanwhile, so that no number of them can wait for each other's.
type buildSlot struct {
	free chan struct{} // filled by who builds

	mu      sync.Mutex
	held    bool
	waiting int // how many calls wait for another image
}

// take waits for a slot.
func (s *buildSlot) take(ctx context.Context) error {
	select {
	case s.free <- struct{}{}:
		s.held = true
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// give gives the slot back, if it is held.
func (s *buildSlot) give() {
	if s.held {
		<-s.free
		s.held = false
	}
}

// waitFor is built without holding the slot. It may be called from several goroutines.
func (s *buildSlot) waitFor(ctx context.Context, other string, built func(context.Context, string) (image.Built, error)) (image.Built, error) {
	s.mu.Lock()
	if s.waiting++; s.waiting == 1 {
		s.give()
	}
	s.mu.Unlock()
	b, err := built(ctx, other)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.waiting--; s.waiting == 0 {
		err = errors.Join(err, s.take(ctx))
	}
	return b, err
}
