//go:build e2e

package e2e

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

var continued = regexp.MustCompile(`\\\s*\n\s*`)

// A newcomer's first command, in a clone: what it prints to verify with works when pasted, and nothing was written.
func TestTheQuickstartsVerifyLineWorksWhenPasted(t *testing.T) {
	s := servers(t)
	here, err := source()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.CopyFS(filepath.Join(dir, "testdata", "quickstart"), os.DirFS(filepath.Join(here, "..", "..", "testdata", "quickstart"))); err != nil {
		t.Fatal(err)
	}
	mark := s.gateway.mark()
	environ := append(base(t.TempDir()), s.proxied()...)
	out := s.taglast(t, dir, environ, "publish", "--dry-run", "-f", "testdata/quickstart/taglast.yaml")
	if out.code != 0 {
		t.Fatalf("publish --dry-run: %s", out)
	}
	for _, e := range s.gateway.since(mark) {
		if e.writes() {
			t.Errorf("a dry run wrote: %s", e)
		}
	}
	text := continued.ReplaceAllString(out.stdout+out.stderr, " ")
	at := strings.Index(text, "gh attestation verify ")
	if at < 0 {
		t.Fatalf("no line to verify with: %s", out)
	}
	line, _, _ := strings.Cut(text[at:], "\n")
	pasted, err := run(t.Context(), dir, "sh", append(environ, "PATH="+toolPath(t)), "-c", line)
	if err != nil || pasted.code != 0 {
		t.Errorf("%s: %v %s", line, err, pasted)
	}
	pasted, err = run(t.Context(), dir, "sh", append(environ, "PATH="+toolPath(t)), "-c", strings.Replace(line, "--repo ", "--repo other/", 1))
	if err != nil || pasted.code == 0 {
		t.Errorf("gh accepts another repository: %v %s", err, pasted)
	}
}

// Offline means that nothing is asked of anyone.
func TestAnOfflineDryRunAsksNobody(t *testing.T) {
	s, dir := servers(t), t.TempDir()
	newImage(t, 64).layout(t, filepath.Join(dir, "dist", "app"))
	file := releaseFile(t, dir, s.public("acme/"+secret("offline-")))
	mark := s.gateway.mark()
	out := s.taglast(t, dir, release().environ(t, s), "publish", "--dry-run", "--offline", "-f", file)
	if out.code != 0 {
		t.Errorf("publish --dry-run --offline: %s", out)
	}
	for _, e := range s.gateway.since(mark) {
		t.Errorf("asked: %s", e)
	}
}

// toolPath is a PATH with gh under its own name.
func toolPath(t *testing.T) string {
	t.Helper()
	file, err := ghTool.file()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.Symlink(file, filepath.Join(dir, "gh")); err != nil {
		t.Fatal(err)
	}
	return dir + string(os.PathListSeparator) + os.Getenv("PATH")
}

// A dry run in a job leaves a bundle, a trusted root and a layout that gh, cosign and taglast accept, and not a request
// to change anything.
func TestADryRunLeavesWhatItsConsumersAccept(t *testing.T) {
	s, j, dir := servers(t), release(), t.TempDir()
	p, img := s.public("acme/"+secret("dry-")), newImage(t, 256)
	img.layout(t, filepath.Join(dir, "dist", "app"))
	mark := s.gateway.mark()
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	file, err := program()
	if err != nil {
		t.Fatal(err)
	}
	out, err := run(ctx, dir, file, j.environ(t, s), "publish", "--dry-run", "-f", releaseFile(t, dir, p))
	if err != nil || out.code != 0 {
		t.Fatalf("publish --dry-run: %v %s", err, out)
	}
	for _, e := range s.gateway.since(mark) {
		switch {
		case e.writes():
			t.Errorf("a dry run wrote: %s", e)
		case e.Host != "ghcr.io" && !strings.HasSuffix(e.Host, "docker.io"):
			t.Errorf("a dry run asked: %s", e)
		case e.Host == "ghcr.io" && strings.Contains(e.Query, "push"):
			t.Errorf("a dry run asked to push: %s?%s", e, e.Query)
		}
	}
	for _, ref := range []string{p.loopback[0] + ":1.2.3", p.loopback[1] + ":1.2.3", p.loopback[0] + ":latest"} {
		if digest, _ := resolve(t, ref); digest != "" {
			t.Errorf("a dry run wrote %s", ref)
		}
	}
	left := filepath.Join(dir, "taglast-out")
	bundle, root := filepath.Join(left, "app.sigstore.json"), filepath.Join(left, "trusted_root.json")
	raw, err := os.ReadFile(root)
	if err != nil || strings.Count(string(raw), "\n") != 1 || !strings.HasSuffix(string(raw), "\n") {
		t.Errorf("trusted_root.json is not one line: %v", err)
	}
	for _, name := range []string{"sigstore.dev", "GitHub, Inc."} {
		if strings.Contains(string(raw), name) {
			t.Errorf("the dry run's authorities are named %s", name)
		}
	}
	digests := []string{img.platforms["linux/amd64"], img.platforms["linux/arm64"]}
	for _, digest := range append(digests, dryDigest(t, left)) {
		blob := filepath.Join(left, "oci", "blobs", "sha256", strings.TrimPrefix(digest, "sha256:"))
		args := []string{blob, "--bundle", bundle, "--custom-trusted-root", root, "--repo", j.Repository}
		if gh := s.gh(t, args...); gh.code != 0 {
			t.Errorf("gh on %s: %s", digest, gh)
		}
		if ours := s.verify(t, args...); ours.code != 0 {
			t.Errorf("taglast on %s: %s", digest, ours)
		}
		cosign := s.consume(t, cosignTool, "verify-blob-attestation", "--bundle", bundle, "--trusted-root", root,
			"--type", "slsaprovenance1", "--certificate-identity", j.identity(), "--certificate-oidc-issuer", actionsIssuer, blob)
		if cosign.code != 0 {
			t.Errorf("cosign on %s: %s", digest, cosign)
		}
	}
	if gh := s.gh(t, filepath.Join(left, "report.json"), "--bundle", bundle, "--custom-trusted-root", root, "--repo", j.Repository); gh.code == 0 {
		t.Error("gh accepts another file")
	}
}

// dryDigest is the digest of the one image in a dry run's report.
func dryDigest(t *testing.T, left string) string {
	t.Helper()
	r := readReport(t, filepath.Join(left, "report.json"))
	if !r.DryRun || len(r.Images) != 1 {
		t.Fatalf("report of the dry run: %+v", r)
	}
	return r.Images[0].Digest
}
