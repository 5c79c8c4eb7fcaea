package publish_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/taglast/taglast/internal/sandbox"
	"github.com/taglast/taglast/internal/testkit/golden"
	"github.com/taglast/taglast/pkg/publish"
	"github.com/taglast/taglast/pkg/release"
)

// reasons are why a publication sends each request: method, host and path with registries, digests and ids blanked. The
// n-th line of a request that is sent several times has the n-th reason.
var reasons = map[string][]string{
	"GET runner.taglast.invalid/idtoken":                       {"the job's ID token"},
	"GET token.actions.githubusercontent.com/.well-known/jwks": {"its issuer's keys: the token is checked before it is believed"},
	"GET {registry}/v2/":                                       {"how the registry wants to be logged in to (distribution specification)"},
	"GET {registry}/v2/acme/app/tags/list": {
		"which versions and aliases there are: in the plan", "the same after the fixed tags, to decide the aliases", "and after the last write: was another run between",
	},
	"POST {registry}/v2/acme/app/blobs/uploads/":              {"preflight: may this token push", "a blob that the repository lacks"},
	"DELETE {registry}/v2/acme/app/blobs/uploads/{id}":        {"preflight: the upload is cancelled"},
	"POST api.github.com/repos/acme/app/attestations":         {"preflight: a create call that cannot succeed", "the attestation is stored"},
	"GET {registry}/v2/acme/app/manifests/{digest}":           {"the source, and what is pushed, read by digest and hashed"},
	"HEAD {registry}/v2/acme/app/manifests/{digest}":          {"is the manifest there"},
	"GET {registry}/v2/acme/app/blobs/{digest}":               {"a config that tells the platform, or a layer for another registry"},
	"HEAD {registry}/v2/acme/app/blobs/{digest}":              {"is the blob there"},
	"PATCH {registry}/v2/acme/app/blobs/uploads/{id}":         {"its bytes"},
	"PUT {registry}/v2/acme/app/blobs/uploads/{id}":           {"the end of its upload"},
	"PUT {registry}/v2/acme/app/manifests/{digest}":           {"a manifest or the index, by digest"},
	"GET api.github.com/repos/acme/app/attestations/{digest}": {"is there an attestation to reuse", "the stored attestation, as a consumer finds it"},
	"POST fulcio.taglast.invalid/api/v2/signingCert":          {"the run's one certificate"},
	"POST timestamp.taglast.invalid/api/v1/timestamp":         {"a signed timestamp"},
	"POST rekor.taglast.invalid/api/v1/log/entries":           {"the log entry"},
	"GET bundles.taglast.invalid/{id}":                        {"the stored bundle itself, without credentials"},
	"HEAD {registry}/v2/acme/app/manifests/{fixed}":           {"guard just before the first write"},
	"PUT {registry}/v2/acme/app/manifests/{fixed}":            {"the fixed tag"},
	"GET {registry}/v2/acme/app/manifests/{fixed}":            {"the tag, read and hashed after the last write"},
	"PUT {registry}/v2/acme/app/manifests/{moving}":           {"the moving tag"},
	"GET {registry}/v2/acme/app/manifests/{moving}":           {"the tag, read and hashed after the last write"},
	"HEAD {registry}/v2/acme/app/manifests/latest":            {"how many pulls the registry still gives", "the tag, looked at after the last write: a GET is counted here"},
	"HEAD {registry}/v2/acme/app/manifests/cli":               {"the tag, looked at after the last write: a GET is counted here"},
}

var (
	digestPart = regexp.MustCompile(`sha256:[0-9a-f]{64}`)
	uploadPart = regexp.MustCompile(`/uploads/[^/?]+`)
	hostPart   = regexp.MustCompile(`^(\w+) (ghcr\.io|index\.docker\.io)/`)
	fixedPart  = regexp.MustCompile(`/manifests/1\.2\.3(-cli)?$`)
	movingPart = regexp.MustCompile(`/manifests/(latest|cli)$`)
	bundlePart = regexp.MustCompile(`^(GET bundles\.taglast\.invalid/).*`)
)

// why are the reasons of a blanked request.
func why(line string) []string {
	line = hostPart.ReplaceAllString(line, "$1 {registry}/")
	line = fixedPart.ReplaceAllString(line, "/manifests/{fixed}")
	if found := reasons[line]; found != nil {
		return found
	}
	return reasons[movingPart.ReplaceAllString(line, "/manifests/{moving}")]
}

func blanked(r sandbox.Request) string {
	line := fmt.Sprintf("%s %s%s", r.Method, r.Host, r.Path)
	line = digestPart.ReplaceAllString(line, "{digest}")
	line = uploadPart.ReplaceAllString(line, "/uploads/{id}")
	return bundlePart.ReplaceAllString(line, "${1}{id}")
}

