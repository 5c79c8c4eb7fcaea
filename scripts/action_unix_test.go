//go:build unix

package scripts

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A step is a job's step with the action: its checkout, its temporary folder, and a PATH of stand-ins that record how they
// are called. Everything else on that PATH is what the script needs in any case.
type step struct {
	checkout, temp, bin, record, serve string
	env                                map[string]string
}

// tools are what the script may use everywhere: Git's bash, macOS and the smallest image with bash have them.
var tools = []string{"bash", "cat", "chmod", "cp", "cut", "dirname", "env", "grep", "mkdir", "mv", "rm", "sed", "sort", "tr"}

func newStep(t *testing.T) *step {
	t.Helper()
	dir := t.TempDir()
	s := &step{
		checkout: filepath.Join(dir, "checkout"), temp: filepath.Join(dir, "temp"), bin: filepath.Join(dir, "bin"),
		record: filepath.Join(dir, "record"), serve: filepath.Join(dir, "serve"),
	}
	for _, folder := range []string{filepath.Join(s.checkout, "scripts"), s.temp, s.bin, s.record, s.serve} {
		if err := os.MkdirAll(folder, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	script, err := os.ReadFile("action.sh")
	if err != nil {
		t.Fatal(err)
	}
	s.write(t, filepath.Join(s.checkout, "scripts", "action.sh"), string(script))
	for _, name := range tools {
		s.link(t, name)
	}
	s.env = map[string]string{
		"PATH": s.bin, "HOME": dir, "RUNNER_TEMP": s.temp, "RUNNER_OS": "Linux", "RUNNER_ARCH": "X64", "RECORD": s.record, "SERVE": s.serve,
		"GITHUB_STEP_SUMMARY": filepath.Join(dir, "summary.md"), "INPUT_GITHUB_TOKEN": "ghs_token", "INPUT_REGISTRY_AUTH": "hunter2",
		"ACTIONS_ID_TOKEN_REQUEST_TOKEN": "request-token", "ACTIONS_ID_TOKEN_REQUEST_URL": "https://runner.example/token",
		"ACTIONS_RUNTIME_TOKEN": "runtime-token", "GITHUB_TOKEN": "job-token", "TAGLAST_REGISTRY_AUTH": "also secret",
	}
	s.command(t, "sha256sum", realSum(t)+` "$@"`)
	s.command(t, "sleep", `echo "$1" >> "$RECORD/sleep"`)
	s.command(t, "uname", `echo "unknown"`)
	s.command(t, "curl", `
printf '%s\n' "$@" >> "$RECORD/curl.arguments"
env >> "$RECORD/curl.environment"
echo "${!#}" >> "$RECORD/curl"
out=; previous=
for a; do [ "$previous" != --output ] || out=$a; previous=$a; done
name=${previous##*/}
if [ -f "$SERVE/failures" ] && [ -s "$SERVE/failures" ]; then
  sed 1d "$SERVE/failures" > "$SERVE/left"; mv "$SERVE/left" "$SERVE/failures"
  printf 503; echo "curl: (22) The requested URL returned error: 503" >&2; exit 22
fi
if [ ! -f "$SERVE/$name" ]; then printf 404; exit 22; fi
cp "$SERVE/$name" "$out"; printf 200`)
	return s
}

func (s *step) write(t *testing.T, file, content string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(content), 0o755); err != nil {
		t.Fatal(err)
	}
}

// link puts a program of this machine on the PATH.
func (s *step) link(t *testing.T, name string) {
	t.Helper()
	file, err := exec.LookPath(name)
	if err == nil {
		err = os.Symlink(file, filepath.Join(s.bin, name))
	}
	if err != nil {
		t.Fatal(err)
	}
}

// command puts a stand-in on the PATH.
func (s *step) command(t *testing.T, name, body string) {
	t.Helper()
	s.write(t, filepath.Join(s.bin, name), "#!"+filepath.Join(s.bin, "bash")+"\n"+body+"\n")
}

// realSum is the command of this machine that hashes standard input.
func realSum(t *testing.T) string {
	t.Helper()
	if file, err := exec.LookPath("sha256sum"); err == nil {
		return file
	}
	file, err := exec.LookPath("shasum")
	if err != nil {
		t.Fatal(err)
	}
	return file + " -a 256"
}

// program is a taglast that records how it is called. Verifying, it ends as verdict says.
func (s *step) program(name, verdict string) string {
	return "#!" + filepath.Join(s.bin, "bash") + `
printf '%s\n' "` + name + ` $*" >> "$RECORD/program"
env > "$RECORD/` + name + `.$1.environment"
echo $$ > "$RECORD/pid"
if [ "$1" = verify ]; then exit ` + verdict + `; fi
`
}

// release makes the checkout that of a release, and serves its binary.
func (s *step) release(t *testing.T, version, platform, verdict string) {
	t.Helper()
	content := s.program("taglast-"+version, verdict)
	s.write(t, filepath.Join(s.serve, "taglast_"+version+"_"+platform), content)
	sums := fmt.Sprintf("%x  taglast_%s_%s\n", sha256.Sum256([]byte(content)), version, platform)
	for _, other := range []string{"linux_amd64", "linux_arm64", "darwin_arm64", "windows_amd64.exe"} {
		if other != platform {
			sums += fmt.Sprintf("%x  taglast_%s_%s\n", sha256.Sum256([]byte(other)), version, other)
		}
	}
	s.write(t, filepath.Join(s.checkout, "checksums.txt"), sums)
}

// source makes the checkout one of no release, and puts a go on the PATH that builds.
func (s *step) source(t *testing.T, verdict string) {
	t.Helper()
	s.write(t, filepath.Join(s.serve, "source"), s.program("source", verdict))
	s.command(t, "go", `
echo "$*" >> "$RECORD/go"
env > "$RECORD/go.$1.environment"
case "$2" in GOHOSTOS) echo hostos; exit ;; GOHOSTARCH) echo hostarch; exit ;; esac
previous=
for a; do [ "$previous" != -o ] || cp "$SERVE/source" "$a"; previous=$a; done
pwd > "$RECORD/go.folder"
exit "${GO_EXIT:-0}"`)
}

// An ending is how a step ended.
type ending struct {
	code, pid int
	log       string
}

// run runs the step's script as the runner does.
func (s *step) run(t *testing.T) ending {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), filepath.Join(s.bin, "bash"), "--noprofile", "--norc", "-e", "-o", "pipefail", "-c",
		`echo $$ > "$RECORD/step.pid"; exec bash "$GITHUB_ACTION_PATH/scripts/action.sh"`)
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr, cmd.Dir = &log, &log, t.TempDir()
	cmd.Env = []string{"GITHUB_ACTION_PATH=" + s.checkout}
	for key, value := range s.env {
		cmd.Env = append(cmd.Env, key+"="+value)
	}
	err := cmd.Run()
	if cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return ending{cmd.ProcessState.ExitCode(), cmd.ProcessState.Pid(), log.String()}
}

