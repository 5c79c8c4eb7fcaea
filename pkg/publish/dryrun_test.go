package publish_test

import (
	"bytes"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/taglast/taglast/internal/sandbox"
	"github.com/taglast/taglast/pkg/publish"
)

// border lets nothing pass that a dry run may not send to the real network.
type border struct {
	t    *testing.T
	base http.RoundTripper
	mu   sync.Mutex
	log  []string
}

func (b *border) RoundTrip(req *http.Request) (*http.Response, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.log = append(b.log, req.Method+" "+req.URL.Host+req.URL.Path)
	if req.Method != http.MethodGet && req.Method != http.MethodHead {
		b.t.Errorf("a dry run sends %s %s", req.Method, req.URL)
	}
	for _, scope := range req.URL.Query()["scope"] {
		for one := range strings.FieldsSeq(scope) {
			if !strings.HasSuffix(one, ":pull") {
				b.t.Errorf("a dry run asks for scope %s", one)
			}
		}
	}
	return b.base.RoundTrip(req)
}

// dryRunOptions are a dry run's options on top of a scene, whose world plays the real network.
func (s *scene) dryRunOptions(rt http.RoundTripper) publish.Options {
	o := s.options(rt)
	o.SigningConfig, o.TrustedRoot = nil, nil
	return o
}

// threeSources is a release with an image of every source; the digests are those of the quickstart's manifests.
func threeSources(children []string) string {
	return `
repositories: [ghcr.io/acme/app, docker.io/acme/app]
tags: ["{{image}}-1.2.3", "{{image}}"]
images:
  - name: app
    source: {oci: image}
  - name: cli
    source: {image: "docker.io/other/cli:1"}
  - name: web
    source: {digests: [` + strings.Join(children, ", ") + `], repository: ghcr.io/acme/build}
`
}

// quickstartParts are the quickstart's index, and by kind the digests that it reaches.
func quickstartParts(t *testing.T, w *sandbox.World) (manifests, layers []string) {
	t.Helper()
	seedQuickstart(t, w, "ghcr.io", "acme/build", "")
	for _, digest := range w.State().Manifests["ghcr.io/acme/build"] {
		raw, err := os.ReadFile(filepath.Join("..", "..", "testdata", "quickstart", "image", "blobs", strings.Replace(digest, ":", "/", 1)))
		if err != nil {
			t.Fatal(err)
		}
		m, err := v1.ParseManifest(bytes.NewReader(raw))
		if err != nil || len(m.Layers) == 0 {
			continue // the index
		}
		manifests = append(manifests, digest)
		for _, l := range m.Layers {
			layers = append(layers, l.Digest.String())
		}
	}
	if len(manifests) != 2 || len(layers) == 0 {
		t.Fatalf("manifests %v, layers %v", manifests, layers)
	}
	return manifests, layers
}

func TestADryRunOnlyReads(t *testing.T) {
	s := newScene(t, twoByTwo, lawOptions())
	children, layers := quickstartParts(t, s.world)
	seedQuickstart(t, s.world, "index.docker.io", "other/cli", "1")
	index := seedQuickstart(t, s.world, "ghcr.io", "acme/app", "app") // the real registry has an older one
	s.file = parse(t, threeSources(children))
	b := &border{t: t, base: s.world}
	watch := &listener{}
	o := s.dryRunOptions(b)
	o.Observer = watch
	before, seen := s.world.Published(), len(s.world.Requests())
	r, err := publish.DryRun(t.Context(), o, false)
	if err != nil || publish.ExitCode(r, err) != 0 || r.Outcome != publish.Published || !r.DryRun {
		t.Fatalf("exit %d, %+v: %v", publish.ExitCode(r, err), r, err)
	}
	for _, line := range b.log {
		method, target, _ := strings.Cut(line, " ")
		host, path, _ := strings.Cut(target, "/")
		if host != "ghcr.io" && host != "index.docker.io" {
			t.Errorf("asked %s", line)
		}
		if digest := path[strings.LastIndex(path, "/")+1:]; method == http.MethodGet && slices.Contains(layers, digest) {
			t.Errorf("a layer is fetched: %s", line)
		}
		if strings.Contains(path, "/referrers/") || strings.Contains(path, "/manifests/sha256-") {
			t.Errorf("referrers are looked at: %s", line)
		}
	}
	if len(b.log) == 0 || r.Took.Reads != len(b.log) || r.Took.Writes != 0 {
		t.Errorf("%+v, %d requests left", r.Took, len(b.log))
	}
	if got := writes(s.world.Requests()[seen:]); len(got) > 0 || !slices.Equal(before, s.world.Published()) {
		t.Errorf("the real world changed: %v", got)
	}
	for _, im := range r.Images {
		for _, tag := range im.Tags {
			want, previous := "created", ""
			if tag.Ref == "ghcr.io/acme/app:app" {
				want, previous = "moved", index
			}
			if tag.Action != want || tag.Previous != previous || tag.Digest != im.Digest {
				t.Errorf("%+v, want %s", tag, want)
			}
		}
		if len(im.Platforms) != 2 || len(im.Attestations) != 1 || !strings.HasPrefix(im.Verify, "gh attestation verify ") {
			t.Errorf("%+v", im)
		}
	}
	onDisk(t, s, r)
}

