package registry_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/taglast/taglast/internal/registry"
	"github.com/taglast/taglast/internal/sandbox"
	"github.com/taglast/taglast/internal/testkit/registrytest"
)

func TestUploadsOfOneBlobAreOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		fail := true
		w.Before = func(rw http.ResponseWriter, r *http.Request) bool {
			if r.Method == http.MethodPatch {
				time.Sleep(time.Second)
				if fail {
					registrytest.Refuse(rw, http.StatusForbidden, "DENIED")
					return true
				}
			}
			return false
		}
		push := func() (sent int64, denied int) {
			var (
				wg sync.WaitGroup
				mu sync.Mutex
			)
			for range 20 {
				wg.Go(func() {
					n, err := w.client.PushBlob(t.Context(), blob("layer"))
					mu.Lock()
					defer mu.Unlock()
					sent += n
					if errors.Is(err, registry.ErrDenied) {
						denied++
					}
				})
			}
			wg.Wait()
			return sent, denied
		}
		if sent, denied := push(); sent != 0 || denied != 20 || w.Count("PATCH") != 1 {
			t.Errorf("a failure: %d bytes, %d denied, %d PATCHes", sent, denied, w.Count("PATCH"))
		}
		fail = false
		w.Reset()
		if sent, denied := push(); sent != 5 || denied != 0 || w.Count("PATCH") != 1 {
			t.Errorf("afterwards: %d bytes, %d denied, %d PATCHes", sent, denied, w.Count("PATCH"))
		}
	})
}

func TestAnUploadWhoseCallerGaveUpDoesNotFailTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.transport.Fault = func(r *http.Request, answered bool) error {
			if r.Method == http.MethodPatch && !answered {
				select {
				case <-r.Context().Done():
					return r.Context().Err()
				case <-time.After(time.Minute):
				}
			}
			return nil
		}
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, err := w.client.PushBlob(ctx, blob("layer")); !errors.Is(err, context.Canceled) {
				t.Errorf("the caller that gave up got %v", err)
			}
		})
		synctest.Wait()
		wg.Go(func() {
			if sent, err := w.client.PushBlob(t.Context(), blob("layer")); err != nil || sent != 5 {
				t.Errorf("the other got %d, %v", sent, err)
			}
		})
		synctest.Wait()
		cancel()
		wg.Wait()
	})
}

func TestRequestsToOneHostAreLimited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, func(o *registry.Options) { o.Jobs = 3 })
		var now, most atomic.Int64
		w.Before = func(http.ResponseWriter, *http.Request) bool {
			n := now.Add(1)
			for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
			}
			time.Sleep(time.Second)
			now.Add(-1)
			return false
		}
		var wg sync.WaitGroup
		for i := range 30 {
			wg.Go(func() {
				_, _ = w.clients.Repository(repo(t, host+"/acme/app")).PushBlob(t.Context(), blob(strings.Repeat("x", i+1)))
			})
		}
		wg.Wait()
		if most.Load() != 3 {
			t.Errorf("%d requests at once, want 3", most.Load())
		}
	})
}

// A layer that is read from the registry which it is pushed to needs a second request while the first holds its place.
func TestUploadsThatReadFromTheSameHostDoNotLock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, func(o *registry.Options) { o.Jobs = 1 })
		from := w.clients.Repository(repo(t, host+"/acme/base"))
		b := blob("layer")
		if _, err := from.PushBlob(t.Context(), b); err != nil {
			t.Fatal(err)
		}
		b.Open = func(ctx context.Context) (io.ReadCloser, error) { return from.OpenBlob(ctx, b.Digest) }
		if sent, err := w.client.PushBlob(t.Context(), b); err != nil || sent != 5 {
			t.Errorf("PushBlob = %d, %v", sent, err)
		}
	})
}