// recorded are the lines that a stand-in recorded; none if it was not called.
func (s *step) recorded(t *testing.T, name string) []string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(s.record, name))
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return slices.Collect(strings.Lines(string(raw)))
}

func (s *step) wantRecord(t *testing.T, name string, want ...string) {
	t.Helper()
	got := s.recorded(t, name)
	for i := range got {
		got[i] = strings.TrimSuffix(got[i], "\n")
	}
	if !slices.Equal(got, want) {
		t.Errorf("%s: %q, want %q", name, got, want)
	}
}

// failed checks that the step ended with a code, and said why in its log and its summary.
func (s *step) failed(t *testing.T, e ending, code int, say ...string) {
	t.Helper()
	summary, err := os.ReadFile(s.env["GITHUB_STEP_SUMMARY"])
	if err != nil {
		t.Error(err)
	}
	first := map[int]string{1: "no tag was changed. ", 2: "nothing was sent. "}[code]
	if e.code != code || !strings.Contains(e.log, "::error title="+first) || !strings.Contains(e.log, "\nerror: "+first) || !strings.Contains(e.log, "\nhint:  ") ||
		!strings.HasPrefix(string(summary), "## Not published: no tag was changed\n") {
		t.Errorf("exit %d, want %d\n%s\nsummary: %s", e.code, code, e.log, summary)
	}
	for _, text := range say {
		if !strings.Contains(e.log, text) || !strings.Contains(string(summary), text) {
			t.Errorf("no %q in the log or the summary:\n%s\n%s", text, e.log, summary)
		}
	}
}