// TestADryRunGoesOnWithoutALogin: tags that cannot be read are unknown, images that cannot be read are skipped.
func TestADryRunGoesOnWithoutALogin(t *testing.T) {
	private := sandbox.RegistryOptions{Auth: sandbox.Auth{Scheme: "bearer", Password: "none of ours"}}
	s := newScene(t, `
images:
  - name: app
    repositories: [quay.io/acme/app, ghcr.io/acme/app]
    source: {oci: image}
    tags: [1.2.3, latest]
  - name: cli
    repositories: [ghcr.io/acme/app]
    source: {image: "quay.io/acme/base:1"}
    tags: [cli]
`, sandbox.Options{Registries: map[string]sandbox.RegistryOptions{"ghcr.io": {}, "quay.io": private}})
	watch := &listener{}
	o := s.dryRunOptions(&border{t: t, base: s.world})
	o.Observer = watch
	r, err := publish.DryRun(t.Context(), o, false)
	if err != nil || publish.ExitCode(r, err) != 0 {
		t.Fatal(err)
	}
	for _, tag := range r.Images[0].Tags {
		want := ""
		if strings.HasPrefix(tag.Ref, "quay.io/") {
			want = publish.Unknown
		}
		if tag.Previous != want || tag.Action != "created" {
			t.Errorf("%+v", tag)
		}
	}
	if !strings.Contains(watch.all(), "quay.io/acme/app: the current tags cannot be read and are unknown") {
		t.Errorf("no warning of unknown tags:\n%s", watch.all())
	}
	cli := r.Images[1]
	if !cli.Skipped || cli.Digest != "" || !strings.Contains(cli.Reason, "quay.io/acme/base") || len(cli.Attestations) > 0 {
		t.Errorf("%+v", cli)
	}
	if !strings.Contains(watch.all(), "image cli is skipped: ") {
		t.Errorf("no warning of the skipped image:\n%s", watch.all())
	}
	if cli.Tags[0].Action != "pending" {
		t.Errorf("%+v", cli.Tags[0])
	}
}

func TestOfflineNothingLeaves(t *testing.T) {
	nothing := roundTripper(func(req *http.Request) (*http.Response, error) {
		t.Errorf("left: %s %s", req.Method, req.URL)
		return nil, http.ErrServerClosed
	})
	t.Run("a layout is published", func(t *testing.T) {
		s := newScene(t, twoByTwo, sandbox.Options{})
		r, err := publish.DryRun(t.Context(), s.dryRunOptions(nothing), true)
		if err != nil || r.Outcome != publish.Published || len(r.Images) != 2 || r.Took.Reads+r.Took.Writes > 0 {
			t.Errorf("%+v: %v", r, err)
		}
	})
	for name, source := range map[string]string{
		"an image would be read":  `{image: "docker.io/library/alpine:3"}`,
		"digests would be looked": "{digests: [sha256:" + strings.Repeat("0", 64) + "]}",
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t, "repositories: [ghcr.io/acme/app]\ntags: [latest]\nimages: [{name: app, source: "+source+"}]", sandbox.Options{})
			r, err := publish.DryRun(t.Context(), s.dryRunOptions(nothing), true)
			if publish.ExitCode(r, err) != 2 || !strings.Contains(err.Error(), "image app: --offline, and its source is in a registry") {
				t.Errorf("exit %d: %v", publish.ExitCode(r, err), err)
			}
		})
	}
}

func TestADryRunRefusesAnInstanceOfOnesOwn(t *testing.T) {
	s := newScene(t, twoByTwo, sandbox.Options{})
	for _, change := range []func(*publish.Options){
		func(o *publish.Options) { o.SigningConfig = s.world.SigningConfig() },
		func(o *publish.Options) { o.TrustedRoot = s.world.TrustedRoot() },
	} {
		o := s.dryRunOptions(nil)
		change(&o)
		if r, err := publish.DryRun(t.Context(), o, true); publish.ExitCode(r, err) != 2 || len(s.world.Requests()) > 0 {
			t.Errorf("exit %d: %v", publish.ExitCode(r, err), err)
		}
	}
}

func TestADryRunWithoutATagIsNoError(t *testing.T) {
	s := newScene(t, onMain, sandbox.Options{Identity: sandbox.Identity{Ref: "refs/heads/main"}})
	r, err := publish.DryRun(t.Context(), s.dryRunOptions(nil), true)
	if err != nil || r.Images[0].Skipped || !r.Images[1].Skipped || r.Images[1].Reason != "no tag on this event" {
		t.Errorf("%+v: %v", r, err)
	}
}
