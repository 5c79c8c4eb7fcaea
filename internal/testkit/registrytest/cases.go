package registrytest

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/taglast/taglast/internal/ociref"
	"github.com/taglast/taglast/internal/registry"
)

func blobOf(raw []byte) registry.Blob {
	return registry.Blob{
		Descriptor: v1.Descriptor{MediaType: types.OCILayer, Digest: ociref.Sum(raw), Size: int64(len(raw))},
		Open:       func(context.Context) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(raw)), nil },
	}
}

func testPush(t *testing.T, s *suite) {
	child, blobs := imageOf(t)
	s.push(t, child, blobs)
	index := encoded(t, types.OCIImageIndex, v1.IndexManifest{
		SchemaVersion: 2, MediaType: types.OCIImageIndex, Manifests: []v1.Descriptor{child.Descriptor},
		Annotations: map[string]string{"org.opencontainers.image.title": "é \u00a0 & <b>"},
	})
	s.push(t, index, nil)
	for _, m := range []registry.Manifest{child, index} {
		back, err := s.client.ReadBack(t.Context(), m.Digest)
		if err != nil || !bytes.Equal(back.Raw, m.Raw) || back.MediaType != m.MediaType {
			t.Errorf("read back %q as %s, %v", back.Raw, back.MediaType, err)
		}
		d, err := s.client.Head(t.Context(), m.Digest.String())
		if err != nil || d.Digest != m.Digest || d.Size != m.Size || d.MediaType != m.MediaType {
			t.Errorf("Head = %+v, %v", d, err)
		}
	}
	if tags := s.tags(t); len(tags) != 0 {
		t.Errorf("tags %q", tags)
	}
	for _, b := range blobs {
		raw, err := s.client.GetBlob(t.Context(), b.Digest, b.Size)
		if err != nil || ociref.Sum(raw) != b.Digest {
			t.Errorf("GetBlob = %q, %v", raw, err)
		}
	}
}

func testUnknownContent(t *testing.T, s *suite) {
	none := ociref.Sum([]byte(rand.Text()))
	_, err := s.client.Head(t.Context(), "1.2.3")
	notFound(t, "a tag of a repository that is not there", err)
	s.push(t, encoded(t, types.OCIImageIndex, v1.IndexManifest{SchemaVersion: 2, MediaType: types.OCIImageIndex, Manifests: []v1.Descriptor{}}), nil)
	_, err = s.client.Get(t.Context(), "1.2.3")
	notFound(t, "a tag", err)
	_, err = s.client.Get(t.Context(), none.String())
	notFound(t, "a manifest", err)
	_, err = s.client.GetBlob(t.Context(), none, 1)
	notFound(t, "a blob", err)
	for path, codes := range map[string][]string{
		"/manifests/1.2.3": {"MANIFEST_UNKNOWN"}, "/manifests/" + none.String(): {"MANIFEST_UNKNOWN"}, "/blobs/" + none.String(): {"BLOB_UNKNOWN"},
	} {
		_, _, answer := s.ask(t, http.MethodGet, s.path()+path, "", nil)
		if !slices.ContainsFunc(codes, func(code string) bool { return strings.Contains(answer, code) }) {
			t.Errorf("GET %s answers %s, want %q", path, answer, codes)
		}
	}
}

func testMount(t *testing.T, s *suite) {
	m, blobs := imageOf(t)
	s.push(t, m, blobs)
	from := s.client.Name()
	s.reopen(t, from.RepositoryStr()+"/mounted")
	for i := range blobs {
		blobs[i].From = []name.Repository{from}
	}
	s.push(t, m, blobs)
	if _, err := s.client.ReadBack(t.Context(), m.Digest); err != nil {
		t.Error(err)
	}
	// What the source does not hold is uploaded.
	b := blobOf([]byte(rand.Text()))
	b.From = []name.Repository{from}
	if sent, err := s.client.PushBlob(t.Context(), b); err != nil || sent != b.Size {
		t.Errorf("PushBlob = %d, %v", sent, err)
	}
}

// begin starts an upload by hand.
func (s *suite) begin(t *testing.T) *url.URL {
	t.Helper()
	status, header, answer := s.ask(t, http.MethodPost, s.path()+"/blobs/uploads/", "", nil)
	if status != http.StatusAccepted {
		t.Fatalf("POST answers %d %s", status, answer)
	}
	return s.location(t, header)
}