const releases = "https://github.com/taglast/taglast/releases/download/"

func TestARunnerGetsItsProgram(t *testing.T) {
	for _, c := range []struct{ name, runnerOS, runnerArch, kernel, machine, want string }{
		{"Linux on x64", "Linux", "X64", "", "", "linux_amd64"},
		{"Linux on arm64", "Linux", "ARM64", "", "", "linux_arm64"},
		{"macOS on arm64", "macOS", "ARM64", "", "", "darwin_arm64"},
		{"macOS on x64", "macOS", "X64", "", "", "darwin_amd64"},
		{"Windows on x64", "Windows", "X64", "", "", "windows_amd64.exe"},
		{"Windows on arm64, whose bash is x64", "Windows", "ARM64", "MINGW64_NT-10.0-26100", "x86_64", "windows_arm64.exe"},
		{"a runner that does not say, Linux", "", "", "Linux", "aarch64", "linux_arm64"},
		{"a runner that does not say, macOS", "", "", "Darwin", "arm64", "darwin_arm64"},
		{"a runner that does not say, Git's bash", "", "", "MINGW64_NT-10.0-26100", "x86_64", "windows_amd64.exe"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newStep(t)
			s.env["RUNNER_OS"], s.env["RUNNER_ARCH"] = c.runnerOS, c.runnerArch
			s.command(t, "uname", fmt.Sprintf(`if [ "$1" = -s ]; then echo %q; else echo %q; fi`, c.kernel, c.machine))
			s.release(t, "v1.2.3", c.want, "0")
			e := s.run(t)
			if e.code != 0 {
				t.Fatalf("exit %d\n%s", e.code, e.log)
			}
			s.wantRecord(t, "curl", releases+"v1.2.3/taglast_v1.2.3_"+c.want)
			s.wantRecord(t, "program", "taglast-v1.2.3 action")
		})
	}
}

// What release.sh leaves is what the step asks for, on each runner.
func TestTheStepFindsWhatAReleaseHas(t *testing.T) {
	for name, env := range map[string][2]string{
		"linux_amd64": {"Linux", "X64"}, "linux_arm64": {"Linux", "ARM64"}, "darwin_amd64": {"macOS", "X64"}, "darwin_arm64": {"macOS", "ARM64"},
		"windows_amd64.exe": {"Windows", "X64"}, "windows_arm64.exe": {"Windows", "ARM64"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStep(t)
			s.source(t, "0")
			s.command(t, "go", `
previous=
for a; do [ "$previous" != -o ] || { cat "$SERVE/source"; echo "# $GOOS $GOARCH $GOTOOLCHAIN"; } > "$a"; previous=$a; done`)
			for _, script := range []string{"release.sh", "build.sh"} {
				raw, err := os.ReadFile(script)
				if err != nil {
					t.Fatal(err)
				}
				s.write(t, filepath.Join(s.checkout, "scripts", script), strings.Replace(string(raw), "/usr/bin/env bash", filepath.Join(s.bin, "bash"), 1))
			}
			cmd := exec.CommandContext(t.Context(), filepath.Join(s.bin, "bash"), filepath.Join(s.checkout, "scripts", "release.sh"), "v1.2.3")
			cmd.Env = []string{"PATH=" + s.bin, "SERVE=" + s.serve}
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			if err := os.CopyFS(s.serve, os.DirFS(filepath.Join(s.checkout, "dist"))); err != nil {
				t.Fatal(err)
			}
			s.env["RUNNER_OS"], s.env["RUNNER_ARCH"] = env[0], env[1]
			if e := s.run(t); e.code != 0 {
				t.Fatal(e.log)
			}
			s.wantRecord(t, "curl", releases+"v1.2.3/taglast_v1.2.3_"+name)
			s.wantRecord(t, "program", "source action")
		})
	}
}

