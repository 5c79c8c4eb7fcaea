package registry

import (
	"context"
	"errors"
	"sync"
)

// shared joins calls for the same answer that are under way at once. The zero value is ready.
type shared[K comparable, V any] struct {
	mu    sync.Mutex
	calls map[K]*sharedCall[V]
}

type sharedCall[V any] struct {
	done  chan struct{}
	value V
	err   error
}

// do gives what ask answers, or what another call for that key which is under way answers. Where that one ended because
// its own caller gave up, this one asks itself.
func (s *shared[K, V]) do(ctx context.Context, key K, ask func() (V, error)) (V, error) {
	for {
		s.mu.Lock()
		other, ok := s.calls[key]
		if !ok {
			break
		}
		s.mu.Unlock()
		select {
		case <-other.done:
		case <-ctx.Done():
			var none V
			return none, context.Cause(ctx)
		}
		if !errors.Is(other.err, context.Canceled) && !errors.Is(other.err, context.DeadlineExceeded) {
			return other.value, other.err
		}
	}
	own := &sharedCall[V]{done: make(chan struct{})}
	if s.calls == nil {
		s.calls = make(map[K]*sharedCall[V])
	}
	s.calls[key] = own
	s.mu.Unlock()

	own.value, own.err = ask()

	s.mu.Lock()
	defer s.mu.Unlock()
	if s.calls[key] == own {
		delete(s.calls, key)
	}
	close(own.done)
	return own.value, own.err
}
