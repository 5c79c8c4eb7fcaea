package registry_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/taglast/taglast/internal/registry"
	"github.com/taglast/taglast/internal/testkit/registrytest"
)

// serve makes every manifest answer the same.
func serve(contentType, body string) func(http.ResponseWriter, *http.Request) bool {
	return func(w http.ResponseWriter, r *http.Request) bool {
		if !strings.Contains(r.URL.Path, "/manifests/") {
			return false
		}
		w.Header().Set("Content-Type", contentType)
		_, _ = io.WriteString(w, body)
		return true
	}
}

func TestWhatIsNoManifestIsRefused(t *testing.T) {
	const index, image = "application/vnd.oci.image.index.v1+json", "application/vnd.oci.image.manifest.v1+json"
	for title, c := range map[string]struct {
		contentType, body string
		want              types.MediaType // empty: refused
	}{
		"an index":                        {index, `{"schemaVersion":2,"mediaType":"` + index + `","manifests":[]}`, index},
		"an index that is silent":         {index, `{"schemaVersion":2,"manifests":[]}`, index},
		"an index of a silent registry":   {"application/json", `{"schemaVersion":2,"manifests":[]}`, index},
		"an image of a silent registry":   {"text/plain; charset=utf-8", `{"schemaVersion":2,"config":{},"layers":[]}`, image},
		"a type with a parameter":         {image + "; charset=utf-8", `{"schemaVersion":2,"config":{},"layers":[]}`, image},
		"types that disagree":             {image, `{"schemaVersion":2,"mediaType":"` + index + `","manifests":[]}`, ""},
		"index and image at once":         {index, `{"schemaVersion":2,"manifests":[],"layers":[]}`, ""},
		"image and index at once":         {image, `{"schemaVersion":2,"manifests":[],"config":{}}`, ""},
		"both, of a silent registry":      {"application/json", `{"schemaVersion":2,"manifests":[],"config":{}}`, ""},
		"neither, of a silent registry":   {"application/json", `{"schemaVersion":2}`, ""},
		"Docker's schema 1":               {"application/vnd.docker.distribution.manifest.v1+prettyjws", `{"schemaVersion":1}`, ""},
		"schema 1 under another name":     {image, `{"schemaVersion":1,"config":{},"layers":[]}`, ""},
		"another media type":              {"application/vnd.oci.artifact.manifest.v1+json", `{"schemaVersion":2}`, ""},
		"garbage":                         {index, `<html>`, ""},
		"more than 4 MiB":                 {index, `{"schemaVersion":2,"manifests":[],"x":"` + strings.Repeat("x", registry.MaxManifest) + `"}`, ""},
		"a type that is no text for logs": {"application/json", "{\"schemaVersion\":2,\"mediaType\":\"\\n::add-mask::x\"}", ""},
	} {
		t.Run(title, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.Before = serve(c.contentType, c.body)
				m, err := w.client.Get(context.Background(), "latest")
				if (err == nil) != (c.want != "") || m.MediaType != c.want {
					t.Fatalf("Get = %q, %v", m.MediaType, err)
				}
				if err == nil && (m.Digest != digest([]byte(c.body)) || m.Size != int64(len(c.body)) || string(m.Raw) != c.body) {
					t.Errorf("descriptor %+v", m.Descriptor)
				}
				if err != nil && strings.ContainsAny(err.Error(), "\n\r\x1b") {
					t.Errorf("%q holds control characters", err)
				}
			})
		})
	}
}

func TestOtherBytesThanTheDigestAreRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.Before = serve(string(types.OCIImageIndex), `{"schemaVersion":2,"manifests":[]}`)
		begin := time.Now()
		_, err := w.client.Get(context.Background(), digest([]byte("other")).String())
		if !errors.Is(err, registry.ErrBytes) || time.Since(begin) > 30*time.Second {
			t.Errorf("after %s: %v", time.Since(begin), err)
		}
		if n := w.Count("GET /v2/acme/app/manifests/"); n != 3 {
			t.Errorf("asked %d times", n)
		}
	})
}

