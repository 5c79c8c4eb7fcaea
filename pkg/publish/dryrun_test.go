package publish_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/sigstore/sigstore-go/pkg/root"

	"github.com/taglast/taglast/internal/sandbox"
	"github.com/taglast/taglast/pkg/policy"
	"github.com/taglast/taglast/pkg/publish"
	"github.com/taglast/taglast/pkg/trust"
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

// rehearsal is a dry run's options on top of a scene, whose world plays the real network.
func (s *scene) rehearsal(rt http.RoundTripper) publish.Options {
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
	o := s.rehearsal(b)
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
	o := s.rehearsal(&border{t: t, base: s.world})
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
		r, err := publish.DryRun(t.Context(), s.rehearsal(nothing), true)
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
			r, err := publish.DryRun(t.Context(), s.rehearsal(nothing), true)
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
		o := s.rehearsal(nil)
		change(&o)
		if r, err := publish.DryRun(t.Context(), o, true); publish.ExitCode(r, err) != 2 || len(s.world.Requests()) > 0 {
			t.Errorf("exit %d: %v", publish.ExitCode(r, err), err)
		}
	}
}

func TestADryRunWithoutATagIsNoError(t *testing.T) {
	s := newScene(t, onMain, sandbox.Options{Identity: sandbox.Identity{Ref: "refs/heads/main"}})
	r, err := publish.DryRun(t.Context(), s.rehearsal(nil), true)
	if err != nil || r.Images[0].Skipped || !r.Images[1].Skipped || r.Images[1].Reason != "no tag on this event" {
		t.Errorf("%+v: %v", r, err)
	}
}

// rehearse publishes the two images offline and gives the output directory.
func rehearse(t *testing.T, s *scene) (*publish.Report, string) {
	t.Helper()
	o := s.rehearsal(nil)
	r, err := publish.DryRun(t.Context(), o, true)
	if err != nil {
		t.Fatal(err)
	}
	return r, o.OutputDir
}

func TestWhatADryRunLeaves(t *testing.T) {
	s := newScene(t, twoByTwo, sandbox.Options{})
	r, dir := rehearse(t, s)

	raw, err := os.ReadFile(filepath.Join(dir, "trusted_root.json"))
	if err != nil || bytes.Count(raw, []byte("\n")) != 1 || !bytes.HasSuffix(raw, []byte("\n")) {
		t.Errorf("trusted_root.json is not one line that ends in a newline: %v", err)
	}
	// A valid OCI layout (image-layout 1.0.0): every blob has the digest that is its name, and the index names roots by image.
	if layout, err := os.ReadFile(filepath.Join(dir, "oci", "oci-layout")); err != nil || string(layout) != `{"imageLayoutVersion":"1.0.0"}` {
		t.Errorf("oci-layout is %s: %v", layout, err)
	}
	rawIndex, err := os.ReadFile(filepath.Join(dir, "oci", "index.json"))
	if err != nil {
		t.Fatal(err)
	}
	index, err := v1.ParseIndexManifest(bytes.NewReader(rawIndex))
	if err != nil || len(index.Manifests) != 2 {
		t.Fatalf("index.json: %v", err)
	}
	blobs := blobsOf(t, filepath.Join(dir, "oci", "blobs", "sha256"))
	for i, d := range index.Manifests {
		im := r.Images[i]
		content, ok := blobs[d.Digest.String()]
		if !ok || d.Digest.String() != im.Digest || int64(len(content)) != d.Size || d.Annotations["org.opencontainers.image.ref.name"] != im.Name {
			t.Errorf("%+v is not image %s", d, im.Name)
		}
		for _, p := range im.Platforms {
			if _, ok := blobs[p.Digest]; !ok {
				t.Errorf("%s of image %s is not in the layout", p.Platform, im.Name)
			}
		}
		checkAsConsumer(t, dir, im, "acme/app", "public")
	}
	if left := disk(t, dir); strings.Contains(left, "PRIVATE KEY") {
		t.Error("a key is on disk")
	}
}

