package pace_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taglast/taglast/internal/pace"
)

func TestNoWindowHoldsMoreThanThePaceAndNobodyWaitsLonger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const requests, window = 20, time.Minute
		p := pace.New(requests, window)
		begin := time.Now()
		var mu sync.Mutex
		at := map[time.Duration]int{}
		var all sync.WaitGroup
		for range 50 {
			all.Go(func() {
				if err := p.Wait(t.Context()); err != nil {
					t.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				at[time.Since(begin)]++
			})
		}
		all.Wait()
		if len(at) != 3 || at[0] != 20 || at[window] != 20 || at[2*window] != 10 {
			t.Errorf("they began at %v", at)
		}
		time.Sleep(window / 2)
		for range 10 {
			if err := p.Wait(t.Context()); err != nil || time.Since(begin) != 2*window+window/2 {
				t.Errorf("a free start came after %s, %v", time.Since(begin), err)
			}
		}
		if err := p.Wait(t.Context()); err != nil || time.Since(begin) != 3*window {
			t.Errorf("the 21st within a window began after %s, %v", time.Since(begin), err)
		}
	})
}

func TestAWaitEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := pace.New(1, time.Hour)
		ctx, stop := context.WithTimeout(t.Context(), time.Second)
		defer stop()
		begin := time.Now()
		if err := p.Wait(ctx); err != nil {
			t.Error(err)
		}
		if err := p.Wait(ctx); !errors.Is(err, context.DeadlineExceeded) || time.Since(begin) != time.Second {
			t.Errorf("it ended after %s with %v", time.Since(begin), err)
		}
		var none *pace.Pace
		if err := none.Wait(t.Context()); err != nil {
			t.Errorf("no pace: %v", err)
		}
		if err := none.Wait(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("no pace, a context that has ended: %v", err)
		}
	})
}
