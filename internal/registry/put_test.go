package registry_test

import (
	"bytes"
	"errors"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/taglast/taglast/internal/registry"
	"github.com/taglast/taglast/internal/registry/permit"
	"github.com/taglast/taglast/internal/retry"
	"github.com/taglast/taglast/internal/testkit/registrytest"
)

// emptyIndex is a manifest that names nothing, so that any registry takes it.
func emptyIndex(t testing.TB, annotation string) registry.Manifest {
	return manifest(t, types.OCIImageIndex, v1.IndexManifest{
		SchemaVersion: 2, MediaType: types.OCIImageIndex, Manifests: []v1.Descriptor{}, Annotations: map[string]string{"a": annotation},
	})
}

func TestAManifestIsCheckedBeforeItIsSent(t *testing.T) {
	w := newWorld(t)
	good := emptyIndex(t, "")
	huge := bytes.Repeat([]byte(" "), registry.MaxManifest+1)
	for title, m := range map[string]registry.Manifest{
		"another digest": {Descriptor: v1.Descriptor{MediaType: good.MediaType, Digest: digest([]byte("x")), Size: good.Size}, Raw: good.Raw},
		"another size":   {Descriptor: v1.Descriptor{MediaType: good.MediaType, Digest: good.Digest, Size: 1}, Raw: good.Raw},
		"no media type":  {Descriptor: v1.Descriptor{Digest: good.Digest, Size: good.Size}, Raw: good.Raw},
		"too large":      {Descriptor: v1.Descriptor{MediaType: good.MediaType, Digest: digest(huge), Size: int64(len(huge))}, Raw: huge},
		"nothing":        {},
	} {
		if err := w.client.PutByDigest(t.Context(), m); err == nil {
			t.Errorf("%s was accepted", title)
		}
		if err := w.client.PutTag(permit.Tag(t.Context(), w.client.Name(), "1", m.Digest), "1", m, registry.Previous{}); err == nil {
			t.Errorf("%s was tagged", title)
		}
	}
	if n := len(w.Requests()); n != 0 {
		t.Errorf("%d requests were made", n)
	}
}

func TestAWriteWhoseAnswerIsLostIsLookedForBeforeItIsRepeated(t *testing.T) {
	m := emptyIndex(t, "")
	for title, c := range map[string]struct {
		reached bool
		fault   func(rw http.ResponseWriter) bool // nil: a reset
	}{
		"the request is lost":                 {false, nil},
		"the answer is lost":                  {true, nil},
		"a broken gateway, before the write":  {false, gateway},
		"a broken gateway, after the write":   {true, gateway},
		"too many requests, then it is taken": {false, busy},
	} {
		t.Run(title, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				faults := 0
				w.transport.Fault = func(r *http.Request, answered bool) error {
					if c.fault == nil && r.Method == http.MethodPut && answered == c.reached && faults == 0 {
						faults++
						return syscall.ECONNRESET
					}
					return nil
				}
				if c.fault != nil {
					inner := w.Host
					w.transport.Hosts[host] = http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
						if r.Method != http.MethodPut || faults > 0 {
							inner.ServeHTTP(rw, r)
							return
						}
						faults++
						if c.reached {
							inner.ServeHTTP(&nowhere{}, r)
						}
						c.fault(rw)
					})
				}
				if err := w.client.PutByDigest(t.Context(), m); err != nil || faults != 1 {
					t.Fatalf("%v, %d faults", err, faults)
				}
				if n := w.Count("PUT"); n != 1 {
					t.Errorf("the registry saw %d PUTs: %q", n, w.Requests())
				}
				if !w.HasManifest("acme/app", m.Digest.String()) {
					t.Error("it is not there")
				}
			})
		})
	}
}

func gateway(rw http.ResponseWriter) bool { rw.WriteHeader(http.StatusBadGateway); return true }

func busy(rw http.ResponseWriter) bool {
	rw.Header().Set("Retry-After", "3")
	registrytest.Refuse(rw, http.StatusTooManyRequests, "TOOMANYREQUESTS")
	return true
}

// nowhere is an answer that nobody reads.
type nowhere struct{}

func (nowhere) Header() http.Header         { return http.Header{} }
func (nowhere) Write(p []byte) (int, error) { return len(p), nil }
func (nowhere) WriteHeader(int)             {}

