//go:build e2e

package e2e

import (
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
)

// A tag without a version follows the branch: a run of an older commit, that comes in late, leaves it at the newer one's
// image. GitHub says which is which: nobody has checked anything out.
func TestATagWithoutAVersionDoesNotGoBackToAnOlderCommit(t *testing.T) {
	s, j, dir := servers(t), release(), t.TempDir()
	p := s.public("acme/" + secret("edge-"))
	newImage(t, 64).layout(t, filepath.Join(dir, "dist", "app"))
	file := write(t, dir, "taglast.yaml", fmt.Appendf(nil, "repositories: [%s]\nplatforms: [linux/amd64, linux/arm64]\n"+
		"tags: [type=edge, 'type=ref,event=branch', type=sha]\nimages:\n  - name: app\n    source: {oci: dist/app}\n", strings.Join(p.repositories, ", ")))
	first, second, third := strings.Repeat("1a", 20), strings.Repeat("2b", 20), strings.Repeat("3c", 20)
	s.github.setCommits(t, first, second, third)
	j.Ref = "refs/heads/main"
	edge := "" // what it names
	for n, c := range []struct {
		name, sha string
		became    string
		reason    string // of what is kept
		compared  int    // how often GitHub is asked
	}{
		{"the first run of all", second, "edge created, main created, sha-2b2b2b2 created", "", 0},
		{
			"a run of an older commit", first, "edge kept, main kept, sha-1a1a1a1 created",
			"it names an image of 2b2b2b2, and this run's commit 1a1a1a1 is older: a newer run was faster", 1,
		},
		{"the same again", second, "edge unchanged, main unchanged, sha-2b2b2b2 unchanged", "", 0},
		{"a run of a newer commit", third, "edge moved, main moved, sha-3c3c3c3 created", "", 1},
		{
			"the older one again", first, "edge kept, main kept, sha-1a1a1a1 unchanged",
			"it names an image of 3c3c3c3, and this run's commit 1a1a1a1 is older: a newer run was faster", 1,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			j.SHA, j.RunID = c.sha, fmt.Sprint(4711+n)
			mark := s.gateway.mark()
			out, r := s.publish(t, j, dir, "-f", file)
			if out.code != 0 || len(r.Images) != 1 {
				t.Fatalf("publish: %s", out)
			}
			compared := 0
			for _, e := range s.gateway.since(mark) {
				if e.Method == http.MethodGet && strings.HasPrefix(e.Path, "/repos/acme/app/compare/"+c.sha+"...") {
					compared++
				}
			}
			if compared != c.compared {
				t.Errorf("GitHub was asked to compare %d times", compared)
			}
			checkKept(t, r, c.reason)
			if c.reason == "" {
				edge = r.Images[0].Digest
			}
			for at, loopback := range p.loopback {
				if got := became(r, p.repositories[at]); got != c.became {
					t.Errorf("%s: %s, want %s", p.repositories[at], got, c.became)
				}
				for _, tag := range []string{"edge", "main"} {
					if digest, _ := resolve(t, loopback+":"+tag); digest != edge {
						t.Errorf("%s:%s is %s, not %s", p.repositories[at], tag, digest, edge)
					}
				}
				if gh := s.gh(t, "oci://"+p.repositories[at]+":edge", "-R", j.Repository); gh.code != 0 {
					t.Errorf("gh: %s", gh)
				}
			}
		})
	}
}
