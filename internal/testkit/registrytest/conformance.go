// Package registrytest is what taglast asks of a registry, as a suite of tests that every registry it runs on must pass,
// the sandbox's own included: content is stored only under its own digest, untagged manifests stay untagged and are read
// back as they were, what is unknown is refused with the specification's codes.
//
// Host and Network are for the tests of whatever talks to registries: the sandbox's registry on a network on which requests
// are counted, answered in the registry's place, or lost.
package registrytest

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/taglast/taglast/internal/bounded"
	"github.com/taglast/taglast/internal/ociref"
	"github.com/taglast/taglast/internal/registry"
	"github.com/taglast/taglast/internal/weburl"
)

// Test runs the suite against the registry at host, which newRegistry gives for each test: a new one, or the same one
// again (repositories have random names). Requests go over rt. The registry must take pushes without credentials.
func Test(t *testing.T, newRegistry func(t *testing.T) (host string, rt http.RoundTripper)) {
	for _, c := range []struct {
		name string
		run  func(*testing.T, *suite)
	}{
		{"an image is pushed by digest, read back, and stays untagged", testPush},
		{"what is not there is not found", testUnknownContent},
		{"a blob is mounted or uploaded", testMount},
		{"an upload that is cancelled leaves nothing", testCancelledUpload},
		{"a blob under another digest is refused", testWrongBlob},
		{"a manifest under another digest is refused", testWrongManifest},
		{"a manifest is taken again", testRepeatedPut},
		{"a manifest with unknown blobs is never half there", testUnknownBlobs},
		{"a tag needs a permit, and by a tag the same is read", testTag},
		{"an empty blob and a large one are kept", testBlobSizes},
		{"tags are listed in pages and completely", testTagList},
	} {
		t.Run(c.name, func(t *testing.T) {
			host, rt := newRegistry(t)
			c.run(t, open(t, host, rt))
		})
	}
}

// suite is one repository of the registry and a client that knows nothing of it.
type suite struct {
	host    string
	rt      http.RoundTripper
	clients *registry.Clients
	client  *registry.Client
}

func open(t *testing.T, host string, rt http.RoundTripper) *suite {
	t.Helper()
	s := &suite{host: host, rt: rt}
	s.reopen(t, "conformance/"+strings.ToLower(rand.Text()))
	return s
}

// reopen makes a client that knows nothing, of another repository of the registry or of the same.
func (s *suite) reopen(t *testing.T, path string) {
	t.Helper()
	o := registry.Options{Transport: s.rt, UserAgent: "taglast/conformance"}
	o.Retry.Budget = -1
	s.clients = registry.NewClients(o)
	s.client = s.clients.Repository(s.repo(t, path))
}

func (s *suite) repo(t *testing.T, path string) name.Repository {
	t.Helper()
	r, err := name.NewRepository(s.host + "/" + path)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func encoded(t *testing.T, mediaType types.MediaType, content any) registry.Manifest {
	t.Helper()
	raw, err := json.Marshal(content)
	if err != nil {
		t.Fatal(err)
	}
	return registry.Manifest{Descriptor: v1.Descriptor{MediaType: mediaType, Digest: ociref.Sum(raw), Size: int64(len(raw))}, Raw: raw}
}

// imageOf gives an image manifest and its blobs, config first.
func imageOf(t *testing.T) (registry.Manifest, []registry.Blob) {
	t.Helper()
	layer, config := blobOf([]byte(rand.Text())), blobOf([]byte(`{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}`))
	config.MediaType = types.OCIConfigJSON
	return encoded(t, types.OCIManifestSchema1, v1.Manifest{
		SchemaVersion: 2, MediaType: types.OCIManifestSchema1, Config: config.Descriptor, Layers: []v1.Descriptor{layer.Descriptor},
	}), []registry.Blob{config, layer}
}

func (s *suite) push(t *testing.T, m registry.Manifest, blobs []registry.Blob) {
	t.Helper()
	for _, b := range blobs {
		if _, err := s.client.PushBlob(t.Context(), b); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.client.PutByDigest(t.Context(), m); err != nil {
		t.Fatal(err)
	}
}

// ask sends a request as it is, past the client and its guard.
func (s *suite) ask(t *testing.T, method, url, mediaType string, body []byte) (status int, header http.Header, answer string) {
	t.Helper()
	if strings.HasPrefix(url, "/") {
		scheme := "https://"
		if s.local() {
			scheme = "http://"
		}
		url = scheme + s.host + url
	}
	req, err := http.NewRequestWithContext(t.Context(), method, url, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if mediaType != "" {
		req.Header.Set("Content-Type", mediaType)
	}
	resp, err := s.rt.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := bounded.ReadBody(resp, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, resp.Header, string(raw)
}

func (s *suite) local() bool {
	return weburl.Loopback(s.host)
}

func (s *suite) path() string { return "/v2/" + s.client.Name().RepositoryStr() }

// tags of the repository, as it lists them. A registry may not know a repository without tags.
func (s *suite) tags(t *testing.T) []string {
	t.Helper()
	tags, err := s.client.Tags(t.Context())
	if err != nil && !errors.Is(err, registry.ErrNotFound) {
		t.Fatal(err)
	}
	return tags
}

func notFound(t *testing.T, what string, err error) {
	t.Helper()
	if !errors.Is(err, registry.ErrNotFound) {
		t.Errorf("%s: %v, want %v", what, err, registry.ErrNotFound)
	}
}