func TestARunnerThatWeHaveNoProgramForIsTold(t *testing.T) {
	for name, env := range map[string]map[string]string{
		"32 bits": {"RUNNER_ARCH": "ARM"}, "another system": {"RUNNER_OS": "", "RUNNER_ARCH": ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStep(t)
			for key, value := range env {
				s.env[key] = value
			}
			s.release(t, "v1.2.3", "linux_amd64", "0")
			s.failed(t, s.run(t), 1, "no taglast for this runner")
			s.wantRecord(t, "curl")
		})
	}
	t.Run("not in the sums", func(t *testing.T) {
		s := newStep(t)
		s.release(t, "v1.2.3", "linux_amd64", "0")
		s.env["RUNNER_OS"] = "macOS"
		s.failed(t, s.run(t), 1, "does not have exactly one program for darwin_amd64")
		s.wantRecord(t, "curl")
	})
	t.Run("twice in the sums", func(t *testing.T) {
		s := newStep(t)
		s.release(t, "v1.2.3", "linux_amd64", "0")
		file := filepath.Join(s.checkout, "checksums.txt")
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		s.write(t, file, string(raw)+strings.ReplaceAll(string(raw), "v1.2.3", "v1.2.4"))
		s.failed(t, s.run(t), 1, "does not have exactly one program for linux_amd64")
	})
}

// The runner's cancel signals the process that it started, and no other.
func TestTheProgramTakesTheProcessOfTheShell(t *testing.T) {
	for name, prepare := range map[string]func(*step){
		"released": func(s *step) { s.release(t, "v1.2.3", "linux_amd64", "0") },
		"built":    func(s *step) { s.source(t, "0") },
	} {
		s := newStep(t)
		prepare(s)
		e := s.run(t)
		if got := s.recorded(t, "pid"); len(got) != 1 || strings.TrimSpace(got[0]) != fmt.Sprint(e.pid) {
			t.Errorf("%s: the step is process %d, the program process %q\n%s", name, e.pid, got, e.log)
		}
	}
}

func TestWhatTheSumsDoNotNameIsNotStarted(t *testing.T) {
	s := newStep(t)
	s.release(t, "v1.2.3", "linux_amd64", "0")
	s.write(t, filepath.Join(s.serve, "taglast_v1.2.3_linux_amd64"), s.program("another", "0"))
	s.failed(t, s.run(t), 1, "v1.2.3 for linux_amd64 came with the sha256", "It was not started.")
	s.wantRecord(t, "program")
	left, err := filepath.Glob(filepath.Join(s.temp, "taglast", "taglast*"))
	if err != nil || len(left) != 0 {
		t.Errorf("left: %q, %v", left, err)
	}
}

