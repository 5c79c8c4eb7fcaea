package image_test

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/taglast/taglast/internal/image"
	"github.com/taglast/taglast/internal/registry"
	"github.com/taglast/taglast/internal/retry"
	"github.com/taglast/taglast/pkg/release"
)

const (
	ociIndex       = "application/vnd.oci.image.index.v1+json"
	ociManifest    = "application/vnd.oci.image.manifest.v1+json"
	ociConfig      = "application/vnd.oci.image.config.v1+json"
	ociLayer       = "application/vnd.oci.image.layer.v1.tar+gzip"
	dockerList     = "application/vnd.docker.distribution.manifest.list.v2+json"
	dockerManifest = "application/vnd.docker.distribution.manifest.v2+json"
	dockerConfig   = "application/vnd.docker.container.image.v1+json"
	dockerLayer    = "application/vnd.docker.image.rootfs.diff.tar.gzip"
)

// object is a JSON object that a test may bend as it likes.
type object = map[string]any

// store is content by path within a layout.
type store map[string][]byte

func digestOf(raw []byte) string {
	sum := sha256.Sum256(raw)
	return "sha256:" + hex.EncodeToString(sum[:])
}

func (s store) blob(mediaType string, raw []byte) object {
	d := digestOf(raw)
	s["blobs/"+strings.Replace(d, ":", "/", 1)] = raw
	return object{"mediaType": mediaType, "digest": d, "size": len(raw)}
}

func (s store) document(mediaType string, v any) object {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return s.blob(mediaType, raw)
}

func platformOf(s string) object {
	parts := strings.Split(s, "/")
	p := object{"os": parts[0], "architecture": parts[1]}
	if len(parts) > 2 {
		p["variant"] = parts[2]
	}
	return p
}

// manifest adds an OCI image whose config says platform, with a layer of its own and one that all images share.
func (s store) manifest(platform string, edits ...func(manifest object)) object {
	config := platformOf(platform)
	config["rootfs"] = object{"type": "layers"}
	config["config"] = object{"Labels": object{"keep": "me"}, "Unknown": 1.50}
	m := object{
		"schemaVersion": 2, "mediaType": ociManifest,
		"config": s.document(ociConfig, config),
		"layers": []any{s.blob(ociLayer, []byte("shared layer")), s.blob(ociLayer, []byte("layer of "+platform))},
	}
	for _, edit := range edits {
		edit(m)
	}
	return s.document(ociManifest, m)
}

// image is manifest with its platform in the descriptor, too.
func (s store) image(platform string, edits ...func(manifest object)) object {
	d := s.manifest(platform, edits...)
	d["platform"] = platformOf(platform)
	return d
}

// docker is an image in Docker's media types.
func (s store) docker(platform string) object {
	d := s.image(platform, func(m object) {
		m["mediaType"] = dockerManifest
		m["config"].(object)["mediaType"] = dockerConfig
		for _, l := range m["layers"].([]any) {
			l.(object)["mediaType"] = dockerLayer
		}
	})
	d["mediaType"] = dockerManifest
	return d
}

// attestation adds what BuildKit adds for an image.
func (s store) attestation(about object) object {
	d := s.document(ociManifest, object{
		"schemaVersion": 2, "mediaType": ociManifest,
		"config": s.document(ociConfig, object{"os": "unknown", "architecture": "unknown", "for": about["digest"]}),
		"layers": []any{s.blob("application/vnd.in-toto+json", []byte("statement about "+about["digest"].(string)))},
	})
	d["platform"] = platformOf("unknown/unknown")
	d["annotations"] = object{"vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": about["digest"]}
	return d
}

func indexOf(children ...object) object {
	all := []any{}
	for _, c := range children {
		all = append(all, c)
	}
	return object{"schemaVersion": 2, "mediaType": ociIndex, "manifests": all}
}

func (s store) index(children ...object) object { return s.document(ociIndex, indexOf(children...)) }

// tops makes s a layout of these.
func (s store) tops(descriptors ...object) store {
	raw, err := json.Marshal(indexOf(descriptors...))
	if err != nil {
		panic(err)
	}
	s["index.json"], s["oci-layout"] = raw, []byte(`{"imageLayoutVersion":"1.0.0"}`)
	return s
}

func named(d object, ref string) object {
	d = maps.Clone(d)
	d["annotations"] = object{"org.opencontainers.image.ref.name": ref, "org.opencontainers.image.created": "2026-01-01T00:00:00Z"}
	return d
}

