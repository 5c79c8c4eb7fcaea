package store

import (
	"time"

	"github.com/taglast/taglast/internal/pace"
)

// newPace is GitHub's: it allows 80 requests a minute that create content (GitHub, "Rate limits for the REST API",
// secondary rate limits). The second beyond the minute is for requests that travel at different speeds.
func newPace() *pace.Pace { return pace.New(80, time.Minute+time.Second) }
