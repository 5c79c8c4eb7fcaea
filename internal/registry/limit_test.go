package registry_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-containerregistry/pkg/v1/types"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/taglast/taglast/internal/registry"
	"github.com/taglast/taglast/internal/sandbox"
	"github.com/taglast/taglast/internal/testkit/registrytest"
)

// pacedWorld is a registry on that host, and when its requests began.
type pacedWorld struct {
	clients *registry.Clients
	begin   time.Time

	mu sync.Mutex
	at []time.Duration
}

func newPacedWorld(t *testing.T, host string) *pacedWorld {
	w := &pacedWorld{begin: time.Now()}
	g := registrytest.NewHost(t, host, sandbox.RegistryOptions{})
	g.Before = func(http.ResponseWriter, *http.Request) bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.at = append(w.at, time.Since(w.begin))
		return false
	}
	w.clients = registry.NewClients(registry.Options{Transport: &registrytest.Network{Hosts: map[string]http.Handler{host: g}}})
	return w
}

// send makes so many requests at once, from two clients of the host: writes, looks, reads and uploads.
func (w *pacedWorld) send(t *testing.T, host string, requests int) {
	t.Helper()
	m := manifest(t, types.OCIImageIndex, v1.IndexManifest{SchemaVersion: 2, MediaType: types.OCIImageIndex})
	clients := []*registry.Client{w.clients.Repository(repo(t, host+"/acme/app")), w.clients.Repository(repo(t, host+"/acme/tool"))}
	for _, c := range clients { // a write each, and one ping of the host
		if err := c.PutByDigest(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	var all sync.WaitGroup
	defer all.Wait()
	for n := 3; n < requests; n += 7 { // an upload is four
		c := clients[n%2]
		all.Go(func() {
			_, head := c.Head(t.Context(), m.Digest.String())
			_, read := c.Get(t.Context(), m.Digest.String())
			_, push := c.PushBlob(t.Context(), blob(fmt.Sprint(n)))
			if err := errors.Join(head, read, push, c.PutByDigest(t.Context(), m)); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestHostsThatCountByTheMinuteAreSentNoMore(t *testing.T) {
	const requests, limit = 5001, 2000
	for _, host := range []string{"ghcr.io", "index.docker.io"} {
		t.Run(host, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newPacedWorld(t, host)
				w.send(t, host, requests)
				slices.Sort(w.at)
				if len(w.at) != requests {
					t.Fatalf("%d requests were sent", len(w.at))
				}
				for i := range w.at[limit:] {
					if w.at[i+limit]-w.at[i] <= time.Minute {
						t.Fatalf("%d requests within %s", limit+1, w.at[i+limit]-w.at[i])
					}
				}
				// No slower than it must be: whole minutes' worth at once, a second beyond the minute apart.
				if last := w.at[requests-1]; w.at[limit-1] != 0 || w.at[2*limit-1] != 61*time.Second || last != 2*61*time.Second {
					t.Errorf("they began at %s … %s … %s", w.at[limit-1], w.at[2*limit-1], last)
				}
			})
		})
	}
}

func TestOtherHostsAreNotPaced(t *testing.T) {
	for _, host := range []string{"quay.io", "127.0.0.1:5000", "ghcr.io.example", "registry.example"} {
		t.Run(host, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newPacedWorld(t, host)
				w.send(t, host, 5001)
				if took := time.Since(w.begin); took != 0 || len(w.at) != 5001 {
					t.Errorf("%d requests took %s", len(w.at), took)
				}
			})
		})
	}
}

func TestATurnIsWaitedForNoLongerThanTheContextLives(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newPacedWorld(t, "ghcr.io")
		w.send(t, "ghcr.io", 1998)
		w.at = nil
		c := w.clients.Repository(repo(t, "ghcr.io/acme/app"))
		ctx, stop := context.WithTimeout(t.Context(), time.Second)
		defer stop()
		var err error
		for range 3 { // the last two turns of this minute, and one more
			_, err = c.Tags(ctx)
		}
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(w.begin) != time.Second || len(w.at) != 2 {
			t.Errorf("after %s and %d requests: %v", time.Since(w.begin), len(w.at), err)
		}
	})
}