func TestTheLastAttemptMayHaveBeenTheOneThatArrived(t *testing.T) {
	w := newWorld(t, func(o *registry.Options) { o.Retry.Budget = -1 })
	w.transport.Fault = func(r *http.Request, answered bool) error {
		if r.Method == http.MethodPut && answered {
			return syscall.ECONNRESET
		}
		return nil
	}
	m := emptyIndex(t, "")
	if err := w.client.PutByDigest(t.Context(), m); err != nil {
		t.Error(err)
	}
	if err := w.client.PutTag(permit.Tag(t.Context(), w.client.Name(), "1", m.Digest), "1", m, registry.Previous{}); err != nil {
		t.Error(err)
	}
	if _, err := w.client.PushBlob(t.Context(), blob("layer")); err != nil {
		t.Error(err)
	}
}

func TestARegistryThatLagsIsGivenHalfAMinute(t *testing.T) {
	for _, code := range []string{"MANIFEST_BLOB_UNKNOWN", "MANIFEST_UNKNOWN", "NAME_UNKNOWN", "BLOB_UNKNOWN"} {
		t.Run(code, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				begin, lag := time.Now(), 20*time.Second
				w.Before = func(rw http.ResponseWriter, r *http.Request) bool {
					late := r.Method == http.MethodPut && time.Since(begin) < lag
					if late {
						registrytest.Refuse(rw, http.StatusNotFound, code)
					}
					return late
				}
				if err := w.client.PutByDigest(t.Context(), emptyIndex(t, "")); err != nil {
					t.Error(err)
				}
				begin, lag = time.Now(), time.Hour
				err := w.client.PutByDigest(t.Context(), emptyIndex(t, "other"))
				if took := time.Since(begin); !errors.Is(err, registry.ErrMissing) || took < 30*time.Second || took > 2*time.Minute {
					t.Errorf("after %s: %v", took, err)
				}
			})
		})
	}
}

func TestAnotherDigestInTheAnswerIsAnError(t *testing.T) {
	for title, said := range map[string]string{
		"another digest": "sha256:" + strings.Repeat("0", 64),
		"no digest":      "latest",
	} {
		t.Run(title, func(t *testing.T) {
			w := newWorld(t)
			w.Before = func(rw http.ResponseWriter, r *http.Request) bool {
				if r.Method == http.MethodPut {
					rw.Header().Set("Docker-Content-Digest", said)
					rw.WriteHeader(http.StatusCreated)
				}
				return r.Method == http.MethodPut
			}
			if err := w.client.PutByDigest(t.Context(), emptyIndex(t, "")); !errors.Is(err, registry.ErrBytes) {
				t.Error(err)
			}
		})
	}
}

func TestATagNeedsItsPermit(t *testing.T) {
	w := newWorld(t)
	m, other := emptyIndex(t, ""), emptyIndex(t, "other")
	app := w.client.Name()
	if err := w.client.PutTag(t.Context(), "1.2.3", m, registry.Previous{}); !errors.Is(err, registry.ErrGuard) {
		t.Errorf("without a permit: %v", err)
	}
	if err := w.client.PutTag(permit.Tag(t.Context(), app, "1.2.3", other.Digest), "1.2.3", m, registry.Previous{}); !errors.Is(err, registry.ErrGuard) {
		t.Errorf("with the permit of another digest: %v", err)
	}
	if err := w.client.PutTag(permit.Tag(t.Context(), app, m.Digest.String(), m.Digest), m.Digest.String(), m, registry.Previous{}); err == nil {
		t.Error("a digest was taken for a tag")
	}
	if w.Count("PUT") != 0 {
		t.Errorf("requests %q", w.Requests())
	}
	if err := w.client.PutTag(permit.Tag(t.Context(), app, "1.2.3", m.Digest), "1.2.3", m, registry.Previous{}); err != nil || w.Tags("acme/app")["1.2.3"] != m.Digest.String() {
		t.Errorf("with its permit: %v", err)
	}
}

func TestATagThatIsRefusedAndIsRightIsDone(t *testing.T) {
	m := emptyIndex(t, "")
	w := newWorld(t)
	ctx := permit.Tag(t.Context(), w.client.Name(), "1.2.3", m.Digest)
	if err := w.client.PutTag(ctx, "1.2.3", m, registry.Previous{}); err != nil {
		t.Fatal(err)
	}
	w.Before = func(rw http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodPut {
			registrytest.Refuse(rw, http.StatusBadRequest, "TAG_INVALID")
		}
		return r.Method == http.MethodPut
	}
	if err := w.client.PutTag(ctx, "1.2.3", m, registry.Previous{}); err != nil {
		t.Errorf("an immutable tag that is right: %v", err)
	}
	other := emptyIndex(t, "other")
	if err := w.client.PutTag(permit.Tag(t.Context(), w.client.Name(), "1.2.3", other.Digest), "1.2.3", other, registry.Previous{}); err == nil {
		t.Error("an immutable tag that is wrong was taken for written")
	}
}

