//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Docker's recipe for several runners with our step at its end: each platform's job pushes by digest and may not sign; one job
// merges, attests and tags.
func TestTheMultiRunnerRecipe(t *testing.T) {
	s, b := builders(t)
	p, keep := s.plain("acme/"+secret("runners-")), t.TempDir()
	workflow := fmt.Sprintf(`name: release
on:
  push: {tags: ["v*"]}
concurrency: {group: image-release}
permissions: {}
jobs:
  build:
    strategy:
      matrix: {include: [{platform: linux/amd64, runner: ubuntu-latest}, {platform: linux/arm64, runner: ubuntu-24.04-arm}]}
    runs-on: ${{ matrix.runner }}
    permissions: {contents: read, packages: write}
    steps:
      - uses: actions/checkout@v7
        with: {persist-credentials: false}
      - uses: docker/setup-buildx-action@v4
      - id: build
        uses: docker/build-push-action@v7
        with:
          context: src
          platforms: ${{ matrix.platform }}
          outputs: type=image,name=%[1]s,push-by-digest=true,name-canonical=true,push=true
      - env: {DIGEST: "${{ steps.build.outputs.digest }}"}
        run: mkdir -p digests && touch "digests/${DIGEST#sha256:}"
      - uses: actions/upload-artifact@v7
        with: {name: "digests-${{ matrix.runner }}", path: digests}
  publish:
    needs: build
    runs-on: ubuntu-latest
    permissions: {contents: read, packages: write, id-token: write, attestations: write}
    steps:
      - uses: actions/download-artifact@v8
        with: {pattern: "digests-*", path: digests, merge-multiple: true}
      - id: publish
        uses: taglast/taglast@v1
        with:
          images: %[1]s
          tags: type=semver,pattern={{version}}
          platforms: linux/amd64,linux/arm64
          source: digests=digests
          signing-config: %[2]s
          trusted-root: %[3]s
`, p.repositories[0], s.signingConfig, s.trustedRoot)
	r := s.act(t, workflowRun{job: release(), files: fromDockerfile(workflow), builder: b, environ: []string{"KEEP=" + keep}})
	if r.code != 0 {
		t.Fatalf("the workflow: %s", r)
	}
	digest, raw := resolve(t, p.loopback[0]+":1.2.3")
	if digest == "" || digest != r.outputs["publish"]["digest"] {
		t.Errorf("the registry has %q, the output is %q", digest, r.outputs["publish"]["digest"])
	}
	var index struct {
		Manifests []struct {
			Digest   string
			Platform struct{ Architecture string }
		}
	}
	if err := json.Unmarshal(raw, &index); err != nil || len(index.Manifests) != 2 {
		t.Errorf("%s: %v", raw, err)
	}
	for _, m := range index.Manifests {
		if gh := s.gh(t, "oci://"+p.repositories[0]+"@"+m.Digest, "-R", release().Repository); gh.code != 0 {
			t.Errorf("gh on %s: %s", m.Platform.Architecture, gh)
		}
	}
	s.checkSummaryVerifies(t, r)
}

// A checkout of a branch builds the program, in a job that builds for something else.
func TestTheActionBuildsItselfWhereItIsNoRelease(t *testing.T) {
	s := servers(t)
	here, err := source()
	if err != nil {
		t.Fatal(err)
	}
	root, checkout := filepath.Join(here, "..", ".."), s.actionFiles(t)
	for _, name := range []string{"cmd", "internal", "pkg"} {
		if err := os.CopyFS(filepath.Join(checkout, name), os.DirFS(filepath.Join(root, name))); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"go.mod", "go.sum"} {
		write(t, checkout, name, []byte(readText(t, filepath.Join(root, name))))
	}
	modules, err := run(t.Context(), here, "go", os.Environ(), "env", "GOMODCACHE")
	if err != nil || modules.code != 0 {
		t.Fatalf("go env: %v %s", err, modules)
	}
	img, dir := newImage(t, 64), t.TempDir()
	img.layout(t, dir)
	p := s.plain("acme/" + secret("built-"))
	inputs := fmt.Sprintf("images: %s\ntags: type=semver,pattern={{version}}\nsource: oci=%s\n", p.repositories[0], dir)
	r := s.act(t, workflowRun{
		job: release(), files: map[string]string{".github/workflows/release.yml": s.workflowWith(inputs)}, checkout: checkout,
		environ: []string{
			"KEEP=" + t.TempDir(), "GOOS=plan9", "GOARCH=mips", "GOFLAGS=-mod=vendor", "GOSUMDB=off",
			"GOPROXY=file://" + filepath.ToSlash(strings.TrimSpace(modules.stdout)) + "/cache/download",
		},
	})
	if r.code != 0 || !strings.Contains(r.log, "Building taglast from source") {
		t.Fatalf("the workflow: %s", r)
	}
	if digest, _ := resolve(t, p.loopback[0]+":1.2.3"); digest == "" || digest != r.outputs["publish"]["digest"] {
		t.Errorf("the registry has %q, the output is %q", digest, r.outputs["publish"]["digest"])
	}
}
