//go:build e2e

package e2e

import (
	"fmt"
	"strings"
	"testing"
)

// What does not build ends the run before anything is sent, and the message says where to look.
func TestABuildThatFailsSendsNothing(t *testing.T) {
	for _, c := range []struct {
		name       string
		dockerfile string
		source     string // beside the Dockerfile
		platform   string
		environ    []string
		code       int
		says       []string
	}{
		{
			name: "a step that fails", dockerfile: "FROM step:1\nCOPY Dockerfile /\n" + `RUN ["/step","fail","\u001b[31mno such module"]` + "\n",
			code: 1, says: []string{"no tag was changed", "Dockerfile:3", "no such module"},
		},
		{
			name: "a step of a platform that no machine here runs", dockerfile: "FROM step:1\n" + `RUN ["/step","write","/a","b"]` + "\n", platform: foreignPlatform(),
			code: 1, says: []string{"no tag was changed", "exec format error", "docker/setup-qemu-action"},
		},
		{
			name: "an instruction that there is not", dockerfile: "FROM step:1\nCPY a b\n",
			code: 1, says: []string{"no tag was changed", "Dockerfile:2", "CPY"},
		},
		{
			name: "a target that there is not", dockerfile: "FROM step:1 AS one\n", source: ", target: two",
			code: 1, says: []string{"no tag was changed", "no stage two"},
		},
		{
			name: "a base image that there is not", dockerfile: "FROM step:none\n",
			code: 1, says: []string{"no tag was changed", "step:none", "not found"},
		},
		{
			name: "a file that there is not", dockerfile: "FROM step:1\nCOPY nowhere.txt /\n",
			code: 1, says: []string{"no tag was changed", "Dockerfile:2", "nowhere.txt"},
		},
		{
			name: "a builder that there is not", dockerfile: "FROM step:1\n", source: ", builder: nobody",
			code: 2, says: []string{"nothing was sent", "nobody", "docker/setup-buildx-action"},
		},
		{
			name: "a builder that does not answer", dockerfile: "FROM step:1\n", source: ", builder: default", environ: []string{"DOCKER_HOST=unix:///nowhere/docker.sock"},
			code: 2, says: []string{"nothing was sent", "/nowhere/docker.sock", "docker buildx create"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, b := builders(t)
			pushBases(t)
			dir := t.TempDir()
			if c.platform == "" {
				c.platform = hostPlatform
			}
			writeFiles(t, dir, map[string]string{
				"Dockerfile": c.dockerfile,
				"taglast.yaml": fmt.Sprintf("repositories: [ghcr.io/acme/%s]\nplatforms: [%s]\ntags: [1.2.3]\nimages:\n  - {name: app, source: {dockerfile: Dockerfile%s}}\n",
					secret("fails-"), c.platform, c.source),
			})
			mark := s.gateway.mark()
			out, _ := s.publishIn(t, append(append(s.stepEnviron(t, release()), b.environ...), c.environ...), dir)
			if out.code != c.code {
				t.Errorf("exit %d, want %d", out.code, c.code)
			}
			for _, part := range c.says {
				if !strings.Contains(out.stderr, part) {
					t.Errorf("it does not say %q", part)
				}
			}
			if strings.Contains(out.stderr, "\x1b") {
				t.Error("a control character of the build came through")
			}
			for _, e := range s.gateway.since(mark) {
				if e.writes() && !e.probe() {
					t.Errorf("sent in spite of it: %s", e)
				}
			}
			if t.Failed() {
				t.Log(out)
			}
		})
	}
}
