//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
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
			code: 1, says: []string{"no tag was changed", "there is no image", "step:none"},
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
			name: "no buildx", dockerfile: "FROM step:1\n", environ: []string{"PATH=/nowhere"},
			code: 2, says: []string{"nothing was sent", "buildx", "docker/setup-buildx-action"},
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

// A run that is told to end while a step runs takes the build with it, at once, and leaves no file.
func TestATerminatedRunEndsItsBuild(t *testing.T) {
	s, b := builders(t)
	pushBases(t)
	dir, temp := t.TempDir(), t.TempDir()
	writeFiles(t, dir, map[string]string{
		"Dockerfile": "FROM step:1\n" + `RUN ["/step","sleep","1h"]` + "\n",
		"taglast.yaml": fmt.Sprintf("repositories: [ghcr.io/acme/%s]\nplatforms: [%s]\ntags: [1.2.3]\nimages:\n  - {name: app, source: {dockerfile: Dockerfile}}\n",
			secret("ended-"), hostPlatform),
	})
	file, err := program()
	if err != nil {
		t.Fatal(err)
	}
	said, err := os.Create(filepath.Join(t.TempDir(), "stderr"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = said.Close() }()
	cmd := exec.CommandContext(t.Context(), file, s.publishArguments()...)
	cmd.Dir, cmd.Stderr, cmd.Env = dir, said, append(append(s.stepEnviron(t, release()), b.environ...), "TMPDIR="+temp)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	stderr := func() string {
		raw, err := os.ReadFile(said.Name())
		if err != nil {
			t.Fatal(err)
		}
		return string(raw)
	}
	running := func() bool { return len(processes(t, "/step\x00sleep\x001h")) > 0 }
	for began := time.Now(); !running(); time.Sleep(50 * time.Millisecond) {
		if time.Since(began) > time.Minute {
			_ = cmd.Process.Kill()
			t.Fatalf("the step does not run:\n%s", stderr())
		}
	}
	told := time.Now()
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != 1 || !strings.Contains(stderr(), "no tag was changed") {
		t.Errorf("exit %d:\n%s", code, stderr())
	}
	if took := time.Since(told); took > 10*time.Second {
		t.Errorf("it took %s", took)
	}
	for began := time.Now(); running(); time.Sleep(50 * time.Millisecond) {
		if time.Since(began) > 10*time.Second {
			t.Error("the step still runs")
			break
		}
	}
	if rest, err := os.ReadDir(temp); err != nil || len(rest) > 0 {
		t.Errorf("left in the folder for temporary files: %v %v", rest, err)
	}
}

// processes are those whose arguments, each with a zero byte behind it, begin with a text.
func processes(t *testing.T, arguments string) (found []string) {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if raw, err := os.ReadFile(file); err == nil && strings.HasPrefix(string(raw), arguments) {
			found = append(found, file)
		}
	}
	return found
}
