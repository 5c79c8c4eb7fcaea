package publish

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/taglast/taglast/internal/image"
)

// With one slot an image can still wait for another, and that one for two more.
func TestWaitingImagesHoldNoSlot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		free := make(chan struct{}, 1)
		var order []string
		var build func(ctx context.Context, name string) (image.Built, error)
		needs := map[string][]string{"app": {"base"}, "base": {"one", "two"}}
		build = func(ctx context.Context, name string) (image.Built, error) {
			slot := &buildSlot{free: free}
			if err := slot.take(ctx); err != nil {
				return image.Built{}, err
			}
			defer slot.give()
			var wait sync.WaitGroup
			for _, other := range needs[name] {
				wait.Go(func() {
					if _, err := slot.waitFor(ctx, other, build); err != nil {
						t.Error(err)
					}
				})
			}
			wait.Wait()
			order = append(order, name) // whoever is here holds the one slot
			return image.Built{}, nil
		}
		if _, err := build(t.Context(), "app"); err != nil || len(order) != 4 || order[3] != "app" || order[2] != "base" {
			t.Errorf("%v, %v", order, err)
		}
		if len(free) != 0 {
			t.Error("a slot is still held")
		}
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		free <- struct{}{}
		if _, err := build(ended, "app"); err == nil {
			t.Error("a slot was taken after the run had ended")
		}
	})
}
