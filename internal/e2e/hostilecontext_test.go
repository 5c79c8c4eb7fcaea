//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestAContextThatIsARepositoryRunsNothing has a context which git takes for a repository whose configuration names a
// program to fetch with: buildx by itself asks git about it, and the program runs beside the job's tokens.
func TestAContextThatIsARepositoryRunsNothing(t *testing.T) {
	s, b := builders(t)
	dir := t.TempDir()
	ran := filepath.Join(t.TempDir(), "ran")
	writeFiles(t, dir, map[string]string{
		"ctx/Dockerfile":      "FROM scratch\nCOPY Dockerfile /\n",
		"ctx/HEAD":            "ref: refs/heads/main\n",
		"ctx/refs/heads/main": strings.Repeat("1", 40) + "\n",
		"ctx/objects/keep":    "",
		"ctx/config": "[core]\n\trepositoryformatversion = 1\n\tbare = false\n\tworktree = .\n[extensions]\n\tpartialClone = x\n" +
			"[remote \"x\"]\n\tpromisor = true\n\turl = .\n\tuploadpack = \"sh ./x.sh;#\"\n",
		"ctx/x.sh": "echo ran >> " + ran + "\n",
		"taglast.yaml": fmt.Sprintf("repositories: [ghcr.io/acme/%s]\nplatforms: [%s]\ntags: [1.2.3]\nimages:\n"+
			"  - {name: app, source: {dockerfile: ctx/Dockerfile, context: ctx}}\n", secret("hostile-"), hostPlatform),
	})
	if out := b.buildx(t, dir, "build", "--provenance=false", "--output", "type=oci,dest="+filepath.Join(t.TempDir(), "oci.tar"), "ctx"); out.code != 0 {
		t.Fatalf("buildx: %s", out)
	}
	if _, err := os.Stat(ran); err != nil {
		t.Fatalf("buildx by itself does not run what the context names: this test shows nothing any more: %v", err)
	}
	if err := os.Remove(ran); err != nil {
		t.Fatal(err)
	}
	out, r := s.publishIn(t, append(s.stepEnviron(t, release()), b.environ...), dir)
	if out.code != 0 || r.Outcome != "published" {
		t.Fatalf("publish: %s", out)
	}
	if _, err := os.Stat(ran); err == nil {
		t.Error("a program that the context names was run")
	}
}
