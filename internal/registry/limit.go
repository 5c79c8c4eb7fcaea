package registry

import (
	"time"

	"github.com/taglast/taglast/internal/ociref"
	"github.com/taglast/taglast/internal/pace"
	"github.com/taglast/taglast/internal/weburl"
)

// perMinute is how many requests the hosts below take in a minute. GHCR answers the next one with 429 and
// "2000/minute"; Docker Hub speaks of "thousands per minute" for each address (Docker, "Docker Hub usage and limits").
const perMinute = 2000

// newPace is the pace of requests to a host; nil where it is not known to count them.
func newPace(host string) *pace.Pace {
	if bare := ociref.Host(weburl.Hostname(host)); bare == ghcr || bare == ociref.Hub {
		// The second beyond the minute is for requests that travel at different speeds.
		return pace.New(perMinute, time.Minute+time.Second)
	}
	return nil
}
