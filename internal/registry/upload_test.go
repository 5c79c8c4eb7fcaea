package registry_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-containerregistry/pkg/name"

	"github.com/taglast/taglast/internal/registry"
	"github.com/taglast/taglast/internal/sandbox"
	"github.com/taglast/taglast/internal/testkit/registrytest"
)

func TestABlobThatIsThereIsNotSentAgain(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	b := blob("layer")
	for range 2 {
		if _, err := w.client.PushBlob(ctx, b); err != nil {
			t.Fatal(err)
		}
	}
	if n := w.Count("HEAD"); n != 1 {
		t.Errorf("a blob that this client sent was asked for %d times", n)
	}
	b.Open = func(context.Context) (io.ReadCloser, error) { return nil, errors.New("opened") }
	other := registry.NewClients(registry.Options{Transport: w.transport}).Repository(repo(t, host+"/acme/app"))
	if sent, err := other.PushBlob(ctx, b); err != nil || sent != 0 {
		t.Errorf("PushBlob = %d, %v", sent, err)
	}
	w.Reset()
	w.client.MarkPresent(digest([]byte("known")))
	if _, err := w.client.PushBlob(ctx, blob("known")); err != nil || len(w.Requests()) != 0 {
		t.Errorf("a blob that is known to be there: %q, %v", w.Requests(), err)
	}
	w.client.ClearPresent(digest([]byte("known")))
	if sent, err := w.client.PushBlob(ctx, blob("known")); err != nil || sent != 5 {
		t.Errorf("a blob that was forgotten: %d, %v", sent, err)
	}
}

func TestABlobIsMountedFromTheSameRegistryAlone(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	b := blob("layer")
	if _, err := w.clients.Repository(repo(t, host+"/acme/base")).PushBlob(ctx, b); err != nil {
		t.Fatal(err)
	}
	for title, c := range map[string]struct {
		to   string
		from []name.Repository
		sent int64
	}{
		"from a repository that holds it":       {"/acme/mounted", []name.Repository{repo(t, "ghcr.io/acme/base"), repo(t, host+"/acme/base")}, 0},
		"a refusal is an upload's beginning":    {"/acme/uploaded", []name.Repository{repo(t, host+"/acme/none")}, 5},
		"not across registries":                 {"/acme/foreign", []name.Repository{repo(t, "ghcr.io/acme/base")}, 5},
		"not from itself":                       {"/acme/itself", []name.Repository{repo(t, host+"/acme/itself")}, 5},
		"a registry that knows no mount at all": {"/acme/plain", []name.Repository{repo(t, host+"/acme/base")}, 5},
	} {
		t.Run(title, func(t *testing.T) {
			w.Before = func(rw http.ResponseWriter, r *http.Request) bool {
				if c.to == "/acme/plain" && r.URL.Query().Has("mount") {
					registrytest.Refuse(rw, http.StatusBadRequest, "UNSUPPORTED")
					return true
				}
				return false
			}
			b.From = c.from
			sent, err := w.clients.Repository(repo(t, host+c.to)).PushBlob(ctx, b)
			if err != nil || sent != c.sent || !w.HasBlob(c.to[1:], b.Digest.String()) || w.Uploads() != 0 {
				t.Errorf("sent %d, %v, %d sessions", sent, err, w.Uploads())
			}
		})
	}
}

