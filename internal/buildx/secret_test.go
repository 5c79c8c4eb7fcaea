package buildx_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/taglast/taglast/internal/buildx"
	"github.com/taglast/taglast/internal/testkit/buildxtest"
)

const (
	fromVariable = "hunter22\nsecond-line\nabc"
	fromFile     = "-----BEGIN KEY-----\nc2VjcmV0LWtleQ==\n-----END KEY-----\n"
)

// withSecrets is a scene whose builds have a secret of each kind.
func withSecrets(t *testing.T, script buildxtest.Script) *scene {
	t.Helper()
	s := newScene(t, script, "TOKEN="+fromVariable)
	write(t, filepath.Join(s.request.Dir, "key"), fromFile)
	s.request.Secrets = []buildx.Secret{{ID: "token", Env: "TOKEN"}, {ID: "key", Src: "key"}}
	return s
}

func TestNoSecretIsSeenAnywhere(t *testing.T) {
	for name, tc := range map[string]struct {
		exit int
	}{"a build that ends well": {0}, "a build that fails": {1}} {
		t.Run(name, func(t *testing.T) {
			s := withSecrets(t, buildxtest.Script{PrintSecrets: true, Build: buildxtest.Answer{
				Exit: tc.exit,
				Stderr: "#5 1.0 hun\x1b[1mter22 and second-line\n------\n > [2/2] RUN x:\n1.0 hunter22\n------\nDockerfile:1\n--------------------\n" +
					"   1 | >>> RUN x\n--------------------\nERROR: failed to build: failed to solve: c2VjcmV0LWtleQ==\n",
			}})
			_, err := s.build(t)
			seen := s.output.String() + strings.Join(only(t, s.standin).Args, "\n")
			if tc.exit != 0 {
				var failed *buildx.Error
				if !errors.As(err, &failed) {
					t.Fatalf("the error is %v", err)
				}
				seen += err.Error() + failed.Detail()
			} else if err != nil {
				t.Fatal(err)
			}
			for _, secret := range []string{"hunter22", "second-line", "c2VjcmV0LWtleQ", "BEGIN KEY"} {
				if strings.Contains(seen, secret) {
					t.Errorf("%s is seen in\n%s", secret, seen)
				}
			}
			for _, line := range []string{"#7 0.099 token is ***.\n", "#7 0.099 token is abc.\n", "#5 1.0 *** and ***\n"} {
				if !strings.Contains(s.output.String(), line) {
					t.Errorf("the output lacks %q:\n%s", line, s.output)
				}
			}
			inNoFile(t, s.temp, "hunter22", "c2VjcmV0LWtleQ")
		})
	}
}

func inNoFile(t *testing.T, dir string, secrets ...string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		raw, err := os.ReadFile(path)
		for _, s := range secrets {
			if strings.Contains(string(raw), s) {
				t.Errorf("%s has %s", path, s)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestAnArgumentIsInNoFileAfterwards(t *testing.T) {
	s := newScene(t, buildxtest.Script{Metadata: `{"buildx.build.provenance":{"buildType":"x","invocation":{"parameters":{"args":{"build-arg:A":"value-of-a"}}}}}`})
	s.request.Args = []buildx.Arg{{Name: "A", Value: "value-of-a"}}
	if _, err := s.build(t); err != nil {
		t.Fatal(err)
	}
	noFiles(t, s.temp)
}

func TestOutputIsInertAndBounded(t *testing.T) {
	long := strings.Repeat("x", 100<<10)
	s := newScene(t, buildxtest.Script{Build: buildxtest.Answer{
		Stderr: "::error::no\n  ::add-mask::x\n##[group]\n\x1b[31mred\x1b[0m\n10%\r50%\r100%\r\na\tb\n\x1b]0;title\x07\n" + long + "\nno line break",
	}})
	if _, err := s.build(t); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(s.output.String(), "\n")
	want := []string{`\::error::no`, `  \::add-mask::x`, `##\[group]`, "red", "100%", "a    b", `\x1b]0;title\a`}
	for i, line := range want {
		if lines[i] != line {
			t.Errorf("line %d is %q, want %q", i, lines[i], line)
		}
	}
	if n := len(lines[len(want)]); n > 2<<10 {
		t.Errorf("a line of %d bytes is shown", n)
	}
	if last := lines[len(want)+1]; last != "no line break" {
		t.Errorf("the last line is %q", last)
	}
}

func TestATerminalIsTheBuildersOwn(t *testing.T) {
	screen, err := os.Create(filepath.Join(t.TempDir(), "screen"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = screen.Close() })
	shown := func() string {
		raw, err := os.ReadFile(screen.Name())
		if err != nil {
			t.Fatal(err)
		}
		return string(raw)
	}
	s := newScene(t, buildxtest.Script{Build: buildxtest.Answer{Stderr: "\x1b[2Jbars", Exit: 3}})
	s.output.screen = screen
	_, err = s.build(t)
	wantHint(t, err, "buildx v0.37.2 ended with exit code 3; its output stands above", "")
	if shown() != "\x1b[2Jbars" || s.output.String() != "" {
		t.Errorf("the screen has %q, the output %q", shown(), s.output)
	}
	if args := strings.Join(only(t, s.standin).Args, " "); !strings.Contains(args, "--progress=auto") {
		t.Errorf("arguments are %s", args)
	}
	t.Run("but not where there are secrets, which could not be masked on it", func(t *testing.T) {
		s := withSecrets(t, buildxtest.Script{PrintSecrets: true})
		s.output.screen = screen
		if _, err := s.build(t); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(shown(), "hunter22") || !strings.Contains(s.output.String(), "token is ***") {
			t.Errorf("the screen has %q, the output %q", shown(), s.output)
		}
	})
}

func TestNobodyWatches(t *testing.T) {
	s := newScene(t, buildxtest.Script{Build: buildxtest.Answer{Stderr: failingRun, Exit: 1}})
	j := s.job()
	j.Output = nil
	_, err := s.client.Build(t.Context(), s.request, j)
	wantHint(t, err, "Dockerfile:4: `RUN fail`: exit code: 3", "")
}
