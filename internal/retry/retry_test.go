package retry_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taglast/taglast/internal/retry"
)

func status(code int) error {
	return &retry.StatusError{Method: "GET", URL: "https://r.example/v2/", Status: code}
}

func asks(code int, after time.Duration) error {
	return &retry.StatusError{Status: code, After: after, HasAfter: true}
}

func TestAnOutageOf45MinutesIsSurvived(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin, tries := time.Now(), 0
		p := retry.Policy{Budget: time.Hour}
		var last retry.Event
		p.Report = func(e retry.Event) {
			if e.Attempt != last.Attempt+1 || e.Elapsed < last.Elapsed || e.Err == nil || e.Asked {
				t.Errorf("event %+v after %+v", e, last)
			}
			if e.Wait <= 0 || e.Wait > 30*time.Second {
				t.Errorf("waits %s, want at most %s", e.Wait, 30*time.Second)
			}
			last = e
		}
		err := retry.Do(t.Context(), p, func(context.Context) error {
			tries++
			if time.Since(begin) < 45*time.Minute {
				return status(502)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if tries != last.Attempt+1 {
			t.Errorf("%d tries, but the last event speaks of %d", tries, last.Attempt)
		}
		if tries < 90 || tries > 450 {
			t.Errorf("%d tries in 45 minutes", tries)
		}
		if over := time.Since(begin) - 45*time.Minute; over > 30*time.Second {
			t.Errorf("noticed the recovery after %s", over)
		}
	})
}

func TestTheBudgetEndsTheTries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin, tries := time.Now(), 0
		cause := status(503)
		err := retry.Do(t.Context(), retry.Policy{}, func(context.Context) error { tries++; return cause })
		var give *retry.Exhausted
		if !errors.As(err, &give) {
			t.Fatalf("got %v, want an Exhausted", err)
		}
		if give.Attempts != tries || give.Elapsed != 2*time.Minute || !give.Last.Equal(begin.Add(2*time.Minute)) || give.Asked != 0 {
			t.Errorf("%+v after %d tries", give, tries)
		}
		if !errors.Is(err, cause) {
			t.Error("the last attempt's error is lost")
		}
		want := fmt.Sprintf("GET https://r.example/v2/: 503 Service Unavailable for 2m00s (%d tries, last %s)",
			tries, begin.Add(2*time.Minute).Format(time.TimeOnly))
		if err.Error() != want {
			t.Errorf("says %q, want %q", err, want)
		}
		if transient, _, _ := retry.Classify(fmt.Errorf("push: %w", err)); transient {
			t.Error("an outer Do would begin the budget anew")
		}
		if transient, _, _ := retry.Classify(retry.Transient(err, 0)); !transient {
			t.Error("a mark around it is not heeded")
		}
	})
}

func TestFinalErrorsAreReturnedAsTheyAre(t *testing.T) {
	for name, c := range map[string]struct {
		policy retry.Policy
		err    error
	}{
		"a status that does not pass":       {retry.Policy{}, status(404)},
		"a permanent mark on one that does": {retry.Policy{}, retry.Permanent(status(503))},
		"an unknown error":                  {retry.Policy{}, errors.New("no")},
		"any error under a negative budget": {retry.Policy{Budget: -1}, status(503)},
	} {
		t.Run(name, func(t *testing.T) {
			tries := 0
			err := retry.Do(t.Context(), c.policy, func(context.Context) error { tries++; return c.err })
			if err != c.err || tries != 1 { //nolint:errorlint // the very same error
				t.Errorf("got %v after %d tries", err, tries)
			}
		})
	}
}

func TestRetryAfterIsHonoured(t *testing.T) {
	for name, c := range map[string]struct {
		after    time.Duration
		from, to time.Duration
	}{
		"seconds":                  {12 * time.Second, 12 * time.Second, 13200 * time.Millisecond},
		"longer than the cap":      {time.Minute, time.Minute, 66 * time.Second},
		"the budget to the second": {2 * time.Minute, 2 * time.Minute, 2 * time.Minute},
		"milliseconds":             {12500 * time.Microsecond, 12500 * time.Microsecond, 13750 * time.Microsecond},
		"nothing is a little":      {0, 10 * time.Millisecond, 10 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begin, tries := time.Now(), 0
				err := retry.Do(t.Context(), retry.Policy{}, func(context.Context) error {
					if tries++; tries == 1 {
						return asks(429, c.after)
					}
					return nil
				})
				if waited := time.Since(begin); err != nil || waited < c.from || waited > c.to {
					t.Errorf("%v after %s, want %s to %s", err, waited, c.from, c.to)
				}
			})
		})
	}
}

