// Package retry holds the one retry policy that every client of taglast uses: which errors are transient, how long to
// wait (exponential with full jitter, or what the server asked for by Retry-After), and when to give up.
//
// A client calls Do around one attempt that builds its request anew, turns a bad answer into an error with CheckStatus,
// and marks with Permanent or Transient what only it can know. Where an answer was lost, the client looks whether the
// request had its effect.
package retry

import (
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"time"

	"github.com/taglast/taglast/internal/pace"
)

const (
	defaultBudget     = 2 * time.Minute
	unknownHostBudget = 30 * time.Second // while name servers answer "no such host"

	minWait    = 10 * time.Millisecond  // between two attempts, whatever Rand says
	firstWait  = 500 * time.Millisecond // the ceiling of the first wait, which doubles
	maxWait    = 30 * time.Second       // the ceiling of any wait that the server did not ask for
	shortWaits = 5                      // so many times a server may ask for a wait below firstWait
)

// Policy says how long an operation is tried again. The zero value tries for two minutes.
type Policy struct {
	Budget         time.Duration       // elapsed time after which no further attempt begins; zero means 2 minutes, negative one attempt only
	AttemptTimeout time.Duration       // deadline of each attempt; zero means none
	Rand           func(n int64) int64 // uniform in [0, n); nil means math/rand/v2
	Report         func(Event)         // called before each wait; nil means nobody listens
}

// Event is one failed attempt that will be followed by another.
type Event struct {
	Attempt int           // 1 for the first attempt
	Wait    time.Duration // how long the next attempt waits
	Asked   bool          // the server named the wait (Retry-After)
	Elapsed time.Duration // since the first attempt began
	Err     error
}

// Do calls op until it succeeds, fails permanently, the budget is spent or ctx ends.
//
// An error that Classify does not call transient is returned as it is; so is any error under a negative budget. When
// the budget is spent, or the wait that the server asks for would pass it, the result is an *Exhausted. When ctx ends
// during a wait, the result is at once an error that is both ctx's and the last attempt's. An attempt that fails by
// its own AttemptTimeout, or by any other timeout while ctx lives, is transient.
func Do(ctx context.Context, p Policy, op func(context.Context) error) error {
	p = p.withDefaults()
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	begin := time.Now()
	for attempt := 1; ; attempt++ {
		err := once(ctx, p.AttemptTimeout, op)
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return interruptedBy(ctx, err)
		}
		transient, after, asked := Classify(err)
		if !transient || p.Budget < 0 {
			return err
		}
		elapsed := time.Since(begin)
		wait, ok := p.wait(err, attempt, elapsed, after, asked)
		if !ok {
			exhausted := &Exhausted{Attempts: attempt, Elapsed: elapsed, Last: time.Now(), Err: err}
			if asked {
				exhausted.Asked = after
			}
			return exhausted
		}
		if p.Report != nil {
			p.Report(Event{Attempt: attempt, Wait: wait, Asked: asked, Elapsed: elapsed, Err: err})
		}
		if pace.Sleep(ctx, wait) != nil {
			return interruptedBy(ctx, err)
		}
	}
}

// once makes one attempt, which ends after timeout where that is positive.
func once(ctx context.Context, timeout time.Duration, op func(context.Context) error) error {
	if timeout <= 0 {
		return op(ctx)
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	return op(ctx)
}

// wait returns the wait before the next attempt; false if there is to be none.
func (p Policy) wait(err error, attempt int, elapsed, after time.Duration, asked bool) (time.Duration, bool) {
	budget := p.Budget
	var dns *net.DNSError
	if errors.As(err, &dns) && dns.IsNotFound {
		budget = min(budget, unknownHostBudget)
	}
	if elapsed >= budget {
		return 0, false
	}
	if !asked {
		// The last wait is shortened, so that one attempt is made when the budget ends.
		return min(p.backoff(attempt), budget-elapsed), true
	}
	if after > budget-elapsed {
		return 0, false
	}
	wait := after + time.Duration(p.Rand(int64(after/10)+1))
	if after < firstWait && attempt > shortWaits {
		// A server that names milliseconds (12.5ms was seen) and then refuses again would be asked a thousand times.
		wait = max(wait, p.backoff(attempt-shortWaits))
	}
	return max(min(wait, budget-elapsed), after, minWait), true
}

// backoff is uniform below min(maxWait, firstWait·2ⁿ⁻¹): full jitter, so that those who failed together do not return
// together.
func (p Policy) backoff(n int) time.Duration {
	ceiling := firstWait
	for i := 1; i < n && ceiling < maxWait; i++ {
		ceiling = min(2*ceiling, maxWait)
	}
	return max(time.Duration(p.Rand(int64(ceiling))), minWait)
}

func (p Policy) withDefaults() Policy {
	if p.Budget == 0 {
		p.Budget = defaultBudget
	}
	if p.Rand == nil {
		p.Rand = rand.Int64N
	}
	return p
}
