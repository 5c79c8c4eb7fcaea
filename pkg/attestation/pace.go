package attestation

import (
	"context"
	"sync"
	"time"
)

// GitHub allows 80 requests a minute that create content (GitHub, "Rate limits for the REST API", secondary rate
// limits). The second beyond the minute is for requests that travel at different speeds.
const (
	paceRequests = 80
	paceWindow   = time.Minute + time.Second
)

// pace lets no more than paceRequests begin within any paceWindow. Its zero value is ready.
type pace struct {
	mu    sync.Mutex
	begun [paceRequests]time.Time // ring of the latest beginnings
	next  int
}

// wait returns when a request may begin. A turn that ctx ends is lost to the others, which is on the safe side.
func (p *pace) wait(ctx context.Context) error {
	p.mu.Lock()
	begin := time.Now()
	if oldest := p.begun[p.next]; !oldest.IsZero() {
		if free := oldest.Add(paceWindow); free.After(begin) {
			begin = free
		}
	}
	p.begun[p.next] = begin
	p.next = (p.next + 1) % paceRequests
	p.mu.Unlock()
	return sleep(ctx, time.Until(begin))
}