func TestAWaitThatPassesTheBudgetIsNotBegun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		err := retry.Do(t.Context(), retry.Policy{Budget: time.Minute}, func(context.Context) error { return asks(429, time.Hour) })
		var give *retry.Exhausted
		if !errors.As(err, &give) || give.Attempts != 1 || give.Asked != time.Hour || time.Since(begin) != 0 {
			t.Errorf("got %v after %s", err, time.Since(begin))
		}
		if want := "429 Too Many Requests for 0s (1 try, last " + begin.Format(time.TimeOnly) + ", the server asks to wait 1h00m00s)"; err.Error() != want {
			t.Errorf("says %q, want %q", err, want)
		}
	})
}

func TestAServerThatAlwaysNamesMillisecondsIsNotHammered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tries := 0
		err := retry.Do(t.Context(), retry.Policy{}, func(context.Context) error {
			tries++
			return asks(429, 12500*time.Microsecond)
		})
		if err == nil || tries > 100 {
			t.Errorf("%d tries in two minutes", tries)
		}
	})
}

func TestJitterIsFullAndTheCeilingDoubles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var ceilings, waits []time.Duration
		p := retry.Policy{Budget: 10 * time.Minute}
		p.Rand = func(n int64) int64 { ceilings = append(ceilings, time.Duration(n)); return 0 }
		p.Report = func(e retry.Event) { waits = append(waits, e.Wait) }
		tries := 0
		_ = retry.Do(t.Context(), p, func(context.Context) error {
			if tries++; tries == 9 {
				return nil
			}
			return io.ErrUnexpectedEOF
		})
		if got, want := fmt.Sprint(ceilings), "[500ms 1s 2s 4s 8s 16s 30s 30s]"; got != want {
			t.Errorf("ceilings %s, want %s", got, want)
		}
		if got, want := fmt.Sprint(waits), "[10ms 10ms 10ms 10ms 10ms 10ms 10ms 10ms]"; got != want {
			t.Errorf("waits %s, want %s: never none", got, want)
		}
	})
}

func TestCancelStopsAWaitAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stop := errors.New("SIGTERM")
		ctx, cancel := context.WithCancelCause(t.Context())
		begin, failed := time.Now(), status(503)
		time.AfterFunc(7*time.Second, func() { cancel(stop) })
		err := retry.Do(ctx, retry.Policy{Budget: time.Hour}, func(context.Context) error { return failed })
		if waited := time.Since(begin); waited != 7*time.Second {
			t.Errorf("returned after %s", waited)
		}
		for _, want := range []error{context.Canceled, stop, failed} {
			if !errors.Is(err, want) {
				t.Errorf("%v is not %v", err, want)
			}
		}
		if !strings.HasPrefix(err.Error(), "SIGTERM; before that: GET ") {
			t.Errorf("says %q", err)
		}
		if transient, _, _ := retry.Classify(err); transient {
			t.Error("an interruption is retried")
		}
	})
}

func TestNothingIsTriedUnderADeadContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := retry.Do(ctx, retry.Policy{}, func(context.Context) error { t.Error("tried"); return nil })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestAnAttemptsOwnDeadlineIsTransient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tries := 0
		err := retry.Do(t.Context(), retry.Policy{AttemptTimeout: 10 * time.Second}, func(ctx context.Context) error {
			if tries++; tries == 3 {
				return nil
			}
			<-ctx.Done() // a server that accepts and never answers
			return ctx.Err()
		})
		if err != nil || tries != 3 {
			t.Errorf("%v after %d tries", err, tries)
		}
	})
}

func TestTheCallersDeadlineIsFinal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		tries := 0
		p := retry.Policy{AttemptTimeout: 10 * time.Second}
		p.Report = func(e retry.Event) { t.Errorf("speaks of another attempt: %+v", e) }
		err := retry.Do(ctx, p, func(ctx context.Context) error {
			tries++
			<-ctx.Done()
			return ctx.Err()
		})
		if !errors.Is(err, context.DeadlineExceeded) || tries != 1 {
			t.Errorf("%v after %d tries", err, tries)
		}
	})
}

func TestAHostThatNobodyKnowsIsNotTriedForTheWholeBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		err := retry.Do(t.Context(), retry.Policy{Budget: time.Hour}, func(context.Context) error {
			return &net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", Name: "r.example", IsNotFound: true}}
		})
		var give *retry.Exhausted
		if !errors.As(err, &give) || time.Since(begin) != 30*time.Second {
			t.Errorf("%v after %s", err, time.Since(begin))
		}
	})
}