func TestALargeLayerPassesThroughLittleMemory(t *testing.T) {
	const size = 256 << 20
	open := func(context.Context) (io.ReadCloser, error) {
		return io.NopCloser(io.LimitReader(rand.NewChaCha8([32]byte{1}), size)), nil
	}
	src, _ := open(t.Context())
	h := sha256.New()
	if _, err := io.Copy(h, src); err != nil {
		t.Fatal(err)
	}
	b := registry.Blob{Descriptor: v1.Descriptor{Digest: v1.Hash{Algorithm: "sha256", Hex: hex.EncodeToString(h.Sum(nil))}, Size: size}, Open: open}
	for title, over := range map[string]func(*registrytest.Host) (string, http.RoundTripper){
		"in memory": func(g *registrytest.Host) (string, http.RoundTripper) {
			return host, &registrytest.Network{Hosts: map[string]http.Handler{host: g}}
		},
		"over HTTP": func(g *registrytest.Host) (string, http.RoundTripper) {
			s := httptest.NewServer(g)
			t.Cleanup(s.Close)
			return strings.TrimPrefix(s.URL, "http://"), s.Client().Transport
		},
	} {
		t.Run(title, func(t *testing.T) {
			g := registrytest.NewHost(t, host, sandbox.RegistryOptions{KeepBlobs: 1 << 20})
			host, transport := over(g)
			g.Name = host
			client := registry.NewClients(registry.Options{Transport: transport}).Repository(repo(t, host+"/acme/app"))
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			sent, err := client.PushBlob(t.Context(), b)
			runtime.ReadMemStats(&after)
			if err != nil || sent != size || !g.HasBlob("acme/app", b.Digest.String()) {
				t.Fatalf("PushBlob = %d, %v", sent, err)
			}
			// The registry is in this process, too, and the race detector adds its own.
			if used := after.TotalAlloc - before.TotalAlloc; used > 8<<20 {
				t.Errorf("%d bytes were allocated for a layer of %d", used, size)
			}
		})
	}
}

// What net/http makes of bodies that are sent again or break off is its own: a table over a real connection.
func TestOverHTTP(t *testing.T) {
	for title, before := range map[string]func(*http.Request, http.ResponseWriter, int) bool{
		"undisturbed": func(*http.Request, http.ResponseWriter, int) bool { return false },
		"a 401 in mid-upload": func(r *http.Request, w http.ResponseWriter, n int) bool {
			if r.Method != http.MethodPatch || n > 1 {
				return false
			}
			w.Header().Set("WWW-Authenticate", `Basic realm="x"`)
			w.WriteHeader(http.StatusUnauthorized)
			return true
		},
		"a connection that is closed in mid-upload": func(r *http.Request, w http.ResponseWriter, n int) bool {
			if r.Method == http.MethodPatch && n == 1 {
				panic(http.ErrAbortHandler)
			}
			return false
		},
	} {
		t.Run(title, func(t *testing.T) {
			var mu sync.Mutex // a client that sees a connection break does not wait for the handler to end
			seen := map[string]int{}
			g := registrytest.NewHost(t, host, sandbox.RegistryOptions{})
			g.Before = func(w http.ResponseWriter, r *http.Request) bool {
				mu.Lock()
				seen[r.Method]++
				n := seen[r.Method]
				mu.Unlock()
				return before(r, w, n)
			}
			s := httptest.NewServer(g)
			defer s.Close()
			g.Name = strings.TrimPrefix(s.URL, "http://")
			o := registry.Options{Transport: s.Client().Transport}
			o.Retry.Rand = func(int64) int64 { return 0 }
			client := registry.NewClients(o).Repository(repo(t, g.Name+"/acme/app"))
			b := blob(strings.Repeat("layer", 1<<18))
			if sent, err := client.PushBlob(t.Context(), b); err != nil || sent != b.Size {
				t.Fatalf("PushBlob = %d, %v", sent, err)
			}
			b = blob("broken layer")
			b.Open = func(context.Context) (io.ReadCloser, error) {
				return io.NopCloser(strings.NewReader("poison layer")), nil
			}
			if _, err := client.PushBlob(t.Context(), b); err == nil || !strings.Contains(err.Error(), "not what it claims") {
				t.Errorf("a layer that is none: %v", err)
			}
			if g.HasBlob("acme/app", digest([]byte("poison layer")).String()) || g.HasBlob("acme/app", b.Digest.String()) {
				t.Error("it was committed")
			}
		})
	}
}
