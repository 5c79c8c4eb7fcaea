package registry_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-containerregistry/pkg/v1/types"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/taglast/taglast/internal/registry"
	"github.com/taglast/taglast/internal/registry/permit"
)

func indexBy(t *testing.T, by string) (raw []byte, h v1.Hash) {
	t.Helper()
	m := manifest(t, types.OCIImageIndex, v1.IndexManifest{SchemaVersion: 2, MediaType: types.OCIImageIndex, Annotations: map[string]string{"by": by}})
	return m.Raw, m.Digest
}

// requestsOf counts the requests of a method whose path ends so.
type requestsOf struct {
	http.RoundTripper
	method, suffix string

	mu sync.Mutex
	n  int
}

func (r *requestsOf) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Method == r.method && strings.HasSuffix(req.URL.Path, r.suffix) {
		r.mu.Lock()
		r.n++
		r.mu.Unlock()
	}
	return r.RoundTripper.RoundTrip(req)
}

func TestListsAndProbesOfOneMomentAreOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lists, probes := &requestsOf{method: "GET", suffix: "/tags/list"}, &requestsOf{method: "POST", suffix: "/blobs/uploads/"}
		count := &flightCounter{slow: seconds(1)}
		clients, world := inSandbox(t, 0, count)
		probes.RoundTripper, lists.RoundTripper, count.base = world, probes, lists
		raw, h := indexBy(t, "a run")
		if _, err := world.SeedManifest("ghcr.io", "acme/app", "1.0.0", string(types.OCIImageIndex), raw); err != nil {
			t.Fatal(err)
		}
		client := clients.Repository(repo(t, "ghcr.io/acme/app"))
		m, err := client.Get(t.Context(), h.String())
		if err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() {
				if tags, err := client.Tags(t.Context()); err != nil || len(tags) != 1 {
					t.Errorf("Tags = %v, %v", tags, err)
				}
			})
			wg.Go(func() {
				if err := client.Probe(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if lists.n != 1 || probes.n != 1 {
			t.Errorf("%d lists and %d probes", lists.n, probes.n)
		}
		// A list that was begun before a tag was written is not shared after it.
		count.slow = func(r *http.Request) time.Duration {
			if strings.HasSuffix(r.URL.Path, "/tags/list") {
				return time.Minute
			}
			return 0
		}
		count.fail = func(r *http.Request) *http.Response { // the sandbox takes no tag of what is not attested
			if r.Method != http.MethodPut {
				return nil
			}
			if _, err := world.SeedManifest("ghcr.io", "acme/app", "latest", string(types.OCIImageIndex), raw); err != nil {
				t.Error(err)
			}
			return &http.Response{StatusCode: http.StatusCreated, Body: http.NoBody, Request: r}
		}
		wg.Go(func() { _, _ = client.Tags(t.Context()) })
		synctest.Wait()
		if err := client.PutTag(permit.Tag(t.Context(), client.Name(), "latest", h), "latest", m, registry.Previous{}); err != nil {
			t.Fatal(err)
		}
		if tags, err := client.Tags(t.Context()); err != nil || len(tags) != 2 {
			t.Errorf("after the write: %v, %v", tags, err)
		}
		wg.Wait()
		if lists.n != 3 {
			t.Errorf("%d lists", lists.n)
		}
	})
}

func TestACallerThatGivesUpDoesNotFailTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		count := &flightCounter{slow: seconds(60)}
		clients, _ := inSandbox(t, 0, count)
		client := clients.Repository(repo(t, "ghcr.io/acme/app"))
		ctx, stop := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() {
			if err := client.Probe(ctx); !errors.Is(err, context.Canceled) {
				t.Errorf("the caller that gave up got %v", err)
			}
		})
		synctest.Wait()
		wg.Go(func() {
			if err := client.Probe(t.Context()); err != nil {
				t.Errorf("the other got %v", err)
			}
		})
		synctest.Wait()
		stop()
		wg.Wait()
	})
}

func TestASourcesManifestIsReadOnceInARun(t *testing.T) {
	count := &flightCounter{}
	clients, world := inSandbox(t, 0, count)
	reads := &requestsOf{RoundTripper: world, method: "GET"}
	raw, h := indexBy(t, "a source")
	reads.suffix, count.base = "/manifests/"+h.String(), reads
	for _, name := range []string{"acme/one", "acme/two"} {
		if _, err := world.SeedManifest("ghcr.io", name, "", string(types.OCIImageIndex), raw); err != nil {
			t.Fatal(err)
		}
	}
	var wg sync.WaitGroup
	for i := range 20 {
		client := clients.Repository(repo(t, "ghcr.io/acme/"+[]string{"one", "two"}[i%2]))
		wg.Go(func() {
			if m, err := client.GetOnce(t.Context(), h); err != nil || m.Digest != h {
				t.Errorf("GetOnce = %s, %v", m.Digest, err)
			}
		})
	}
	wg.Wait()
	if reads.n != 2 {
		t.Errorf("%d reads of two repositories", reads.n)
	}
	if _, err := clients.Repository(repo(t, "ghcr.io/acme/one")).Get(t.Context(), h.String()); err != nil || reads.n != 3 {
		t.Errorf("Get does not ask: %d reads, %v", reads.n, err)
	}
	for range 2 { // what is missing is asked for again
		if _, err := clients.Repository(repo(t, "ghcr.io/acme/three")).GetOnce(t.Context(), h); err == nil {
			t.Error("found")
		}
	}
	if reads.n != 5 {
		t.Errorf("%d reads", reads.n)
	}
}