func TestDownloadsAreTriedAgain(t *testing.T) {
	for _, c := range []struct {
		name            string
		failures, waits int
		code            int
		say             string
	}{
		{"after three failures it is there", 3, 3, 0, ""},
		{"the fifth is the last", 7, 4, 1, "failed five times"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newStep(t)
			s.release(t, "v1.2.3", "linux_amd64", "0")
			s.write(t, filepath.Join(s.serve, "failures"), strings.Repeat("503\n", c.failures))
			e := s.run(t)
			if got := len(s.recorded(t, "sleep")); got != c.waits {
				t.Errorf("%d waits, want %d", got, c.waits)
			}
			if c.code == 0 {
				s.wantRecord(t, "program", "taglast-v1.2.3 action")
				return
			}
			s.failed(t, e, c.code, c.say)
			s.wantRecord(t, "program")
		})
	}
	t.Run("what is not there is asked for once", func(t *testing.T) {
		s := newStep(t)
		s.release(t, "v1.2.3", "linux_amd64", "0")
		if err := os.Remove(filepath.Join(s.serve, "taglast_v1.2.3_linux_amd64")); err != nil {
			t.Fatal(err)
		}
		s.failed(t, s.run(t), 1, "has no release v1.2.3 with a program for linux_amd64")
		s.wantRecord(t, "sleep")
	})
}

func TestACancelWhileItDownloadsStartsNothing(t *testing.T) {
	s := newStep(t)
	s.release(t, "v1.2.3", "linux_amd64", "0")
	s.command(t, "curl", `
kill -INT "$(cat "$RECORD/step.pid")"
for a; do [ "$previous" != --output ] || cp "$SERVE/${!###*/}" "$a"; previous=$a; done
printf 200`)
	s.failed(t, s.run(t), 1, "stopped before taglast was started")
	s.wantRecord(t, "program")
}

func TestASecondStepTakesWhatTheFirstLeftIfItIsStillThat(t *testing.T) {
	s := newStep(t)
	s.release(t, "v1.2.3", "linux_amd64", "0")
	for range 2 {
		if e := s.run(t); e.code != 0 {
			t.Fatal(e.log)
		}
	}
	if got := len(s.recorded(t, "curl")); got != 1 {
		t.Errorf("%d downloads for two steps", got)
	}
	s.write(t, filepath.Join(s.temp, "taglast", "taglast-v1.2.3"), s.program("changed", "0"))
	if e := s.run(t); e.code != 0 {
		t.Fatal(e.log)
	}
	if got := len(s.recorded(t, "curl")); got != 2 {
		t.Errorf("%d downloads after somebody changed the program", got)
	}
	s.wantRecord(t, "program", slices.Repeat([]string{"taglast-v1.2.3 action"}, 3)...)
}

// Each machine has its own tools.
func TestOtherToolsDoAsWell(t *testing.T) {
	sum := func(print string) string {
		return `s=$(` + realSum(t) + `); s=${s%% *}; ` + print
	}
	for name, prepare := range map[string]func(*testing.T, *step){
		"shasum": func(t *testing.T, s *step) {
			s.command(t, "shasum", `[ "$*" = "-a 256" ] || exit 2; `+sum(`echo "$s  -"`))
		},
		"certutil": func(t *testing.T, s *step) {
			s.command(t, "certutil", `[ "$1 $3" = "-hashfile SHA256" ] || exit 2
exec < "$2"; `+sum(`printf 'SHA256 hash of %s:\r\n%s\r\nCertUtil: -hashfile command completed successfully.\r\n' "$2" "$s"`))
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStep(t)
			if err := os.Remove(filepath.Join(s.bin, "sha256sum")); err != nil {
				t.Fatal(err)
			}
			s.release(t, "v1.2.3", "linux_amd64", "0")
			s.failed(t, s.run(t), 1, "no sha256sum, shasum or certutil")
			prepare(t, s)
			if e := s.run(t); e.code != 0 {
				t.Fatal(e.log)
			}
			s.write(t, filepath.Join(s.temp, "taglast", "taglast-v1.2.3"), "changed")
			s.write(t, filepath.Join(s.serve, "taglast_v1.2.3_linux_amd64"), "changed, too")
			s.failed(t, s.run(t), 1, "It was not started.")
		})
	}
	t.Run("wget", func(t *testing.T) {
		s := newStep(t)
		if err := os.Remove(filepath.Join(s.bin, "curl")); err != nil {
			t.Fatal(err)
		}
		s.release(t, "v1.2.3", "linux_amd64", "0")
		s.failed(t, s.run(t), 1, "neither curl nor wget")
		s.command(t, "wget", `[ "$1 $2 $3 $4" = "-q -T 60 -O" ] || exit 2; exec cp "$SERVE/${6##*/}" "$5"`)
		if e := s.run(t); e.code != 0 {
			t.Fatal(e.log)
		}
		s.wantRecord(t, "program", "taglast-v1.2.3 action")
	})
}

