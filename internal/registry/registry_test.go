package registry_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/taglast/taglast/internal/registry"
	"github.com/taglast/taglast/internal/sandbox"
	"github.com/taglast/taglast/internal/testkit/registrytest"
)

const host = "registry.example"

func repo(t testing.TB, s string) name.Repository {
	t.Helper()
	r, err := name.NewRepository(s)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func digest(raw []byte) v1.Hash {
	sum := sha256.Sum256(raw)
	return v1.Hash{Algorithm: "sha256", Hex: hex.EncodeToString(sum[:])}
}

func blob(raw string) registry.Blob {
	return registry.Blob{
		Descriptor: v1.Descriptor{MediaType: types.OCILayer, Digest: digest([]byte(raw)), Size: int64(len(raw))},
		Open:       func(context.Context) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader([]byte(raw))), nil },
	}
}

// manifest is an image manifest of a config and layers, or an index of manifests.
func manifest(t testing.TB, mediaType types.MediaType, content any) registry.Manifest {
	t.Helper()
	raw, err := json.Marshal(content)
	if err != nil {
		t.Fatal(err)
	}
	return registry.Manifest{Descriptor: v1.Descriptor{MediaType: mediaType, Digest: digest(raw), Size: int64(len(raw))}, Raw: raw}
}

func imageOf(t testing.TB, config registry.Blob, layers ...registry.Blob) registry.Manifest {
	m := v1.Manifest{SchemaVersion: 2, MediaType: types.OCIManifestSchema1, Config: config.Descriptor, Layers: []v1.Descriptor{}}
	for _, l := range layers {
		m.Layers = append(m.Layers, l.Descriptor)
	}
	return manifest(t, types.OCIManifestSchema1, m)
}

// world is one registry on one host, and a client of its repository acme/app.
type world struct {
	*registrytest.Host
	transport *registrytest.Network
	clients   *registry.Clients
	client    *registry.Client
}

func newWorld(t testing.TB, change ...func(*registry.Options)) *world {
	t.Helper()
	return newWorldOf(t, sandbox.RegistryOptions{}, change...)
}

// newWorldOf is newWorld with a registry that behaves as the options say.
func newWorldOf(t testing.TB, behaviour sandbox.RegistryOptions, change ...func(*registry.Options)) *world {
	t.Helper()
	w := &world{Host: registrytest.NewHost(t, host, behaviour)}
	w.transport = &registrytest.Network{Hosts: map[string]http.Handler{host: w.Host}}
	o := registry.Options{Transport: w.transport, UserAgent: "taglast/test"}
	for _, c := range change {
		c(&o)
	}
	w.clients = registry.NewClients(o)
	w.client = w.clients.Repository(repo(t, host+"/acme/app"))
	return w
}

func TestAnImageIsPushedByDigestAndReadBackUntagged(t *testing.T) {
	w := newWorld(t)
	ctx := context.Background()
	config, layer := blob(`{}`), blob("layer")
	m := imageOf(t, config, layer)
	for _, b := range []registry.Blob{config, layer} {
		if sent, err := w.client.PushBlob(ctx, b); err != nil || sent != b.Size {
			t.Fatalf("PushBlob = %d, %v", sent, err)
		}
	}
	if err := w.client.PutByDigest(ctx, m); err != nil {
		t.Fatal(err)
	}
	got, err := w.client.ReadBack(ctx, m.Digest)
	if err != nil || !bytes.Equal(got.Raw, m.Raw) || got.MediaType != m.MediaType || got.Size != m.Size {
		t.Fatalf("ReadBack = %+v, %v", got.Descriptor, err)
	}
	if tags := w.Tags("acme/app"); len(tags) != 0 {
		t.Errorf("tags were written: %v", tags)
	}
	d, err := w.client.Head(ctx, m.Digest.String())
	if err != nil || d.Digest != m.Digest {
		t.Errorf("Head = %v, %v", d, err)
	}
	want := []string{
		"GET /v2/",
		"HEAD /v2/acme/app/blobs/" + config.Digest.String(), "POST /v2/acme/app/blobs/uploads/",
		"PATCH /v2/acme/app/blobs/uploads/1", "PUT /v2/acme/app/blobs/uploads/1?digest=sha256%3A" + config.Digest.Hex,
		"HEAD /v2/acme/app/blobs/" + layer.Digest.String(), "POST /v2/acme/app/blobs/uploads/",
		"PATCH /v2/acme/app/blobs/uploads/2", "PUT /v2/acme/app/blobs/uploads/2?digest=sha256%3A" + layer.Digest.Hex,
		"PUT /v2/acme/app/manifests/" + m.Digest.String(),
		"GET /v2/acme/app/manifests/" + m.Digest.String(), "HEAD /v2/acme/app/manifests/" + m.Digest.String(),
	}
	if got := numberUploads(w.Requests()); len(got) != len(want) {
		t.Errorf("requests: %q, want %q", got, want)
	} else {
		for i := range want {
			if got[i] != want[i] {
				t.Errorf("request %d is %s, want %s", i, got[i], want[i])
			}
		}
	}
}

var uploadID = regexp.MustCompile(`/blobs/uploads/([^?]+)`)

// numberUploads writes 1, 2, 3 for the ids of uploads, in the order in which they first occur.
func numberUploads(requests []string) []string {
	var ids []string
	out := make([]string, len(requests))
	for i, r := range requests {
		out[i] = uploadID.ReplaceAllStringFunc(r, func(path string) string {
			id := strings.TrimPrefix(path, "/blobs/uploads/")
			if !slices.Contains(ids, id) {
				ids = append(ids, id)
			}
			return "/blobs/uploads/" + strconv.Itoa(slices.Index(ids, id)+1)
		})
	}
	return out
}
