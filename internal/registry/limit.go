package registry

import (
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/name"

	"github.com/taglast/taglast/internal/pace"
)

// perMinute is how many requests the hosts below take in a minute. GHCR answers the next one with 429 and
// "2000/minute"; Docker Hub speaks of "thousands per minute" for each address (Docker, "Docker Hub usage and limits").
const perMinute = 2000

// limits are one host's, for all of a run's clients.
type limits struct {
	slots chan struct{} // one token for each request under way
	pace  *pace.Pace    // of requests that begin; nil where the host is not known to count them
}

func newLimits(host string, jobs int) limits {
	l := limits{slots: make(chan struct{}, jobs)}
	switch strings.ToLower(hostname(host)) {
	case ghcr, name.DefaultRegistry:
		// The second beyond the minute is for requests that travel at different speeds.
		l.pace = pace.New(perMinute, time.Minute+time.Second)
	}
	return l
}
