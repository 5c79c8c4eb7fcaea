// Package retry holds the one retry policy that every client of taglast uses: which errors pass, how long to wait
// (exponential with full jitter, or what the server asked for by Retry-After), and when to give up.
package retry

import (
	"context"
	"time"
)

// Policy says how long an operation is tried again. The zero value is the registry's policy: two minutes.
type Policy struct {
	Budget time.Duration       // elapsed time after which no further attempt begins; zero means 2 minutes
	Base   time.Duration       // ceiling of the first wait; zero means 500 ms
	Cap    time.Duration       // ceiling of any wait that the server did not ask for; zero means 30 s
	Rand   func(n int64) int64 // uniform in [0, n); nil means math/rand/v2
	Report func(Event)         // called before each wait; nil means nobody listens
}

// Event is one failed attempt that will be followed by another.
type Event struct {
	Attempt int           // 1 for the first attempt
	Wait    time.Duration // how long the next attempt waits
	Asked   bool          // the server named the wait (Retry-After)
	Elapsed time.Duration // since the first attempt began
	Err     error
}

// Do calls op until it succeeds, fails for good, the budget is spent or ctx ends.
func Do(ctx context.Context, p Policy, op func(context.Context) error) error { panic("skeleton") }