func (s *suite) location(t *testing.T, header http.Header) *url.URL {
	t.Helper()
	base := &url.URL{Scheme: "https", Host: s.host, Path: "/"}
	if s.local() {
		base.Scheme = "http"
	}
	u, err := base.Parse(header.Get("Location"))
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func testCancelledUpload(t *testing.T, s *suite) {
	if err := s.client.Probe(t.Context()); err != nil {
		t.Fatal(err)
	}
	raw := []byte(rand.Text())
	status, header, _ := s.ask(t, http.MethodPatch, s.begin(t).String(), "application/octet-stream", raw)
	if status != http.StatusAccepted {
		t.Fatalf("PATCH answers %d", status)
	}
	session := s.location(t, header)
	if status, _, answer := s.ask(t, http.MethodDelete, session.String(), "", nil); status/100 != 2 {
		t.Fatalf("DELETE answers %d %s", status, answer)
	}
	if status := s.commit(t, session, ociref.Sum(raw)); status/100 == 2 {
		t.Errorf("a cancelled upload was committed with %d", status)
	}
	_, err := s.client.GetBlob(t.Context(), ociref.Sum(raw), 100)
	notFound(t, "a blob that was not committed", err)
}

func (s *suite) commit(t *testing.T, session *url.URL, digest v1.Hash) int {
	t.Helper()
	q := session.Query()
	q.Set("digest", digest.String())
	session.RawQuery = q.Encode()
	status, _, _ := s.ask(t, http.MethodPut, session.String(), "application/octet-stream", nil)
	return status
}

func testWrongBlob(t *testing.T, s *suite) {
	raw, other := []byte(rand.Text()), ociref.Sum([]byte("other"))
	_, header, _ := s.ask(t, http.MethodPatch, s.begin(t).String(), "application/octet-stream", raw)
	if status := s.commit(t, s.location(t, header), other); status/100 == 2 {
		t.Errorf("a blob was stored under another digest with %d", status)
	}
	_, err := s.client.GetBlob(t.Context(), other, 100)
	notFound(t, "the digest that was claimed", err)
	b := blobOf(raw)
	b.Digest = ociref.Sum([]byte("not this"))
	if _, err := s.client.PushBlob(t.Context(), b); err == nil {
		t.Error("the client pushed a blob that is not what it claims")
	}
	_, err = s.client.GetBlob(t.Context(), b.Digest, 100)
	notFound(t, "the digest that the client was told", err)
}

func testWrongManifest(t *testing.T, s *suite) {
	m, blobs := imageOf(t)
	s.push(t, m, blobs)
	other := ociref.Sum([]byte(rand.Text()))
	if status, _, _ := s.ask(t, http.MethodPut, s.path()+"/manifests/"+other.String(), string(m.MediaType), m.Raw); status/100 == 2 {
		t.Errorf("a manifest was stored under another digest with %d", status)
	}
	_, err := s.client.Get(t.Context(), other.String())
	notFound(t, "the digest that was claimed", err)
}

func testRepeatedPut(t *testing.T, s *suite) {
	m, blobs := imageOf(t)
	s.push(t, m, blobs)
	if err := s.client.PutByDigest(t.Context(), m); err != nil {
		t.Error(err)
	}
	s.reopen(t, s.client.Name().RepositoryStr())
	for _, b := range blobs {
		if sent, err := s.client.PushBlob(t.Context(), b); err != nil || sent != 0 {
			t.Errorf("a blob that is there was sent again: %d, %v", sent, err)
		}
	}
}

// testUnknownBlobs puts a manifest whose blobs are missing. The specification lets a registry take it; a registry that
// refuses says why with a code, and then the manifest is not there.
func testUnknownBlobs(t *testing.T, s *suite) {
	m, _ := imageOf(t)
	status, _, answer := s.ask(t, http.MethodPut, s.path()+"/manifests/"+m.Digest.String(), string(m.MediaType), m.Raw)
	if status/100 == 2 {
		return
	}
	if !strings.Contains(answer, "MANIFEST_BLOB_UNKNOWN") && !strings.Contains(answer, "MANIFEST_UNKNOWN") && !strings.Contains(answer, "BLOB_UNKNOWN") {
		t.Errorf("it is refused with %d %s", status, answer)
	}
	_, err := s.client.Get(t.Context(), m.Digest.String())
	notFound(t, "a manifest that was refused", err)
}

func testTag(t *testing.T, s *suite) {
	m, blobs := imageOf(t)
	s.push(t, m, blobs)
	if err := s.client.PutTag(t.Context(), "1.2.3", m, registry.Previous{}); !errors.Is(err, registry.ErrGuard) {
		t.Errorf("a tag without a permit: %v", err)
	}
	if tags := s.tags(t); len(tags) != 0 {
		t.Fatalf("tags %q", tags)
	}
	status, _, answer := s.ask(t, http.MethodPut, s.path()+"/manifests/1.2.3", string(m.MediaType), m.Raw)
	if status == http.StatusForbidden {
		t.Logf("the registry has a law of its own on tags: %d %s", status, answer)
		return
	}
	if status != http.StatusCreated {
		t.Fatalf("PUT of a tag answers %d %s", status, answer)
	}
	if tags := s.tags(t); !slices.Equal(tags, []string{"1.2.3"}) {
		t.Errorf("tags %q", tags)
	}
	got, err := s.client.Get(t.Context(), "1.2.3")
	if err != nil || !bytes.Equal(got.Raw, m.Raw) {
		t.Errorf("Get = %q, %v", got.Raw, err)
	}
	d, err := s.client.Head(t.Context(), "1.2.3")
	if err != nil || d.Digest != m.Digest || d.Size != m.Size || d.MediaType != m.MediaType {
		t.Errorf("Head = %+v, %v", d, err)
	}
}

func testBlobSizes(t *testing.T, s *suite) {
	large := make([]byte, 3<<20+1)
	_, _ = rand.Read(large)
	for _, raw := range [][]byte{{}, large} {
		b := blobOf(raw)
		if _, err := s.client.PushBlob(t.Context(), b); err != nil {
			t.Errorf("%d bytes: %v", len(raw), err)
			continue
		}
		got, err := s.client.GetBlob(t.Context(), b.Digest, int64(len(raw)))
		if err != nil || !bytes.Equal(got, raw) {
			t.Errorf("%d bytes came back as %d, %v", len(raw), len(got), err)
		}
	}
}