func TestATagThatMovedBetweenTwoAttemptsIsNotOverwritten(t *testing.T) {
	for name, c := range map[string]struct {
		previous registry.Previous
		at       int // the write just before which somebody else writes
	}{
		"after our first look":    {registry.Previous{}, 2},
		"after the caller's look": {registry.Previous{Known: true}, 1},
	} {
		t.Run(name, func(t *testing.T) { notOverwritten(t, c.previous, c.at) })
	}
}

// notOverwritten lets somebody else write a tag just before our write of that number, which nothing answers.
func notOverwritten(t *testing.T, previous registry.Previous, at int) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		m, foreign := emptyIndex(t, ""), emptyIndex(t, "foreign")
		if err := w.client.PutTag(permit.Tag(t.Context(), w.client.Name(), "other", foreign.Digest), "other", foreign, registry.Previous{}); err != nil {
			t.Fatal(err)
		}
		puts := 0
		w.transport.Fault = func(r *http.Request, answered bool) error {
			if r.Method != http.MethodPut || answered || !strings.HasSuffix(r.URL.Path, "/latest") {
				return nil
			}
			if puts++; puts == at {
				req, err := http.NewRequest(http.MethodPut, r.URL.String(), bytes.NewReader(foreign.Raw))
				if err != nil {
					return err
				}
				req.Header.Set("Content-Type", string(foreign.MediaType))
				if _, err := w.World.RoundTrip(req); err != nil {
					return err
				}
			}
			return syscall.ECONNRESET
		}
		err := w.client.PutTag(permit.Tag(t.Context(), w.client.Name(), "latest", m.Digest), "latest", m, previous)
		if !errors.Is(err, registry.ErrMoved) || puts != at || w.Tags("acme/app")["latest"] != foreign.Digest.String() {
			t.Errorf("%v after %d PUTs, the tag names %s", err, puts, w.Tags("acme/app")["latest"])
		}
	})
}

func TestAProbeLeavesNothing(t *testing.T) {
	w := newWorld(t)
	if err := w.client.Probe(t.Context()); err != nil || w.Uploads() != 0 || w.Count("PATCH")+w.Count("PUT") != 0 {
		t.Errorf("%v, %d sessions", err, w.Uploads())
	}
	for status, denied := range map[int]bool{401: true, 403: true, 404: false} {
		w.Before = func(rw http.ResponseWriter, r *http.Request) bool {
			if r.Method == http.MethodPost {
				registrytest.Refuse(rw, status, "DENIED")
			}
			return r.Method == http.MethodPost
		}
		if err := w.client.Probe(t.Context()); err == nil || errors.Is(err, registry.ErrDenied) != denied {
			t.Errorf("%d became %v", status, err)
		}
	}
	w.Before = func(rw http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodDelete {
			registrytest.Refuse(rw, http.StatusMethodNotAllowed, "UNSUPPORTED")
		}
		return r.Method == http.MethodDelete
	}
	if err := w.client.Probe(t.Context()); err != nil {
		t.Errorf("a registry that cancels no uploads: %v", err)
	}
}

func TestWaitsAreReported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reported := 0
		w := newWorld(t, func(o *registry.Options) {
			o.Retry.Report = func(ev retry.Event) {
				if ev.Wait < 5*time.Second || !ev.Asked {
					t.Errorf("waits %s, asked %v", ev.Wait, ev.Asked)
				}
				reported++
			}
		})
		first := true
		w.Before = func(rw http.ResponseWriter, r *http.Request) bool {
			if r.Method != http.MethodPost || !first {
				return false
			}
			first = false
			rw.Header().Set("Retry-After", "5")
			registrytest.Refuse(rw, http.StatusForbidden, "DENIED")
			return true
		}
		if err := w.client.Probe(t.Context()); err != nil || reported != 1 {
			t.Errorf("%d waits are reported, %v", reported, err)
		}
	})
}

func TestHubIsWrittenDockerIO(t *testing.T) {
	w := newWorld(t, func(o *registry.Options) { o.Retry.Budget = -1 })
	_, err := w.clients.Repository(repo(t, "docker.io/acme/app")).Get(t.Context(), "1.2.3")
	if err == nil || !strings.HasPrefix(err.Error(), "read docker.io/acme/app:1.2.3: ") {
		t.Error(err)
	}
}

func TestTheUserAgentIsOursAlone(t *testing.T) {
	w := newWorld(t)
	w.Before = func(_ http.ResponseWriter, r *http.Request) bool {
		if got := r.Header.Get("User-Agent"); got != "taglast/test" {
			t.Errorf("%s %s says it is %s", r.Method, r.URL.Path, got)
		}
		return false
	}
	_, _ = w.client.PushBlob(t.Context(), blob("layer"))
}
