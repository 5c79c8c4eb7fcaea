package retry

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Exhausted is the error of an operation whose budget is spent.
type Exhausted struct {
	Attempts int
	Elapsed  time.Duration // from the beginning of the first attempt to the end of the last
	Last     time.Time     // when the last attempt ended
	Asked    time.Duration // the wait that the server asked for last; zero if none
	Err      error         // of the last attempt
}

// Error says for how long and how often the operation was tried: "… 503 Service Unavailable for 2m00s (14 tries, last
// 14:31:07)".
func (e *Exhausted) Error() string {
	tries := "tries"
	if e.Attempts == 1 {
		tries = "try"
	}
	asked := ""
	if e.Asked > 0 {
		asked = ", the server asks to wait " + duration(e.Asked)
	}
	return fmt.Sprintf("%v for %s (%d %s, last %s%s)", e.Err, duration(e.Elapsed), e.Attempts, tries, e.Last.Format(time.TimeOnly), asked)
}

// Unwrap gives the last attempt's error.
func (e *Exhausted) Unwrap() error { return e.Err }

// duration returns d as a report writes it: 0.4s, 12s, 2m00s, 1h02m03s.
func duration(d time.Duration) string {
	if d < 10*time.Second {
		return fmt.Sprintf("%gs", d.Round(100*time.Millisecond).Seconds())
	}
	s := int64(d.Round(time.Second) / time.Second)
	switch {
	case s < 60:
		return fmt.Sprintf("%ds", s)
	case s < 3600:
		return fmt.Sprintf("%dm%02ds", s/60, s%60)
	}
	return fmt.Sprintf("%dh%02dm%02ds", s/3600, s/60%60, s%60)
}

// interrupted is the error of an operation whose context ended.
type interrupted struct {
	end, cause, last error
}

// interruptedBy joins what ended ctx with the last attempt's error, unless that one is it already.
func interruptedBy(ctx context.Context, last error) error {
	cause := context.Cause(ctx)
	if errors.Is(last, cause) {
		return last
	}
	return &interrupted{end: ctx.Err(), cause: cause, last: last}
}

func (e *interrupted) Error() string { return fmt.Sprintf("%v; before that: %v", e.cause, e.last) }

func (e *interrupted) Unwrap() []error { return []error{e.cause, e.end, e.last} }
