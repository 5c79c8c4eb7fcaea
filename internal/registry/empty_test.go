package registry_test

import (
	"context"
	"fmt"
	"io"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taglast/taglast/internal/ociref"
	"github.com/taglast/taglast/internal/registry"
)

// TestBlobsThatClaimToBeEmptyWaitForNoSlot: a source may say of its layers that they are empty. Reading them beside their
// uploads must not wait for slots that other such uploads hold.
func TestBlobsThatClaimToBeEmptyWaitForNoSlot(t *testing.T) {
	for _, jobs := range []int{3, 32} {
		t.Run(fmt.Sprint(jobs), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				clients, world := inSandbox(t, jobs, &flightCounter{slow: seconds(1)})
				from, to := clients.Repository(repo(t, "docker.io/acme/base")), clients.Repository(repo(t, "ghcr.io/acme/app"))
				ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
				defer cancel()
				var wait sync.WaitGroup
				for i := range 8 {
					content := fmt.Appendf(nil, "layer %d", i)
					if _, err := world.SeedBlob("index.docker.io", "acme/base", content); err != nil {
						t.Fatal(err)
					}
					b := registry.Blob{Remote: true}
					b.Digest = ociref.Sum(content)
					b.Open = func(ctx context.Context) (io.ReadCloser, error) { return from.OpenBlob(ctx, b.Digest) }
					wait.Go(func() {
						if _, err := to.PushBlob(ctx, b); err == nil {
							t.Errorf("layer %d was pushed as an empty one", i)
						}
					})
				}
				wait.Wait()
				if ctx.Err() != nil {
					t.Error("the uploads waited for each other")
				}
			})
		})
	}
}