// blobsOf reads a layout's blobs; each must have the digest that is its name.
func blobsOf(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	out := map[string][]byte{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		raw, err := os.ReadFile(path)
		sum := sha256.Sum256(raw)
		if got := hex.EncodeToString(sum[:]); got != d.Name() {
			t.Errorf("blob %s has digest %s", d.Name(), got)
		}
		out["sha256:"+d.Name()] = raw
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// checkAsConsumer verifies an image's bundle as gh does, with the trusted root that lies beside it: for the index and for
// each platform, and not for another repository.
func checkAsConsumer(t *testing.T, dir string, im publish.ImageReport, repository, visibility string) {
	t.Helper()
	roots, err := trust.ReadRoots(filepath.Join(dir, "trusted_root.json"))
	if err != nil {
		t.Fatal(err)
	}
	bundle, err := os.ReadFile(filepath.Join(dir, im.Attestations[0].Bundle))
	if err != nil {
		t.Fatal(err)
	}
	digests := []string{im.Digest}
	for _, p := range im.Platforms {
		digests = append(digests, p.Digest)
	}
	for _, digest := range digests {
		want, err := hex.DecodeString(strings.TrimPrefix(digest, "sha256:"))
		if err != nil {
			t.Fatal(err)
		}
		consumer := policy.Consumer{Trusted: []root.TrustedMaterial{roots[0].Root}, Repo: repository}
		v, err := consumer.Check(bundle, "sha256", want)
		if err != nil {
			t.Errorf("%s of image %s: %v", digest, im.Name, err)
			continue
		}
		if got := v.Certificate.SourceRepositoryVisibilityAtSigning; got != visibility {
			t.Errorf("the certificate says %s, want %s", got, visibility)
		}
		if strings.Contains(v.Certificate.CertificateIssuer, "sigstore.dev") || strings.Contains(v.Certificate.CertificateIssuer, "GitHub") {
			t.Errorf("the certificate's issuer is named %s", v.Certificate.CertificateIssuer)
		}
		consumer.Repo = "mallory/app"
		if _, err := consumer.Check(bundle, "sha256", want); err == nil {
			t.Error("it passes for another repository too")
		}
	}
	for _, ca := range roots[0].Root.FulcioCertificateAuthorities() {
		names := ca.(*root.FulcioCertificateAuthority).Root.Subject.String()
		if strings.Contains(names, "sigstore.dev") || strings.Contains(names, "GitHub") {
			t.Errorf("an authority is named %s", names)
		}
	}
}

// TestADryRunOfAPrivateRepository signs as one: the event says what the token would.
func TestADryRunOfAPrivateRepository(t *testing.T) {
	for _, visibility := range []string{"private", "internal", "public"} {
		s := newScene(t, twoByTwo, sandbox.Options{})
		s.payload(t, object{"repository": repository(visibility, "Organization")})
		r, dir := rehearse(t, s)
		checkAsConsumer(t, dir, r.Images[0], "acme/app", visibility)
	}
	s := newScene(t, twoByTwo, sandbox.Options{})
	s.payload(t, object{"repository": repository("no word for it", "Organization")})
	r, dir := rehearse(t, s)
	checkAsConsumer(t, dir, r.Images[0], "acme/app", "public")
}

// TestADryRunOutsideOfActions takes its identity from the git checkout.
func TestADryRunOutsideOfActions(t *testing.T) {
	git := func(dir string, args ...string) string {
		cmd := exec.Command("git", args...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.com", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.com")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("git %v: %s", args, out)
		}
		return strings.TrimSpace(string(out))
	}
	for _, c := range []struct {
		name       string
		prepare    func(dir string)
		repository string
		ref        string
	}{
		{"with a remote", func(dir string) { git(dir, "remote", "add", "origin", "git@github.com:Acme/Widget.git") }, "Acme/Widget", "refs/heads/trunk"},
		{"at a tag", func(dir string) {
			git(dir, "remote", "add", "origin", "https://github.com/acme/widget")
			git(dir, "tag", "v2.0.0")
		}, "acme/widget", "refs/tags/v2.0.0"},
		{"without a remote", func(string) {}, "local/my-widget", "refs/heads/trunk"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "my widget")
			if err := os.Mkdir(dir, 0o755); err != nil {
				t.Fatal(err)
			}
			git(dir, "init", "-q", "-b", "trunk")
			git(dir, "commit", "-q", "--allow-empty", "-m", "first")
			c.prepare(dir)
			s := newScene(t, twoByTwo, sandbox.Options{})
			watch := &headers{}
			o := s.rehearsal(nil)
			o.Getenv, o.WorkDir, o.Observer = func(string) string { return "" }, dir, watch
			r, err := publish.DryRun(t.Context(), o, true)
			if err != nil {
				t.Fatal(err)
			}
			h := watch.header
			if !h.FromCheckout || h.Repository != c.repository || h.Ref != c.ref || h.SHA != git(dir, "rev-parse", "HEAD") {
				t.Errorf("%+v", h)
			}
			checkAsConsumer(t, o.OutputDir, r.Images[0], c.repository, "public")
			if !strings.HasSuffix(r.Images[0].Verify, " --repo "+c.repository) {
				t.Errorf("%s", r.Images[0].Verify)
			}
		})
	}
}

// headers keeps what a run begins with.
type headers struct {
	listener
	header publish.Header
}

func (h *headers) Begin(header publish.Header) { h.header = header }

// TestWhatADryRunLeavesIsTheSameEachTime: the manifests are, bundles have times and keys of their own.
func TestWhatADryRunLeavesIsTheSameEachTime(t *testing.T) {
	read := func() string {
		_, dir := rehearse(t, newScene(t, twoByTwo, sandbox.Options{}))
		raw, err := json.Marshal(blobsOf(t, filepath.Join(dir, "oci", "blobs", "sha256")))
		if err != nil {
			t.Fatal(err)
		}
		return string(raw)
	}
	if once, again := read(), read(); once != again {
		t.Error("two dry runs made different manifests")
	}
}