func TestLocationsAreTakenAsTheyAre(t *testing.T) {
	ctx := context.Background()
	t.Run("absolute, by http behind a proxy, with a signed query", func(t *testing.T) {
		w := newWorldOf(t, sandbox.RegistryOptions{AbsoluteURLs: true})
		if _, err := w.client.PushBlob(ctx, blob("layer")); err != nil {
			t.Error(err)
		}
	})
	t.Run("on a storage host, which gets the bytes and no credentials", func(t *testing.T) {
		i := &issuer{password: "secret", uses: 100}
		w := withIssuer(t, i, "https://auth.example/token")
		var got bytes.Buffer
		w.transport.Hosts["storage.example"] = http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(&got, r.Body)
			rw.Header().Set("Location", "https://"+host+"/v2/acme/app/blobs/uploads/1?from=storage")
			rw.WriteHeader(http.StatusAccepted)
		})
		asks := w.Before
		w.Before = func(rw http.ResponseWriter, r *http.Request) bool {
			if asks(rw, r) {
				return true
			}
			switch r.Method {
			case http.MethodPost:
				rw.Header().Set("Location", "https://storage.example/upload")
				rw.WriteHeader(http.StatusAccepted)
			case http.MethodPut:
				if r.URL.Query().Get("from") != "storage" {
					t.Errorf("PUT %s", r.URL)
				}
				rw.WriteHeader(http.StatusCreated)
			default:
				return false
			}
			return true
		}
		if _, err := w.client.PushBlob(ctx, blob("layer")); err != nil || got.String() != "layer" {
			t.Errorf("%q, %v", &got, err)
		}
		if sent := w.transport.Credentials("storage.example"); len(sent) != 0 {
			t.Errorf("storage.example was sent %q", sent)
		}
	})
	t.Run("a manifest's path is refused", func(t *testing.T) {
		w := newWorld(t)
		w.Before = func(rw http.ResponseWriter, r *http.Request) bool {
			if r.Method == http.MethodPost {
				rw.Header().Set("Location", "/v2/acme/app/manifests/latest")
				rw.WriteHeader(http.StatusAccepted)
			}
			return r.Method == http.MethodPost
		}
		if _, err := w.client.PushBlob(ctx, blob("layer")); !errors.Is(err, registry.ErrGuard) {
			t.Error(err)
		}
	})
}

func TestContentThatIsNotWhatItClaimsIsNeverCommitted(t *testing.T) {
	for title, open := range map[string]func() io.Reader{
		"other bytes": func() io.Reader { return strings.NewReader("LAYER") },
		"too few":     func() io.Reader { return strings.NewReader("laye") },
		"too many":    func() io.Reader { return strings.NewReader("layers") },
		"byte by byte": func() io.Reader {
			return io.MultiReader(strings.NewReader("L"), strings.NewReader("A"), strings.NewReader("YER"))
		},
	} {
		t.Run(title, func(t *testing.T) {
			w := newWorld(t)
			var received atomic.Int64
			w.Before = func(_ http.ResponseWriter, r *http.Request) bool {
				if r.Method == http.MethodPatch {
					r.Body = &counting{r.Body, &received}
				}
				return false
			}
			b := blob("layer")
			b.Open = func(context.Context) (io.ReadCloser, error) { return io.NopCloser(open()), nil }
			_, err := w.client.PushBlob(context.Background(), b)
			if err == nil || !strings.Contains(err.Error(), "content of layer "+b.Digest.String()+" is not what it claims") {
				t.Errorf("PushBlob = %v", err)
			}
			if w.Count("PUT") != 0 || w.Count("PATCH") != 1 || w.Count("DELETE") != 1 || w.Uploads() != 0 {
				t.Errorf("requests %q", w.Requests())
			}
			if received.Load() >= b.Size {
				t.Errorf("the registry got all %d bytes", received.Load())
			}
		})
	}
	t.Run("an empty blob with content", func(t *testing.T) {
		w := newWorld(t)
		b := blob("")
		b.Open = func(context.Context) (io.ReadCloser, error) { return io.NopCloser(strings.NewReader("x")), nil }
		if _, err := w.client.PushBlob(context.Background(), b); err == nil || w.Count("PUT") != 0 || w.Uploads() != 0 {
			t.Errorf("%v, %q", err, w.Requests())
		}
		if _, err := w.client.PushBlob(context.Background(), blob("")); err != nil {
			t.Errorf("an empty blob: %v", err)
		}
	})
}

type counting struct {
	io.ReadCloser
	n *atomic.Int64
}

func (c *counting) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	c.n.Add(int64(n))
	return n, err
}

func TestASourceThatCannotBeReadIsNamed(t *testing.T) {
	w := newWorld(t)
	b := blob("layer")
	b.Open = func(context.Context) (io.ReadCloser, error) { return os.Open(t.TempDir() + "/gone") }
	_, err := w.client.PushBlob(context.Background(), b)
	if !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "read layer "+b.Digest.String()) || w.Count("PATCH") != 1 {
		t.Errorf("PushBlob = %v, %q", err, w.Requests())
	}
}

