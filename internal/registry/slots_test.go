package registry_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taglast/taglast/internal/registry"
	"github.com/taglast/taglast/internal/sandbox"
)

// flightCounter counts what is in flight, until answers are closed, and lets each request take as long as slow says.
type flightCounter struct {
	base http.RoundTripper
	slow func(*http.Request) time.Duration
	fail func(*http.Request) *http.Response // answers in the base's place, unless nil

	mu                  sync.Mutex
	all, layers         int
	mostAll, mostLayers int
	layerTotal          int
	pings, tokens       int
}

func carriesLayer(req *http.Request) bool {
	return req.Method == http.MethodPatch || req.Method == http.MethodGet && strings.Contains(req.URL.Path, "/blobs/sha256:")
}

func (c *flightCounter) RoundTrip(req *http.Request) (*http.Response, error) {
	layer := 0
	if carriesLayer(req) {
		layer = 1
	}
	c.mu.Lock()
	c.all, c.layers = c.all+1, c.layers+layer
	c.mostAll, c.mostLayers = max(c.mostAll, c.all), max(c.mostLayers, c.layers)
	c.layerTotal += layer
	switch {
	case req.URL.Path == "/v2/":
		c.pings++
	case strings.Contains(req.URL.Path, "token"):
		c.tokens++
	}
	c.mu.Unlock()
	end := sync.OnceFunc(func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.all, c.layers = c.all-1, c.layers-layer
	})
	if c.slow != nil {
		select {
		case <-time.After(c.slow(req)):
		case <-req.Context().Done():
			end()
			return nil, context.Cause(req.Context())
		}
	}
	if c.fail != nil {
		if resp := c.fail(req); resp != nil {
			if req.Body != nil {
				_ = req.Body.Close()
			}
			end()
			return resp, nil
		}
	}
	resp, err := c.base.RoundTrip(req)
	if err != nil {
		end()
		return nil, err
	}
	if req.Method == http.MethodHead || resp.Body == http.NoBody {
		end()
		return resp, nil
	}
	resp.Body = &ending{resp.Body, end}
	return resp, nil
}

type ending struct {
	io.ReadCloser
	end func()
}

func (e *ending) Close() error {
	defer e.end()
	return e.ReadCloser.Close()
}

// inSandbox are registry clients over a sandbox of two registries.
func inSandbox(t *testing.T, jobs int, c *flightCounter) (*registry.Clients, *sandbox.World) {
	t.Helper()
	w, err := sandbox.New(sandbox.Options{GitHubToken: "ghs_test"})
	if err != nil {
		t.Fatal(err)
	}
	c.base = w
	return registry.NewClients(registry.Options{Transport: c, Jobs: jobs}), w
}

func seconds(n float64) func(*http.Request) time.Duration {
	return func(*http.Request) time.Duration { return time.Duration(n * float64(time.Second)) }
}

// TestNoMoreIsInFlightThanJobsAndNoMoreThanEightLayers pushes to two registries at once: layers of this machine, layers
// that are streamed from one registry to the other, and looks at manifests beside them.
func TestNoMoreIsInFlightThanJobsAndNoMoreThanEightLayers(t *testing.T) {
	for _, c := range []struct{ jobs, all, layers int }{{0, 32, 8}, {12, 12, 8}, {5, 5, 4}, {1, 3, 2}} {
		t.Run(fmt.Sprint(c.jobs), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				count := &flightCounter{slow: seconds(1)}
				clients, world := inSandbox(t, c.jobs, count)
				from := clients.Repository(repo(t, "docker.io/acme/base"))
				var wg sync.WaitGroup
				for i := range 60 {
					content := fmt.Sprintf("layer %d", i)
					b := blob(content)
					if i%2 == 0 {
						if _, err := world.SeedBlob("index.docker.io", "acme/base", []byte(content)); err != nil {
							t.Fatal(err)
						}
						b.Remote = true
						b.Open = func(ctx context.Context) (io.ReadCloser, error) { return from.OpenBlob(ctx, b.Digest) }
					}
					to := clients.Repository(repo(t, []string{"ghcr.io/acme/app", "ghcr.io/acme/cli", "quay.io/acme/app"}[i%3]))
					wg.Go(func() {
						if sent, err := to.PushBlob(t.Context(), b); err != nil || sent != b.Size {
							t.Errorf("PushBlob = %d, %v", sent, err)
						}
					})
					wg.Go(func() { _, _ = to.Head(t.Context(), fmt.Sprintf("tag%d", i)) })
				}
				wg.Wait()
				if count.mostAll != c.all || count.mostLayers > c.layers || count.mostLayers < c.layers/2 {
					t.Errorf("%d requests and %d layers in flight, want %d and at most %d", count.mostAll, count.mostLayers, c.all, c.layers)
				}
				if count.layerTotal != 90 {
					t.Errorf("%d layers passed, want 60 uploads and 30 downloads", count.layerTotal)
				}
				if count.all != 0 || count.layers != 0 {
					t.Errorf("%d answers were left open", count.all)
				}
			})
		})
	}
}

func TestSlowLayersHoldNothingElseBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		count := &flightCounter{slow: func(r *http.Request) time.Duration {
			if carriesLayer(r) {
				return time.Hour
			}
			return 0
		}}
		clients, world := inSandbox(t, 0, count)
		client := clients.Repository(repo(t, "ghcr.io/acme/app"))
		mounted := blob("mounted")
		mounted.From = append(mounted.From, repo(t, "ghcr.io/acme/base"))
		if _, err := world.SeedBlob("ghcr.io", "acme/base", []byte("mounted")); err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		for i := range 20 {
			wg.Go(func() { _, _ = client.PushBlob(t.Context(), blob(fmt.Sprint(i))) })
		}
		synctest.Wait()
		begin := time.Now()
		if _, err := client.Tags(t.Context()); err != nil && !strings.Contains(err.Error(), "404") {
			t.Error(err)
		}
		if sent, err := client.PushBlob(t.Context(), mounted); err != nil || sent != 0 {
			t.Errorf("a mount: %d, %v", sent, err)
		}
		if took := time.Since(begin); took != 0 {
			t.Errorf("a list and a mount took %s beside layers that take an hour", took)
		}
		count.mu.Lock()
		layers := count.layers
		count.mu.Unlock()
		if layers != 8 {
			t.Errorf("%d layers are in flight", layers)
		}
		wg.Wait()
	})
}

// TestAWaitBeforeARetryHoldsNoSlot lets two uploads wait for a registry that asks for it, with slots for two.
func TestAWaitBeforeARetryHoldsNoSlot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var patches atomic.Int64
		count := &flightCounter{fail: func(r *http.Request) *http.Response {
			if r.Method != http.MethodPatch || r.URL.Host != "ghcr.io" || patches.Add(1) > 2 {
				return nil
			}
			return &http.Response{StatusCode: 503, Header: http.Header{"Retry-After": {"60"}}, Body: http.NoBody, Request: r}
		}}
		clients, _ := inSandbox(t, 3, count)
		var wg sync.WaitGroup
		for i := range 2 {
			wg.Go(func() {
				if _, err := clients.Repository(repo(t, "ghcr.io/acme/app")).PushBlob(t.Context(), blob(fmt.Sprint(i))); err != nil {
					t.Error(err)
				}
			})
		}
		synctest.Wait()
		begin := time.Now()
		if _, err := clients.Repository(repo(t, "quay.io/acme/app")).PushBlob(t.Context(), blob("other")); err != nil || time.Since(begin) != 0 {
			t.Errorf("another registry's upload took %s: %v", time.Since(begin), err)
		}
		wg.Wait()
		if time.Since(begin) < time.Minute {
			t.Errorf("nobody waited: %s", time.Since(begin))
		}
	})
}

// TestWaitingForOtherLayersIsNoPartOfTheBudget lets an upload wait for an hour and then fail once.
func TestWaitingForOtherLayersIsNoPartOfTheBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var once sync.Once
		count := &flightCounter{
			slow: func(r *http.Request) time.Duration {
				if r.Method == http.MethodPatch && r.URL.Host == "ghcr.io" {
					return time.Hour
				}
				return 0
			},
			fail: func(r *http.Request) (resp *http.Response) {
				if r.Method == http.MethodPatch && r.URL.Host == "quay.io" {
					once.Do(func() { resp = &http.Response{StatusCode: 503, Body: http.NoBody, Request: r} })
				}
				return resp
			},
		}
		clients, _ := inSandbox(t, 3, count)
		var wg sync.WaitGroup
		for i := range 2 {
			wg.Go(func() {
				_, _ = clients.Repository(repo(t, "ghcr.io/acme/app")).PushBlob(t.Context(), blob(fmt.Sprint(i)))
			})
		}
		synctest.Wait()
		begin := time.Now()
		if sent, err := clients.Repository(repo(t, "quay.io/acme/app")).PushBlob(t.Context(), blob("other")); err != nil || sent != 5 {
			t.Errorf("PushBlob = %d, %v", sent, err)
		}
		if time.Since(begin) < time.Hour {
			t.Errorf("it waited for %s only", time.Since(begin))
		}
		wg.Wait()
	})
}

func TestAWaitForASlotEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		count := &flightCounter{slow: seconds(3600)}
		clients, _ := inSandbox(t, 3, count)
		client := clients.Repository(repo(t, "ghcr.io/acme/app"))
		ctx, stop := context.WithTimeout(t.Context(), time.Second)
		defer stop()
		begin := time.Now()
		var wg sync.WaitGroup
		for i := range 9 {
			wg.Go(func() {
				if _, err := client.Head(ctx, fmt.Sprintf("tag%d", i)); err == nil {
					t.Error("answered")
				}
			})
		}
		wg.Wait()
		if took := time.Since(begin); took != time.Second {
			t.Errorf("it took %s", took)
		}
	})
}

// TestOnePingForAHostAndOneTokenForARepository: twenty first requests at once, to three repositories.
func TestOnePingForAHostAndOneTokenForARepository(t *testing.T) {
	w, err := sandbox.New(sandbox.Options{GitHubToken: "ghs_test", Registries: map[string]sandbox.RegistryOptions{
		"ghcr.io": {Auth: sandbox.Auth{Scheme: "bearer", Password: "ghs_test"}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	count := &flightCounter{base: w}
	clients := registry.NewClients(registry.Options{Transport: count, Keychain: keys{"ghs_test"}})
	var wg sync.WaitGroup
	for i := range 60 {
		client := clients.Repository(repo(t, fmt.Sprintf("ghcr.io/acme/app%d", i%3)))
		wg.Go(func() {
			if _, err := client.Head(t.Context(), digest([]byte(fmt.Sprint(i))).String()); err == nil {
				t.Error("found")
			}
		})
	}
	wg.Wait()
	if count.pings != 1 || count.tokens != 3 {
		t.Errorf("%d pings and %d tokens", count.pings, count.tokens)
	}
}