// Inputs and tokens are for the program alone: not in an argument of anything, not in the environment of what helps to
// start it.
func TestNobodyElseGetsTheInputs(t *testing.T) {
	secrets := []string{"ghs_token", "hunter2", "request-token", "runner.example", "runtime-token", "job-token", "also secret"}
	for name, c := range map[string]struct {
		prepare func(*step)
		files   []string
	}{
		"released": {func(s *step) { s.release(t, "v1.2.3", "linux_amd64", "0") }, []string{"curl.arguments", "curl.environment"}},
		"built":    {func(s *step) { s.source(t, "0") }, []string{"go", "go.env.environment", "go.build.environment"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStep(t)
			c.prepare(s)
			e := s.run(t)
			if e.code != 0 {
				t.Fatal(e.log)
			}
			for _, file := range c.files {
				text := strings.Join(s.recorded(t, file), "")
				if text == "" {
					t.Errorf("%s: nothing was recorded", file)
				}
				for _, secret := range secrets {
					if strings.Contains(text, secret) {
						t.Errorf("%s has %q:\n%s", file, secret, text)
					}
				}
			}
			environments, err := filepath.Glob(filepath.Join(s.record, "*.action.environment"))
			if err != nil || len(environments) != 1 {
				t.Fatalf("%q, %v", environments, err)
			}
			text := strings.Join(s.recorded(t, filepath.Base(environments[0])), "")
			for _, secret := range secrets {
				if !strings.Contains(text, secret) {
					t.Errorf("the program does not get %q", secret)
				}
				if strings.Contains(e.log, secret) {
					t.Errorf("%q is in the log", secret)
				}
			}
		})
	}
}

func TestValuesAreNeverRun(t *testing.T) {
	hostile := "$(touch \"$RECORD/ran\")`touch \"$RECORD/ran\"`'\"; touch \"$RECORD/ran\"\n::set-output name=digest::x\n${{ github.token }}%0A\nEOF\n"
	s := newStep(t)
	s.release(t, "v1.2.3", "linux_amd64", "0")
	for _, name := range []string{"INPUT_TAGS", "INPUT_CONTEXT", "INPUT_CONFIG", "INPUT_SHOW_SUMMARY", "GITHUB_REF_NAME"} {
		s.env[name] = hostile
	}
	e := s.run(t)
	if e.code != 0 {
		t.Fatal(e.log)
	}
	text := strings.Join(s.recorded(t, "taglast-v1.2.3.action.environment"), "")
	if strings.Count(text, hostile) != 5 || len(s.recorded(t, "ran")) > 0 || strings.Contains(e.log, "set-output") {
		t.Errorf("log:\n%s\nthe program's environment:\n%s", e.log, text)
	}
	if _, err := os.Stat(filepath.Join(s.record, "ran")); err == nil {
		t.Error("a value was run")
	}
}

