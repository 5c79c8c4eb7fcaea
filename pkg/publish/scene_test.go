package publish_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/taglast/taglast/internal/registry"
	"github.com/taglast/taglast/internal/retry"
	"github.com/taglast/taglast/internal/sandbox"
	"github.com/taglast/taglast/pkg/publish"
	"github.com/taglast/taglast/pkg/release"
)

// twoByTwo is a release of two images to two repositories.
const twoByTwo = `
repositories: [ghcr.io/acme/app, docker.io/acme/app]
platforms: [linux/amd64, linux/arm64]
images:
  - name: app
    source: {oci: image}
    tags: ["type=semver,pattern={{version}},value=1.2.3", "type=semver,pattern={{major}}.{{minor}},value=1.2.3"]
  - name: cli
    source: {oci: image}
    annotations: {org.opencontainers.image.title: cli}
    tags: ["type=semver,pattern={{version}},value=1.2.3,suffix=-cli", "cli"]
    flavor: [latest=false]
`

// scene is a world with a release to publish in it.
type scene struct {
	world *sandbox.World
	file  *release.File
	out   string
	event string
}

func newScene(tb testing.TB, text string, o sandbox.Options) *scene {
	tb.Helper()
	w, err := sandbox.New(o)
	if err != nil {
		tb.Fatal(err)
	}
	s := &scene{world: w, file: parse(tb, text), out: tb.TempDir()}
	payload, err := w.Event()
	if err != nil {
		tb.Fatal(err)
	}
	s.event = filepath.Join(s.out, "event.json")
	if err := os.WriteFile(s.event, payload, 0o600); err != nil {
		tb.Fatal(err)
	}
	return s
}

// parse reads a release file whose paths are relative to the quickstart's folder.
func parse(tb testing.TB, text string) *release.File {
	tb.Helper()
	dir, err := filepath.Abs("../../testdata/quickstart")
	if err != nil {
		tb.Fatal(err)
	}
	f, err := release.Parse(filepath.Join(dir, "test.yaml"), []byte(text), func(string) (string, bool) { return "", false })
	if err != nil {
		tb.Fatal(err)
	}
	return f
}

func (s *scene) options(rt http.RoundTripper) publish.Options {
	env := s.world.Env()
	env["GITHUB_EVENT_PATH"] = s.event
	if rt == nil {
		rt = s.world
	}
	keychain, err := registry.Keychain(registry.KeychainOptions{Docker: authn.NewMultiKeychain(), GitHubToken: env["GITHUB_TOKEN"]})
	if err != nil {
		panic(err)
	}
	return publish.Options{
		Keychain: keychain, WorkDir: s.out, // no checkout
		File: s.file, OutputDir: filepath.Join(s.out, "taglast-out"), Transport: rt, Getenv: func(k string) string { return env[k] },
		SigningConfig: s.world.SigningConfig(), TrustedRoot: s.world.TrustedRoot(),
	}
}

func (s *scene) publish(ctx context.Context) (*publish.Report, error) {
	return publish.Publish(ctx, s.options(nil))
}

// tags of every repository, as `repository:tag digest`.
func tagLines(state sandbox.State) []string {
	var out []string
	for repo, tags := range state.Tags {
		for tag, digest := range tags {
			out = append(out, fmt.Sprintf("%s:%s %s", repo, tag, digest))
		}
	}
	return out
}

// writes of the request log: what a second run must not have.
func writes(requests []sandbox.Request) []string {
	var out []string
	for _, r := range requests {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			out = append(out, r.Method+" "+r.Host+r.Path)
		}
	}
	return out
}

// probes are the two kinds of write that a second run may send: an upload that is cancelled, and a call to the store that
// cannot succeed.
func withoutProbes(lines []string) []string {
	var out []string
	for _, l := range lines {
		probe := strings.Contains(l, "/blobs/uploads/") || strings.HasSuffix(l, "/attestations")
		if !probe {
			out = append(out, l)
		}
	}
	return out
}

// tagWithoutPermit asks a registry client of the production code to write a tag, as a careless caller would.
func tagWithoutPermit(tb testing.TB, s *scene) error {
	tb.Helper()
	repo, err := name.NewRepository("docker.io/acme/app")
	if err != nil {
		tb.Fatal(err)
	}
	raw := []byte(`{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}`)
	digest, size, err := v1.SHA256(bytes.NewReader(raw))
	if err != nil {
		tb.Fatal(err)
	}
	c := registry.NewClients(registry.Options{Transport: s.world, Retry: retry.Policy{Budget: -1}}).Repository(repo)
	return c.PutTag(tb.Context(), "stray", registry.Manifest{
		Descriptor: v1.Descriptor{MediaType: types.OCIImageIndex, Digest: digest, Size: size}, Raw: raw,
	}, registry.Previous{})
}

// fetch reads a manifest of ghcr.io/acme/app out of a world.
func fetch(tb testing.TB, w *sandbox.World, digest string) (raw []byte, mediaType string) {
	tb.Helper()
	return fetchFrom(tb, w, "ghcr.io/acme/app", digest)
}

// fetchFrom reads a manifest of a repository out of a world.
func fetchFrom(tb testing.TB, w *sandbox.World, repository, digest string) (raw []byte, mediaType string) {
	tb.Helper()
	repo, err := name.NewRepository(repository)
	if err != nil {
		tb.Fatal(err)
	}
	m, err := registry.NewClients(registry.Options{Transport: w}).Repository(repo).Get(tb.Context(), digest)
	if err != nil {
		tb.Fatal(err)
	}
	return m.Raw, string(m.MediaType)
}

// seedQuickstart puts the quickstart's image into a repository, its index under a tag, and gives the index's digest.
func seedQuickstart(tb testing.TB, w *sandbox.World, host, repo, tag string) (index string) {
	tb.Helper()
	dir := filepath.Join("..", "..", "testdata", "quickstart", "image", "blobs", "sha256")
	entries, err := os.ReadDir(dir)
	if err != nil {
		tb.Fatal(err)
	}
	for _, e := range entries {
		raw, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			tb.Fatal(err)
		}
		var m struct{ MediaType types.MediaType }
		switch bad := json.Unmarshal(raw, &m); {
		case bad == nil && m.MediaType == types.OCIImageIndex:
			index, err = w.SeedManifest(host, repo, tag, string(m.MediaType), raw)
		case bad == nil && m.MediaType == types.OCIManifestSchema1:
			_, err = w.SeedManifest(host, repo, "", string(m.MediaType), raw)
		default:
			_, err = w.SeedBlob(host, repo, raw)
		}
		if err != nil {
			tb.Fatal(err)
		}
	}
	return index
}
