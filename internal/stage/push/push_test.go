package push_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/taglast/taglast/internal/image"
	"github.com/taglast/taglast/internal/registry"
	"github.com/taglast/taglast/internal/sandbox"
	"github.com/taglast/taglast/internal/stage/push"
	"github.com/taglast/taglast/internal/testkit/registrytest"
	"github.com/taglast/taglast/pkg/release"
)

// layout writes an OCI layout of two platforms that share a layer.
func layout(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "blobs", "sha256"), 0o755); err != nil {
		t.Fatal(err)
	}
	write := func(mediaType types.MediaType, content any) v1.Descriptor {
		raw, ok := content.([]byte)
		if !ok {
			var err error
			if raw, err = json.Marshal(content); err != nil {
				t.Fatal(err)
			}
		}
		sum := sha256.Sum256(raw)
		d := v1.Descriptor{MediaType: mediaType, Size: int64(len(raw)), Digest: v1.Hash{Algorithm: "sha256", Hex: hex.EncodeToString(sum[:])}}
		if err := os.WriteFile(filepath.Join(dir, "blobs", "sha256", d.Digest.Hex), raw, 0o644); err != nil {
			t.Fatal(err)
		}
		return d
	}
	shared := write(types.OCILayer, []byte("shared layer"))
	index := v1.IndexManifest{SchemaVersion: 2, MediaType: types.OCIImageIndex}
	for _, arch := range []string{"amd64", "arm64"} {
		own := write(types.OCILayer, []byte("layer of "+arch))
		config := write(types.OCIConfigJSON, v1.ConfigFile{OS: "linux", Architecture: arch, RootFS: v1.RootFS{
			Type: "layers", DiffIDs: []v1.Hash{shared.Digest, own.Digest},
		}})
		m := write(types.OCIManifestSchema1, v1.Manifest{
			SchemaVersion: 2, MediaType: types.OCIManifestSchema1, Config: config, Layers: []v1.Descriptor{shared, own},
		})
		m.Platform = &v1.Platform{OS: "linux", Architecture: arch}
		index.Manifests = append(index.Manifests, m)
	}
	raw, err := json.Marshal(index)
	if err != nil {
		t.Fatal(err)
	}
	for file, content := range map[string][]byte{"index.json": raw, "oci-layout": []byte(`{"imageLayoutVersion":"1.0.0"}`)} {
		if err := os.WriteFile(filepath.Join(dir, file), content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// world has two registries and an image.
type world struct {
	t         *testing.T
	one, two  *registrytest.Host
	transport *registrytest.Network
	clients   *registry.Clients
	built     image.Built
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{
		t:   t,
		one: registrytest.NewHost(t, "one.example", sandbox.RegistryOptions{}),
		two: registrytest.NewHost(t, "two.example", sandbox.RegistryOptions{}),
	}
	w.transport = &registrytest.Network{Hosts: map[string]http.Handler{"one.example": w.one, "two.example": w.two}}
	w.clients = w.again()
	source, err := image.SourceOf(release.OCISource{Paths: []string{"."}})
	if err != nil {
		t.Fatal(err)
	}
	b, err := image.Build(t.Context(), image.Request{
		Name: "app", Source: source,
		Env: image.Env{Registry: w.clients, Dir: layout(t), Platforms: []release.Platform{{OS: "linux", Architecture: "amd64"}, {OS: "linux", Architecture: "arm64"}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	w.built = b
	return w
}

// again is a new run: clients that know nothing.
func (w *world) again() *registry.Clients {
	return registry.NewClients(registry.Options{Transport: w.transport})
}

func (w *world) repos(names ...string) (all []name.Repository) {
	w.t.Helper()
	for _, n := range names {
		r, err := name.NewRepository(n)
		if err != nil {
			w.t.Fatal(err)
		}
		all = append(all, r)
	}
	return all
}

func TestAnImageIsInEveryRepositoryAndNoTagIs(t *testing.T) {
	w := newWorld(t)
	repos := w.repos("one.example/acme/app", "one.example/acme/mirror", "two.example/acme/app")
	p, err := push.Image(t.Context(), w.clients, w.built, repos, push.Options{})
	if err != nil {
		t.Fatal(err)
	}
	root := w.built.Root()
	for _, r := range repos {
		g := map[string]*registrytest.Host{"one.example": w.one, "two.example": w.two}[r.RegistryStr()]
		for _, m := range append([]registry.Manifest{root}, w.built.Manifests()[0].Manifest, w.built.Manifests()[1].Manifest) {
			if !g.HasManifest(r.RepositoryStr(), m.Digest.String()) {
				t.Errorf("%s lacks %s", r, m.Digest)
			}
		}
		if tags := g.Tags(r.RepositoryStr()); len(tags) != 0 {
			t.Errorf("%s has tags %v", r, tags)
		}
		back, err := w.again().Repository(r).Get(t.Context(), root.Digest.String())
		if err != nil || !bytes.Equal(back.Raw, root.Raw) {
			t.Errorf("%s gives other bytes: %v", r, err)
		}
	}
	if !p.Ok() || !slices.Equal(p.Repositories(), repos) || p.Built().Name() != "app" {
		t.Errorf("Pushed is %v", p)
	}
	if n := w.one.Count("PATCH"); n != 5 { // of acme/app; acme/mirror mounts them
		t.Errorf("%d uploads to two repositories of one registry, want 5", n)
	}
	if sent := p.Sent(); sent.Blobs != 10 || sent.Manifests != 9 {
		t.Errorf("Sent = %+v", sent)
	}
}

func TestASecondPushWritesNothing(t *testing.T) {
	w := newWorld(t)
	repos := w.repos("one.example/acme/app", "two.example/acme/app")
	if _, err := push.Image(t.Context(), w.clients, w.built, repos, push.Options{}); err != nil {
		t.Fatal(err)
	}
	w.one.Reset()
	p, err := push.Image(t.Context(), w.again(), w.built, repos, push.Options{BeforeRoot: func(context.Context, name.Repository) error {
		return errors.New("nothing is to be written")
	}})
	if err != nil || p.Sent() != (push.Sent{}) {
		t.Fatalf("%+v, %v", p, err)
	}
	for _, r := range w.one.Requests() {
		if !strings.HasPrefix(r, "GET ") && !strings.HasPrefix(r, "HEAD ") {
			t.Errorf("it asked %s", r)
		}
	}
	if n := len(w.one.Requests()); n != 4 { // ping, root, two children
		t.Errorf("%d requests: %q", n, w.one.Requests())
	}
}

func TestARootIsReadBeforeItCountsAsThereAndReadOnce(t *testing.T) {
	w := newWorld(t)
	repos := w.repos("one.example/acme/app")
	if _, err := push.Image(t.Context(), w.clients, w.built, repos, push.Options{}); err != nil {
		t.Fatal(err)
	}
	root := w.built.Root().Digest.String()
	for title, c := range map[string]struct {
		before func(*registry.Client) error
		reads  int
	}{
		"a look is the registry's word":   {func(c *registry.Client) error { _, err := c.Head(t.Context(), root); return err }, 1},
		"what was read is not read again": {func(c *registry.Client) error { _, err := c.Get(t.Context(), root); return err }, 1},
	} {
		t.Run(title, func(t *testing.T) {
			w.one.Reset()
			clients := w.again()
			if err := c.before(clients.Repository(repos[0])); err != nil {
				t.Fatal(err)
			}
			if _, err := push.Image(t.Context(), clients, w.built, repos, push.Options{}); err != nil {
				t.Fatal(err)
			}
			if n := w.one.Count("GET /v2/acme/app/manifests/" + root); n != c.reads {
				t.Errorf("the root was read %d times, want %d", n, c.reads)
			}
		})
	}
}

func TestTheRootIsTheLastThatIsWritten(t *testing.T) {
	w := newWorld(t)
	var mu sync.Mutex
	waited := 0
	p, err := push.Image(t.Context(), w.clients, w.built, w.repos("one.example/acme/app", "two.example/acme/app"), push.Options{
		BeforeRoot: func(_ context.Context, r name.Repository) error {
			mu.Lock()
			defer mu.Unlock()
			waited++
			for _, c := range w.built.Manifests() {
				if g := map[string]*registrytest.Host{"one.example": w.one, "two.example": w.two}[r.RegistryStr()]; !g.HasManifest("acme/app", c.Digest.String()) {
					t.Errorf("%s lacks %s before the root", r, c.Digest)
				}
			}
			if w.one.HasManifest("acme/app", w.built.Root().Digest.String()) && r.RegistryStr() == "one.example" {
				t.Error("the root is there before its turn")
			}
			return nil
		},
	})
	if err != nil || waited != 2 || !p.Ok() {
		t.Errorf("waited %d times, %v", waited, err)
	}
	if _, err := push.Image(t.Context(), w.clients, w.built, w.repos("one.example/acme/other"), push.Options{
		BeforeRoot: func(context.Context, name.Repository) error { return errors.New("another image failed") },
	}); err == nil || w.one.HasManifest("acme/other", w.built.Root().Digest.String()) {
		t.Errorf("the root was written all the same: %v", err)
	}
}

func TestZeroValuesAreRefused(t *testing.T) {
	w := newWorld(t)
	if p, err := push.Image(t.Context(), w.clients, image.Built{}, w.repos("one.example/acme/app"), push.Options{}); !errors.Is(err, push.ErrNotMade) || p.Ok() {
		t.Errorf("a zero Built: %v", err)
	}
	if err := push.Recheck(t.Context(), w.clients, push.Pushed{}, 0); !errors.Is(err, push.ErrNotMade) {
		t.Errorf("a zero Pushed: %v", err)
	}
	if _, err := push.Image(t.Context(), w.clients, w.built, nil, push.Options{}); err == nil {
		t.Error("an image for no repository was pushed")
	}
}

func TestAFailureIsNoPushedAndNamesTheReference(t *testing.T) {
	w := newWorld(t)
	w.two.Before = func(rw http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodPut && strings.Contains(r.URL.Path, "/manifests/") {
			registrytest.Refuse(rw, http.StatusForbidden, "DENIED")
			return true
		}
		return false
	}
	p, err := push.Image(t.Context(), w.clients, w.built, w.repos("one.example/acme/app", "two.example/acme/app"), push.Options{})
	if p.Ok() || !errors.Is(err, registry.ErrDenied) || !strings.HasPrefix(err.Error(), "push two.example/acme/app@sha256:") {
		t.Errorf("%v, %v", p.Ok(), err)
	}
}

func TestARecheckBringsBackWhatWasCollected(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		repos := w.repos("one.example/acme/app")
		p, err := push.Image(t.Context(), w.clients, w.built, repos, push.Options{})
		if err != nil {
			t.Fatal(err)
		}
		w.one.Reset()
		if err := push.Recheck(t.Context(), w.clients, p, 5*time.Minute); err != nil || len(w.one.Requests()) != 0 {
			t.Errorf("what was just seen is asked for: %q, %v", w.one.Requests(), err)
		}
		time.Sleep(time.Hour)
		child := w.built.Manifests()[1]
		for _, gone := range []string{w.built.Root().Digest.String(), child.Digest.String(), child.Blobs[0].Digest.String()} {
			w.one.World.Delete("one.example", "acme/app", gone)
		}
		begin := time.Now()
		if err := push.Recheck(t.Context(), w.clients, p, 5*time.Minute); err != nil || time.Since(begin) > time.Second {
			t.Fatalf("after %s: %v", time.Since(begin), err)
		}
		for _, d := range []v1.Hash{w.built.Root().Digest, child.Digest} {
			if !w.one.HasManifest("acme/app", d.String()) {
				t.Errorf("%s is still gone", d)
			}
		}
		if n := w.one.Count("HEAD /v2/acme/app/manifests/"); n < 3 {
			t.Errorf("%d manifests were looked for", n)
		}
	})
}

// Registries were seen to lose a blob after they had confirmed its upload.
func TestABlobThatTheRegistryLostIsSentOnceMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		layer := w.built.Manifests()[0].Blobs[1].Digest.String()
		var lost atomic.Bool
		w.one.Before = func(_ http.ResponseWriter, r *http.Request) bool {
			if r.Method == http.MethodPut && strings.Contains(r.URL.Path, "/manifests/") && lost.CompareAndSwap(false, true) {
				w.one.World.Delete("one.example", "acme/app", layer)
			}
			return false
		}
		p, err := push.Image(t.Context(), w.clients, w.built, w.repos("one.example/acme/app"), push.Options{})
		if err != nil || !p.Ok() || !w.one.HasBlob("acme/app", layer) {
			t.Errorf("%v, %v", p.Ok(), err)
		}
	})
}

func TestARegistryThatGivesOtherBytesBackFailsThePush(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		root := w.built.Root()
		var put atomic.Bool
		w.one.Before = func(rw http.ResponseWriter, r *http.Request) bool {
			if !strings.HasSuffix(r.URL.Path, root.Digest.String()) {
				return false
			}
			if r.Method == http.MethodPut {
				put.Store(true)
			}
			if r.Method == http.MethodGet && put.Load() {
				rw.Header().Set("Content-Type", string(root.MediaType))
				_, _ = rw.Write(append(slices.Clone(root.Raw), '\n'))
				return true
			}
			return false
		}
		p, err := push.Image(t.Context(), w.clients, w.built, w.repos("one.example/acme/app"), push.Options{})
		if !errors.Is(err, registry.ErrBytes) || p.Ok() {
			t.Errorf("%v, %v", p.Ok(), err)
		}
	})
}
