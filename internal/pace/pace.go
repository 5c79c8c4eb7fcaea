// Package pace holds requests to the number that a server takes in a stretch of time, and waits.
package pace

import (
	"context"
	"sync"
	"time"
)

// Pace lets no more than a number of requests begin within any window, and none later than that needs. It is safe for
// concurrent use; nil lets all pass.
type Pace struct {
	window time.Duration

	mu     sync.Mutex
	starts []time.Time // ring of the latest beginnings
	next   int
}

// New is a pace of so many requests, at least one, within any window.
func New(requests int, window time.Duration) *Pace {
	return &Pace{window: window, starts: make([]time.Time, max(requests, 1))}
}

// Wait returns when a request may begin, or when ctx ends. A turn that ctx ends is lost to the others, which is on the
// safe side.
func (p *Pace) Wait(ctx context.Context) error {
	if p == nil {
		return context.Cause(ctx)
	}
	return Sleep(ctx, time.Until(p.reserve()))
}

// reserve is when the next request may begin: once the one that is a whole ring before it has left the window.
func (p *Pace) reserve() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	begin := time.Now()
	if oldest := p.starts[p.next]; !oldest.IsZero() {
		if free := oldest.Add(p.window); free.After(begin) {
			begin = free
		}
	}
	p.starts[p.next] = begin
	p.next = (p.next + 1) % len(p.starts)
	return begin
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