func TestACheckoutWithoutSumsIsBuilt(t *testing.T) {
	s := newStep(t)
	s.source(t, "0")
	job := map[string]string{
		"GOOS": "plan9", "GOARCH": "mips", "GOROOT": "/opt/go", "GOTOOLCHAIN": "local", "GOFLAGS": "-mod=vendor", "GOCACHE": "/opt/cache",
		"GOMODCACHE": "/opt/modules", "CGO_ENABLED": "1", "GOPROXY": "https://proxy.example",
	}
	for key, value := range job {
		s.env[key] = value
	}
	if e := s.run(t); e.code != 0 {
		t.Fatal(e.log)
	}
	s.wantRecord(t, "curl")
	temp := filepath.Join(s.temp, "taglast")
	s.wantRecord(t, "go", "env GOHOSTOS", "env GOHOSTARCH",
		"build -mod=readonly -modcacherw -trimpath -buildvcs=false -o "+filepath.Join(temp, "taglast-source")+" ./cmd/taglast")
	s.wantRecord(t, "go.folder", s.checkout)
	s.wantRecord(t, "program", "source action")
	build := s.recorded(t, "go.build.environment")
	for _, want := range []string{
		"GOOS=hostos", "GOARCH=hostarch", "CGO_ENABLED=0", "GOWORK=off", "GOCACHE=" + filepath.Join(temp, "go-build"), "GOMODCACHE=" + filepath.Join(temp, "go-mod"),
		"GOTOOLCHAIN=local", "GOFLAGS=-mod=readonly", "GOENV=off", "GOEXPERIMENT=", "GOFIPS140=off", "GOROOT=/opt/go", "GOPROXY=https://proxy.example",
	} {
		if !slices.Contains(build, want+"\n") {
			t.Errorf("the build has no %s:\n%s", want, strings.Join(build, ""))
		}
	}
	program := s.recorded(t, "source.action.environment")
	job["PATH"] = s.bin
	for key, value := range job {
		if !slices.Contains(program, key+"="+value+"\n") {
			t.Errorf("the program does not have the job's %s:\n%s", key, strings.Join(program, ""))
		}
	}
	if slices.Contains(program, "GOWORK=off\n") {
		t.Error("the program has what was set for the build")
	}
}

func TestABuildThatCannotBeIsTold(t *testing.T) {
	s := newStep(t)
	s.failed(t, s.run(t), 1, "there is no Go here", "actions/setup-go with go-version "+goVersion(t))
	s.source(t, "0")
	s.env["GO_EXIT"] = "1"
	s.failed(t, s.run(t), 1, "taglast does not build here")
	s.wantRecord(t, "program")
}

// goVersion is the one of go.mod, without the patch.
func goVersion(t *testing.T) string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("..", "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(raw), "\ngo ")
	line, _, _ := strings.Cut(rest, "\n")
	return line[:strings.LastIndex(line, ".")]
}

