package publish

import (
	"context"
	"sync"
)

// latch opens when it has been told so many times as it was made for.
type latch struct {
	mu   sync.Mutex
	left int
	open chan struct{}
}

// newLatch makes a latch that opens after n calls of done; at once for n of zero.
func newLatch(n int) *latch {
	l := &latch{left: n, open: make(chan struct{})}
	if n == 0 {
		close(l.open)
	}
	return l
}

func (l *latch) done() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.left--; l.left == 0 {
		close(l.open)
	}
}

// wait returns nil when the latch is open, or why ctx has ended.
func (l *latch) wait(ctx context.Context) error {
	select {
	case <-l.open:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
