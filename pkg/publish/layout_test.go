package publish_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/sigstore/sigstore-go/pkg/root"

	"github.com/taglast/taglast/internal/bundle"
	"github.com/taglast/taglast/internal/policy"
	"github.com/taglast/taglast/internal/sandbox"
	"github.com/taglast/taglast/internal/trust"
	"github.com/taglast/taglast/pkg/publish"
)

// dryRun publishes the two images offline and gives the output directory.
func dryRun(t *testing.T, s *scene) (*publish.Report, string) {
	t.Helper()
	o := s.dryRunOptions(nil)
	r, err := publish.DryRun(t.Context(), o, true)
	if err != nil {
		t.Fatal(err)
	}
	return r, o.OutputDir
}

func TestWhatADryRunLeaves(t *testing.T) {
	s := newScene(t, twoByTwo, sandbox.Options{})
	r, dir := dryRun(t, s)

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
	raw, err := os.ReadFile(filepath.Join(dir, im.Attestations[0].Bundle))
	if err != nil {
		t.Fatal(err)
	}
	attestation, err := bundle.Parse(raw)
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
		v, err := consumer.Check(attestation, "sha256", want)
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
		if _, err := consumer.Check(attestation, "sha256", want); err == nil {
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
		r, dir := dryRun(t, s)
		checkAsConsumer(t, dir, r.Images[0], "acme/app", visibility)
	}
	s := newScene(t, twoByTwo, sandbox.Options{})
	s.payload(t, object{"repository": repository("no word for it", "Organization")})
	r, dir := dryRun(t, s)
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
			o := s.dryRunOptions(nil)
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
		_, dir := dryRun(t, newScene(t, twoByTwo, sandbox.Options{}))
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
