// Package pace holds requests to a rate that a server allows, and waits.
package pace

import (
	"context"
	"sync"
	"time"
)

// Pace lets no more than a number of requests start within any window, each as early as that allows. It is safe for
// concurrent use; a nil Pace never waits.
type Pace struct {
	window time.Duration

	mu     sync.Mutex
	starts []time.Time // ring of the latest starts
	next   int         // the oldest of them
}

// New returns a Pace of so many requests within any window; fewer than one count as one.
func New(requests int, window time.Duration) *Pace {
	return &Pace{window: window, starts: make([]time.Time, max(requests, 1))}
}

// Wait returns when a request may start, or with the reason when ctx ends. A request whose ctx ended counts as one that
// started.
func (p *Pace) Wait(ctx context.Context) error {
	if p == nil {
		return context.Cause(ctx)
	}
	return Sleep(ctx, time.Until(p.reserve()))
}

// reserve returns when the next request may start, and counts it: it waits until the oldest start has left the window.
func (p *Pace) reserve() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	start := time.Now()
	if oldest := p.starts[p.next]; !oldest.IsZero() {
		if free := oldest.Add(p.window); free.After(start) {
			start = free
		}
	}
	p.starts[p.next] = start
	p.next = (p.next + 1) % len(p.starts)
	return start
}

// Sleep waits for d or the end of ctx, and returns why ctx ended.
func Sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return context.Cause(ctx)
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
	return context.Cause(ctx)
}