// writeDir writes the layout to a directory.
func (s store) writeDir(t testing.TB, dir string) {
	t.Helper()
	for path, raw := range s {
		path = filepath.Join(dir, filepath.FromSlash(path))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, raw, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// tar is the layout as a tar, after these entries.
func (s store) tar(extra ...*tar.Header) []byte {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	put := func(h *tar.Header, content []byte) {
		if err := w.WriteHeader(h); err != nil {
			panic(err)
		}
		if _, err := w.Write(content); err != nil {
			panic(err)
		}
	}
	for _, h := range extra {
		put(h, make([]byte, h.Size))
	}
	for _, path := range slices.Sorted(maps.Keys(s)) {
		put(&tar.Header{Typeflag: tar.TypeReg, Name: path, Mode: 0o644, Size: int64(len(s[path]))}, s[path])
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	return b.Bytes()
}

func writeFile(t testing.TB, path string, content []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
}

// server is a registry in memory behind a transport, for reading.
type server struct {
	t       testing.TB
	content map[string]served // by path
	handler http.Handler
}

type served struct {
	mediaType string
	raw       []byte
}

func newServer(t testing.TB) *server {
	s := &server{t: t, content: map[string]served{"/v2/": {"application/json", []byte("{}")}}}
	s.handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, ok := s.content[r.URL.Path]
		if !ok {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusNotFound)
			_, _ = io.WriteString(w, `{"errors":[{"code":"MANIFEST_UNKNOWN","message":"it is not here"}]}`)
			return
		}
		w.Header().Set("Content-Type", c.mediaType)
		_, _ = w.Write(c.raw)
	})
	return s
}

func (s *server) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	s.handler.ServeHTTP(w, r)
	res := w.Result()
	res.Request = r
	return res, nil
}

// push fills a repository with the blobs of a store; those that are manifests are there as such, too.
func (s *server) push(repo string, content store) {
	for path, raw := range content {
		if !strings.HasPrefix(path, "blobs/") {
			continue
		}
		s.content["/v2/"+repo+"/blobs/"+digestOf(raw)] = served{"application/octet-stream", raw}
		var doc struct{ MediaType string }
		if json.Unmarshal(raw, &doc) == nil && doc.MediaType != "" {
			s.manifest(repo, digestOf(raw), doc.MediaType, raw)
		}
	}
}

func (s *server) manifest(repo, ref, mediaType string, raw []byte) {
	s.content["/v2/"+repo+"/manifests/"+ref] = served{mediaType, raw}
}

func (s *server) clients() *registry.Clients {
	return registry.NewClients(registry.Options{Transport: s, ReadOnly: true, Retry: retry.Policy{Budget: 1}})
}

// tamper changes the last byte of one answer and nothing in its headers.
func tamper(next http.Handler, victim []byte) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		inner := httptest.NewRecorder()
		next.ServeHTTP(inner, r)
		body := inner.Body.Bytes()
		if r.Method == http.MethodGet && bytes.Equal(body, victim) {
			body = append(slices.Clone(body[:len(body)-1]), ' ')
		}
		maps.Copy(w.Header(), inner.Header())
		w.WriteHeader(inner.Code)
		_, _ = w.Write(body)
	})
}

func repo(t testing.TB, s string) name.Repository {
	t.Helper()
	r, err := name.NewRepository(s)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func hash(t testing.TB, s any) v1.Hash {
	t.Helper()
	h, err := v1.NewHash(s.(string))
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// source is the source that a release names.
func source(t testing.TB, s release.Source) image.Source {
	t.Helper()
	out, err := image.SourceOf(s)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// oci is a source of layouts.
func oci(paths ...string) image.Source {
	s, err := image.SourceOf(release.OCISource{Paths: paths})
	if err != nil {
		panic(err)
	}
	return s
}

// buildFrom builds r with the clients of a registry.
func buildFrom(t testing.TB, reg image.Registry, r image.Request) (image.Built, error) {
	t.Helper()
	r.Env.Registry = reg
	return image.Build(t.Context(), r)
}

// indexJSON is a root for looking at.
type indexJSON struct {
	SchemaVersion int
	MediaType     string
	Manifests     []struct {
		MediaType   string
		Digest      string
		Size        int
		Annotations map[string]string
		Platform    v1.Platform
	}
	Annotations map[string]string
}

func parse[T any](t testing.TB, raw []byte) T {
	t.Helper()
	var v T
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// read is a blob's content.
func read(t testing.TB, b registry.Blob) []byte {
	t.Helper()
	r, err := b.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	raw, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func platforms(b image.Built) []string {
	var out []string
	for _, c := range b.Manifests() {
		out = append(out, c.Platform.String())
	}
	return out
}

// required are platforms that a release asks for.
func required(t testing.TB, texts ...string) []release.Platform {
	t.Helper()
	var out []release.Platform
	for _, text := range texts {
		p, err := release.ParsePlatform(text)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, p)
	}
	return out
}