func TestAnotherReleaseIsVerifiedBeforeItRuns(t *testing.T) {
	verification := func(s *step, program, version string) string {
		return program + " verify " + filepath.Join(s.temp, "taglast", "taglast-"+version) + " --hostname github.com --repo taglast/taglast --source-ref refs/tags/" + version +
			" --signer-workflow taglast/taglast/.github/workflows/release.yml --deny-self-hosted-runners"
	}
	for name, input := range map[string]string{"with v": "v1.3.0", "without": "1.3.0"} {
		t.Run(name, func(t *testing.T) {
			s := newStep(t)
			s.release(t, "v1.2.3", "linux_amd64", "0")
			s.write(t, filepath.Join(s.serve, "taglast_v1.3.0_linux_amd64"), s.program("taglast-v1.3.0", "0"))
			s.env["INPUT_VERSION"] = input
			if e := s.run(t); e.code != 0 {
				t.Fatal(e.log)
			}
			s.wantRecord(t, "program", verification(s, "taglast-v1.2.3", "v1.3.0"), "taglast-v1.3.0 action")
			env := s.recorded(t, "taglast-v1.2.3.verify.environment")
			if !slices.Contains(env, "GITHUB_TOKEN=ghs_token\n") || strings.Contains(strings.Join(env, ""), "hunter2") || strings.Contains(strings.Join(env, ""), "request-token") {
				t.Errorf("the verifier has\n%s", strings.Join(env, ""))
			}
		})
	}
	t.Run("one that does not pass is not started", func(t *testing.T) {
		s := newStep(t)
		s.release(t, "v1.2.3", "linux_amd64", "1")
		s.write(t, filepath.Join(s.serve, "taglast_v1.3.0_linux_amd64"), s.program("taglast-v1.3.0", "0"))
		s.env["INPUT_VERSION"] = "v1.3.0"
		s.failed(t, s.run(t), 1, "taglast v1.3.0 has no attestation", "It was not started.")
		s.wantRecord(t, "program", verification(s, "taglast-v1.2.3", "v1.3.0"))
		if _, err := os.Stat(filepath.Join(s.temp, "taglast", "taglast-v1.3.0")); err == nil {
			t.Error("it is still there")
		}
	})
	t.Run("a build verifies, too", func(t *testing.T) {
		s := newStep(t)
		s.source(t, "0")
		s.write(t, filepath.Join(s.serve, "taglast_v1.3.0-rc.1_linux_amd64"), s.program("taglast-v1.3.0-rc.1", "0"))
		s.env["INPUT_VERSION"] = "v1.3.0-rc.1"
		if e := s.run(t); e.code != 0 {
			t.Fatal(e.log)
		}
		s.wantRecord(t, "program", verification(s, "source", "v1.3.0-rc.1"), "taglast-v1.3.0-rc.1 action")
	})
	t.Run("the one of the checkout needs none", func(t *testing.T) {
		s := newStep(t)
		s.release(t, "v1.2.3", "linux_amd64", "1")
		s.env["INPUT_VERSION"] = "1.2.3"
		if e := s.run(t); e.code != 0 {
			t.Fatal(e.log)
		}
		s.wantRecord(t, "program", "taglast-v1.2.3 action")
	})
	for _, input := range []string{"latest", "v1", "1.2", "../../x", "v1.2.3/../x", "v1.2.3\nv1.2.4", "$(touch x)", "1.2.3 ", "-v", "vv1.2.3", "v1.2.3+x"} {
		t.Run(fmt.Sprintf("%q is none", input), func(t *testing.T) {
			s := newStep(t)
			s.release(t, "v1.2.3", "linux_amd64", "0")
			s.env["INPUT_VERSION"] = input
			s.failed(t, s.run(t), 2, "not a version of taglast", "`release-version`")
			s.wantRecord(t, "curl")
		})
	}
}

// Windows: the runner says D:\a\_temp, Git's bash has it as /d/a/_temp, and both and every program understand D:/a/_temp.
func TestPathsOfWindowsAreOnesThatEveryProgramUnderstands(t *testing.T) {
	s := newStep(t)
	s.source(t, "0")
	s.env["RUNNER_OS"], s.env["RUNNER_TEMP"] = "Windows", `D:\a\_temp`
	s.command(t, "cygpath", `[ "$*" = '-m D:\a\_temp' ] || exit 2; echo "$TEMPORARY"`)
	s.env["TEMPORARY"] = s.temp
	if e := s.run(t); e.code != 0 {
		t.Fatal(e.log)
	}
	want := "-o " + s.temp + "/taglast/taglast-source.exe "
	if got := strings.Join(s.recorded(t, "go"), ""); !strings.Contains(got, want) {
		t.Errorf("no %q in %s", want, got)
	}
	if env := s.recorded(t, "go.build.environment"); !slices.Contains(env, "GOCACHE="+s.temp+"/taglast/go-build\n") {
		t.Errorf("%q", env)
	}
}

func TestNoSummaryWhereNoneIsWanted(t *testing.T) {
	s := newStep(t)
	s.env["INPUT_SHOW_SUMMARY"] = "false"
	if e := s.run(t); e.code != 1 || !strings.Contains(e.log, "::error ") {
		t.Errorf("exit %d\n%s", e.code, e.log)
	}
	if _, err := os.Stat(s.env["GITHUB_STEP_SUMMARY"]); err == nil {
		t.Error("there is a summary")
	}
}