// already is a scene whose registry, at that host, holds the quickstart's image untagged, by digest, as build jobs leave it, and the
// release file text with the digests filled in.
func already(tb testing.TB, host string, source func(repository, index string, children []string) string) *scene {
	tb.Helper()
	s := newScene(tb, "repositories: [ghcr.io/acme/app]\ntags: []\nimages: [{name: app, source: {oci: image}}]", sandbox.Options{})
	r, err := s.publish(tb.Context())
	if err != nil {
		tb.Fatal(err)
	}
	var children []string
	for _, p := range r.Images[0].Platforms {
		children = append(children, p.Digest)
	}
	repository := host + "/acme/app"
	text := "repositories: [" + repository + "]\nplatforms: [linux/amd64, linux/arm64]\ntags: [1.2.3, latest]\nimages: [{name: app, source: " +
		source(repository, r.Images[0].Digest, children) + "}]"
	next := newScene(tb, text, sandbox.Options{})
	_, copied := next.file.Images[0].Source.(release.ImageSource)
	copyManifests(tb, s.world, next.world, strings.Replace(host, "docker.io", "index.docker.io", 1), r, copied)
	return next
}

// copyManifests brings an image that one world holds into another, untagged and not attested, with or without its index.
func copyManifests(tb testing.TB, from, to *sandbox.World, host string, r *publish.Report, index bool) {
	tb.Helper()
	blobs := filepath.Join("..", "..", "testdata", "quickstart", "image", "blobs", "sha256")
	var digests []string
	if index {
		digests = append(digests, r.Images[0].Digest)
	}
	for _, p := range r.Images[0].Platforms {
		digests = append(digests, p.Digest)
	}
	entries, err := os.ReadDir(blobs)
	if err != nil {
		tb.Fatal(err)
	}
	for _, e := range entries {
		raw, err := os.ReadFile(filepath.Join(blobs, e.Name()))
		if err != nil {
			tb.Fatal(err)
		}
		if _, err := to.SeedBlob(host, "acme/app", raw); err != nil {
			tb.Fatal(err)
		}
	}
	for i, digest := range digests {
		raw, mediaType := fetch(tb, from, digest)
		if got, err := to.SeedManifest(host, "acme/app", "", mediaType, raw); err != nil || got != digest {
			tb.Fatalf("manifest %d: %s, %v", i, got, err)
		}
	}
}

func indexThere(repository, index string, _ []string) string {
	return fmt.Sprintf("{image: %s@%s}", repository, index)
}

func digestsThere(_, _ string, children []string) string {
	return fmt.Sprintf("{digests: [%s]}", strings.Join(children, ", "))
}

// tables are the publications whose requests are counted.
var tables = map[string]func(testing.TB) *scene{
	"image":           func(tb testing.TB) *scene { return already(tb, "ghcr.io", indexThere) },
	"image-dockerhub": func(tb testing.TB) *scene { return already(tb, "docker.io", indexThere) },
	"digests":         func(tb testing.TB) *scene { return already(tb, "ghcr.io", digestsThere) },
	"two-by-two":      twoFromDigests,
}

// twoFromDigests is a release of two images, made of manifests that build jobs pushed to one of its two registries.
func twoFromDigests(tb testing.TB) *scene {
	tb.Helper()
	s := already(tb, "ghcr.io", digestsThere)
	digests := s.file.Images[0].Source.(release.DigestsSource).List
	s.file = parse(tb, fmt.Sprintf(`
repositories: [ghcr.io/acme/app, docker.io/acme/app]
platforms: [linux/amd64, linux/arm64]
images:
  - name: app
    source: {digests: [%[1]s, %[2]s]}
    tags: [1.2.3, latest]
  - name: cli
    source: {digests: [%[1]s, %[2]s]}
    annotations: {org.opencontainers.image.title: cli}
    tags: [1.2.3-cli, cli]
`, digests[0], digests[1]))
	return s
}

// TestRequestsOfAPublication is the table of requests that one publication sends, each with its reason: a two-platform
// image that is there by digest already, two tags, every check on. `image` is an index that another job pushed,
// `digests` two manifests that are made into one, `two-by-two` two images of such manifests in two registries. Docker Hub
// counts the GETs of manifests, so that fewer are sent there.
func TestRequestsOfAPublication(t *testing.T) {
	for name, prepare := range tables {
		t.Run(name, func(t *testing.T) {
			s := prepare(t)
			if _, err := s.publish(t.Context()); err != nil {
				t.Fatal(err)
			}
			var b strings.Builder
			nth := map[string]int{}
			gets := 0
			requests := s.world.Requests()
			for _, r := range requests {
				line := blanked(r)
				why := why(line)
				if len(why) == 0 {
					t.Errorf("%s has no reason", line)
					continue
				}
				if r.Method == http.MethodGet && strings.Contains(r.Path, "/manifests/") {
					gets++
				}
				n := min(nth[line], len(why)-1)
				nth[line]++
				fmt.Fprintf(&b, "%-64s %s\n", line, why[n])
			}
			lines := strings.Split(strings.TrimSpace(b.String()), "\n")
			slices.Sort(lines)
			golden.Compare(t, "testdata/requests-"+name+".golden", fmt.Sprintf("%d requests, %d of them GETs of manifests\n%s\n", len(requests), gets, strings.Join(lines, "\n")))
		})
	}
}

// BenchmarkPublish publishes that image, in memory: what taglast itself costs beside the network.
func BenchmarkPublish(b *testing.B) {
	for name, prepare := range tables {
		b.Run(name, func(b *testing.B) {
			requests := 0
			for b.Loop() {
				b.StopTimer()
				s := prepare(b)
				b.StartTimer()
				if _, err := publish.Publish(context.Background(), s.options(nil)); err != nil {
					b.Fatal(err)
				}
				requests = len(s.world.Requests())
			}
			b.ReportMetric(float64(requests), "requests/op")
		})
	}
}