func TestAnAnswerThatIsCutShortIsAskedForAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		m := manifest(t, types.OCIImageIndex, v1.IndexManifest{SchemaVersion: 2, MediaType: types.OCIImageIndex})
		cut := 0
		w.Before = func(rw http.ResponseWriter, r *http.Request) bool {
			if !strings.Contains(r.URL.Path, "/manifests/") || r.Method != http.MethodGet {
				return false
			}
			rw.Header().Set("Content-Type", string(m.MediaType))
			raw := m.Raw
			switch cut++; cut {
			case 1: // as a transport reports it
				rw.Header().Set("Content-Length", strconv.Itoa(len(raw)))
				raw = raw[:5]
			case 2: // and where nothing tells the length
				raw = raw[:5]
			}
			rw.Header().Set("Docker-Content-Digest", m.Digest.String())
			_, _ = rw.Write(raw)
			return true
		}
		got, err := w.client.Get(context.Background(), "latest")
		if err != nil || !bytes.Equal(got.Raw, m.Raw) || cut != 3 {
			t.Errorf("Get = %v after %d", err, cut)
		}
	})
}

func TestHeadReadsTheManifestWhereTheAnswerSaysTooLittle(t *testing.T) {
	w := newWorld(t)
	const body = `{"schemaVersion":2,"manifests":[]}`
	w.Before = serve("application/json", body)
	d, err := w.client.Head(context.Background(), "latest")
	if err != nil || d.Digest != digest([]byte(body)) || d.MediaType != types.OCIImageIndex || d.Size != int64(len(body)) {
		t.Errorf("Head = %+v, %v", d, err)
	}
}

func TestWhatIsNotThereIsNotFound(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	for title, look := range map[string]func() error{
		"a tag":    func() error { _, err := w.client.Get(ctx, "1.2.3"); return err },
		"a digest": func() error { _, err := w.client.Head(ctx, digest(nil).String()); return err },
		"a blob":   func() error { _, err := w.client.GetBlob(ctx, digest(nil), 10); return err },
		"a stream": func() error { _, err := w.client.OpenBlob(ctx, digest(nil)); return err },
	} {
		if err := look(); !errors.Is(err, registry.ErrNotFound) || !strings.Contains(err.Error(), host+"/acme/app") {
			t.Errorf("%s: %v", title, err)
		}
	}
	if _, err := w.client.Get(ctx, "../../x"); err == nil || errors.Is(err, registry.ErrNotFound) {
		t.Errorf("a reference that is none: %v", err)
	}
}

func TestReadBackWaitsForARegistryThatLags(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		m := manifest(t, types.OCIImageIndex, v1.IndexManifest{SchemaVersion: 2, MediaType: types.OCIImageIndex})
		if err := w.client.PutByDigest(t.Context(), m); err != nil {
			t.Fatal(err)
		}
		begin := time.Now()
		lag := 40 * time.Second
		w.Before = func(rw http.ResponseWriter, r *http.Request) bool {
			if r.Method == http.MethodGet && time.Since(begin) < lag {
				registrytest.Refuse(rw, http.StatusNotFound, "MANIFEST_UNKNOWN")
				return true
			}
			return false
		}
		if _, err := w.client.ReadBack(t.Context(), m.Digest); err != nil {
			t.Error(err)
		}
		lag = time.Hour
		begin = time.Now()
		if _, err := w.client.ReadBack(t.Context(), m.Digest); !errors.Is(err, registry.ErrNotFound) {
			t.Errorf("a manifest that never comes: %v", err)
		}
		if took := time.Since(begin); took < time.Minute || took > 3*time.Minute {
			t.Errorf("it was waited for %s", took)
		}
	})
}