func TestAnUploadThatIsBrokenOffBeginsAnewAfterALook(t *testing.T) {
	for title, c := range map[string]struct {
		method   string
		fault    func(rw http.ResponseWriter) // nil: the connection is reset
		answered bool                         // after the registry has done it
		patches  int
	}{
		"the POST is reset":               {http.MethodPost, nil, false, 1},
		"the PATCH is reset":              {http.MethodPatch, nil, false, 1},
		"the PATCH's answer is lost":      {http.MethodPatch, nil, true, 2},
		"the commit is reset":             {http.MethodPut, nil, false, 2},
		"the commit's answer is lost":     {http.MethodPut, nil, true, 1},
		"the session is unknown at PATCH": {http.MethodPatch, func(rw http.ResponseWriter) { registrytest.Refuse(rw, 404, "BLOB_UPLOAD_UNKNOWN") }, false, 2},
		"the session is unknown at PUT":   {http.MethodPut, func(rw http.ResponseWriter) { registrytest.Refuse(rw, 404, "BLOB_UPLOAD_UNKNOWN") }, false, 2},
		"another status for that":         {http.MethodPut, func(rw http.ResponseWriter) { registrytest.Refuse(rw, 400, "BLOB_UPLOAD_UNKNOWN") }, false, 2},
		"the upload is invalid at PUT":    {http.MethodPut, func(rw http.ResponseWriter) { registrytest.Refuse(rw, 400, "BLOB_UPLOAD_INVALID") }, false, 2},
		"the digest is invalid once":      {http.MethodPut, func(rw http.ResponseWriter) { registrytest.Refuse(rw, 400, "DIGEST_INVALID") }, false, 2},
		"the commit is too busy":          {http.MethodPut, func(rw http.ResponseWriter) { registrytest.Refuse(rw, 503, "UNAVAILABLE") }, false, 2},
		"the POST is too much": {http.MethodPost, func(rw http.ResponseWriter) {
			rw.Header().Set("Retry-After", "12.5ms")
			registrytest.Refuse(rw, 429, "TOOMANYREQUESTS")
		}, false, 1},
	} {
		t.Run(title, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				faults := 0
				if c.fault == nil {
					w.transport.Fault = func(r *http.Request, answered bool) error {
						if r.Method == c.method && answered == c.answered && faults == 0 {
							faults++
							return syscall.ECONNRESET
						}
						return nil
					}
				} else {
					w.Before = func(rw http.ResponseWriter, r *http.Request) bool {
						if r.Method == c.method && faults == 0 {
							faults++
							c.fault(rw)
							return true
						}
						return false
					}
				}
				b := blob("layer")
				opened := 0
				open := b.Open
				b.Open = func(ctx context.Context) (io.ReadCloser, error) { opened++; return open(ctx) }
				sent, err := w.client.PushBlob(t.Context(), b)
				if err != nil || sent != b.Size || !w.HasBlob("acme/app", b.Digest.String()) || faults != 1 {
					t.Fatalf("PushBlob = %d, %v, %d faults", sent, err, faults)
				}
				if n := w.Count("PATCH"); n != c.patches || opened > c.patches {
					t.Errorf("%d PATCHes, opened %d times, want %d", n, opened, c.patches)
				}
			})
		})
	}
}

func TestARegistryThatStaysBrokenEndsTheUploadInMinutes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.Before = func(rw http.ResponseWriter, r *http.Request) bool {
			if r.Method == http.MethodPatch {
				registrytest.Refuse(rw, http.StatusInternalServerError, "UNKNOWN")
			}
			return r.Method == http.MethodPatch
		}
		begin := time.Now()
		_, err := w.client.PushBlob(t.Context(), blob("layer"))
		if took := time.Since(begin); err == nil || took < 2*time.Minute || took > 7*time.Minute {
			t.Errorf("after %s: %v", took, err)
		}
	})
}
