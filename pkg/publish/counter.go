package publish

import (
	"net/http"
	"sync/atomic"
)

// counter counts what leaves the program.
type counter struct {
	base          http.RoundTripper
	reads, writes atomic.Int64
}

// RoundTrip counts GET and HEAD as reads, everything else as writes.
func (c *counter) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		c.reads.Add(1)
	} else {
		c.writes.Add(1)
	}
	return c.base.RoundTrip(r)
}