func TestRedirectsToStorageTakeNoCredentialsAlong(t *testing.T) {
	const body = "layer"
	for title, c := range map[string]struct {
		location string
		want     string // part of the error; empty: read
	}{
		"another host by https":       {"https://storage.example/blob?sig=x", ""},
		"a second redirect":           {"https://storage.example/again", ""},
		"another host by plain http":  {"http://storage.example/blob", "only https"},
		"the cloud's metadata":        {"https://169.254.169.254/latest", "private address"},
		"a private address, mapped":   {"https://[::ffff:10.0.0.1]/latest", "private address"},
		"localhost":                   {"https://localhost/latest", "private address"},
		"nowhere":                     {"", "no Location"},
		"in a circle":                 {"https://storage.example/circle", "more than 5 redirects"},
		"a file":                      {"file:///etc/passwd", ""},
		"user info is dropped":        {"https://u:p@storage.example/blob", ""},
		"a Location that is no URL":   {"https://storage.example/%zz\x1b", "no URL"},
		"another scheme and a host":   {"ftp://storage.example/blob", "only https"},
		"relative on the own host":    {"/v2/elsewhere", ""},
		"the own host by plain http":  {"http://" + host + "/v2/elsewhere", ""},
		"the own host with its port":  {"https://" + host + ":443/v2/elsewhere", ""},
		"another port of the own one": {"http://" + host + ":80/v2/elsewhere", "only https"},
	} {
		t.Run(title, func(t *testing.T) {
			i := &issuer{password: "secret", uses: 100}
			w := withIssuer(t, i, "https://auth.example/token", func(o *registry.Options) { o.Retry.Budget = -1 })
			storage := http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
				switch r.URL.Path {
				case "/again":
					http.Redirect(rw, r, "https://cdn.example/blob", http.StatusFound)
				case "/circle":
					http.Redirect(rw, r, "/circle", http.StatusFound)
				default:
					_, _ = io.WriteString(rw, body)
				}
			})
			for _, h := range []string{"storage.example", "cdn.example", "169.254.169.254", "localhost", "[::ffff:10.0.0.1]"} {
				w.transport.Hosts[h] = storage
			}
			asks := w.Before
			w.Before = func(rw http.ResponseWriter, r *http.Request) bool {
				if asks(rw, r) {
					return true
				}
				switch {
				case r.URL.Path == "/v2/elsewhere":
					_, _ = io.WriteString(rw, body)
				case strings.Contains(r.URL.Path, "/blobs/"):
					rw.Header().Set("Location", c.location)
					rw.WriteHeader(http.StatusTemporaryRedirect)
				default:
					return false
				}
				return true
			}
			got, err := w.client.GetBlob(context.Background(), digest([]byte(body)), 100)
			if title == "a file" {
				c.want = "names no host"
			}
			if c.want == "" && (err != nil || string(got) != body) {
				t.Fatalf("GetBlob = %q, %v", got, err)
			}
			if c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Fatalf("GetBlob = %v, want %q", err, c.want)
			}
			for h := range w.transport.Hosts {
				if h != host && h != "auth.example" && len(w.transport.Credentials(h)) > 0 {
					t.Errorf("%s was sent %q", h, w.transport.Credentials(h))
				}
			}
		})
	}
}

func TestABlobIsBoundedAndHashed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		b := blob("a config")
		if _, err := w.client.PushBlob(t.Context(), b); err != nil {
			t.Fatal(err)
		}
		if got, err := w.client.GetBlob(t.Context(), b.Digest, b.Size); err != nil || string(got) != "a config" {
			t.Errorf("GetBlob = %q, %v", got, err)
		}
		if _, err := w.client.GetBlob(t.Context(), b.Digest, b.Size-1); err == nil || !strings.Contains(err.Error(), "more than the 7") {
			t.Errorf("a blob over its bound: %v", err)
		}
		w.Before = func(rw http.ResponseWriter, r *http.Request) bool { _, _ = io.WriteString(rw, "a poison"); return true }
		if _, err := w.client.GetBlob(t.Context(), b.Digest, 100); !errors.Is(err, registry.ErrBytes) {
			t.Errorf("other bytes: %v", err)
		}
	})
}
