// Package buildxtest is a stand-in for docker with its plugin buildx: the test binary, run under the name docker. It records
// how it was called, and answers as a Script says: with a layout, with the words of the real program, or not at all.
//
// A test binary that uses it calls Main first in its TestMain.
package buildxtest

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// variable names the file of the script. Its prefix lets it through to a child whose environment is an allow-list.
const variable = "BUILDX_STANDIN_SCRIPT"

// Inspected is what the real `buildx inspect --debug` says of a builder of the driver remote.
const Inspected = `Name:          t
Driver:        remote
Last Activity: 2026-11-27 06:23:46 +0000 UTC

Nodes:
Name:             t0
Endpoint:         unix:///run/buildkit/buildkitd.sock
Status:           running
BuildKit version: v0.33.1
Platforms:        linux/amd64, linux/amd64/v2, linux/amd64/v3, linux/386
Features:
 Automatically load images to the Docker Engine image store: false
 Cache export:                                               true
 Direct push:                                                true
 Docker exporter:                                            true
 Multi-platform build:                                       true
 OCI exporter:                                               true
Labels:
 org.mobyproject.buildkit.worker.executor: oci
`

// Answer is what a command prints, and how it ends.
type Answer struct {
	Stdout, Stderr string
	Exit           int
}

// Script says how the stand-in behaves. The zero value is a buildx of version v0.37.2 that builds, and leaves nothing.
type Script struct {
	Version *Answer // nil: v0.37.2
	Inspect *Answer // nil: Inspected
	Old     string  // a flag that this version does not know

	Layouts    map[string]string // folders that builds leave, by the name of the Dockerfile; "" for all others
	Metadata   string            // the metadata file; empty: one without provenance
	MetadataOf map[string]string // metadata files by the name of the Dockerfile, in the place of Metadata
	NoFile     bool              // no metadata file at all
	Build      Answer            // what a build prints, and how it ends

	PrintSecrets bool   // a RUN prints its secrets
	Await        string // a build ends once this file is there
	Hang         bool   // a build never ends by itself, nor does a process that it starts
	Leave        bool   // a build ends, and leaves a process that it started, which holds standard error
	Deaf         bool   // it does not end when it is told to
}

// Call is one call of the stand-in.
type Call struct {
	Args  []string // without the program and the word buildx
	Env   []string
	Dir   string
	Child int // process ID of what it started; of a Script that hangs or leaves one
}

// Standin is an installed stand-in.
type Standin struct {
	Bin string // the folder of PATH that it lies in, as docker
	dir string
}

// state is what the file of the script holds.
type state struct {
	Script Script
	Calls  string // folder
}

// Install puts the stand-in, as the program that name says ("docker" where it is empty), into a folder of its own.
func Install(t testing.TB, name string, s Script) Standin {
	t.Helper()
	standin := Standin{Bin: t.TempDir(), dir: t.TempDir()}
	if name == "" {
		name = "docker"
	}
	self, err := os.Executable()
	if err == nil {
		err = os.Symlink(self, filepath.Join(standin.Bin, name))
	}
	var raw []byte
	if err == nil {
		raw, err = json.Marshal(state{s, filepath.Join(standin.dir, "calls")})
	}
	if err == nil {
		err = os.WriteFile(standin.script(), raw, 0o600)
	}
	if err == nil {
		err = os.Mkdir(filepath.Join(standin.dir, "calls"), 0o700)
	}
	if err != nil {
		t.Fatal(err)
	}
	return standin
}

func (s Standin) script() string { return filepath.Join(s.dir, "script.json") }

// Environ is an environment in which the stand-in is found, with further variables.
func (s Standin) Environ(more ...string) []string {
	return append([]string{"PATH=" + s.Bin, variable + "=" + s.script(), "HOME=" + s.dir}, more...)
}

// Setenv puts the stand-in into the environment of the test itself.
func (s Standin) Setenv(t *testing.T) {
	t.Helper()
	t.Setenv("PATH", s.Bin+string(filepath.ListSeparator)+os.Getenv("PATH"))
	t.Setenv(variable, s.script())
}

// Calls are the calls of a command so far (build, inspect, version), in the order in which they began.
func (s Standin) Calls(t testing.TB, command string) []Call {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(s.dir, "calls", "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	var out []Call
	for _, f := range files {
		raw, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		var c Call
		if err := json.Unmarshal(raw, &c); err != nil {
			t.Fatal(err)
		}
		if len(c.Args) > 0 && c.Args[0] == command {
			out = append(out, c)
		}
	}
	return out
}

// Main is the stand-in, where the test binary was run as one: it does not return then.
func Main() {
	path := os.Getenv(variable)
	name := filepath.Base(os.Args[0])
	if path == "" || !strings.HasPrefix(name, "docker") && !strings.HasPrefix(name, "buildx") {
		return
	}
	raw, err := os.ReadFile(path) //nolint:gosec // the script of a test
	var s state
	if err == nil {
		err = json.Unmarshal(raw, &s)
	}
	args := os.Args[1:]
	if err == nil && name == "docker" {
		if len(args) == 0 || args[0] != "buildx" {
			err = fmt.Errorf("docker: unknown command: %v", args)
		} else {
			args = args[1:]
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code, err := s.run(args)
	if err != nil {
		fmt.Fprintln(os.Stderr, "stand-in:", err)
		code = 99
	}
	os.Exit(code)
}

func (s state) run(args []string) (int, error) {
	dir, err := os.Getwd()
	if err != nil {
		return 0, err
	}
	call := Call{Args: args, Env: os.Environ(), Dir: dir}
	if s.Script.Deaf {
		signal.Ignore(os.Interrupt) // what is started inherits it
	}
	if len(args) > 0 && args[0] == "build" && (s.Script.Hang || s.Script.Leave) {
		child, err := hang()
		if err != nil {
			return 0, err
		}
		call.Child = child
	}
	if err := s.record(call); err != nil {
		return 0, err
	}
	for _, a := range args {
		if s.Script.Old != "" && strings.HasPrefix(a, s.Script.Old) {
			fmt.Fprintln(os.Stderr, "ERROR: unknown flag: "+s.Script.Old)
			return 1, nil
		}
	}
	switch {
	case len(args) == 0:
		return 0, fmt.Errorf("no command")
	case args[0] == "version":
		return s.Script.Version.or(Answer{Stdout: "github.com/docker/buildx v0.37.2 9ba5ba4\n"}).print(), nil
	case args[0] == "inspect":
		return s.Script.Inspect.or(Answer{Stdout: Inspected}).print(), nil
	case args[0] == "build":
		return s.build(args[1:])
	}
	return 0, fmt.Errorf("unknown command %s", args[0])
}

func (a *Answer) or(usual Answer) Answer {
	if a == nil {
		return usual
	}
	return *a
}

func (a Answer) print() int {
	fmt.Fprint(os.Stdout, a.Stdout)
	fmt.Fprint(os.Stderr, a.Stderr)
	return a.Exit
}

// record writes the call whole or not at all.
func (s state) record(c Call) error {
	raw, err := json.Marshal(c)
	if err != nil {
		return err
	}
	tmp := filepath.Join(s.Calls, fmt.Sprintf("%019d-%d", time.Now().UnixNano(), os.Getpid()))
	if err := os.WriteFile(tmp, raw, 0o600); err != nil {
		return err
	}
	return os.Rename(tmp, tmp+".json")
}

func (s state) build(args []string) (int, error) {
	value := func(flag string) string {
		for _, a := range args {
			if v, ok := strings.CutPrefix(a, "--"+flag+"="); ok {
				return v
			}
		}
		return ""
	}
	if s.Script.PrintSecrets {
		if err := printSecrets(args); err != nil {
			return 0, err
		}
	}
	code := s.Script.Build.print()
	if s.Script.Hang {
		select {}
	}
	for s.Script.Await != "" {
		if _, err := os.Stat(s.Script.Await); err == nil {
			break
		}
		time.Sleep(5 * time.Millisecond)
	}
	if code != 0 {
		return code, nil
	}
	layout, ok := s.Script.Layouts[filepath.Base(value("file"))]
	if !ok {
		layout = s.Script.Layouts[""]
	}
	for _, field := range strings.Split(value("output"), ",") {
		if dest, ok := strings.CutPrefix(field, "dest="); ok && layout != "" {
			if err := os.CopyFS(dest, os.DirFS(layout)); err != nil {
				return 0, err
			}
		}
	}
	if s.Script.NoFile {
		return 0, nil
	}
	metadata := s.Script.Metadata
	if of, ok := s.Script.MetadataOf[filepath.Base(value("file"))]; ok {
		metadata = of
	}
	if metadata == "" {
		metadata = `{"buildx.build.ref":"t/t0/1"}`
	}
	return 0, os.WriteFile(value("metadata-file"), []byte(metadata), 0o600)
}

// printSecrets prints what a RUN with all secrets could print.
func printSecrets(args []string) error {
	for _, a := range args {
		secret, ok := strings.CutPrefix(a, "--secret=")
		if !ok {
			continue
		}
		value := ""
		for _, field := range strings.Split(secret, ",") {
			if name, ok := strings.CutPrefix(field, "env="); ok {
				value = os.Getenv(name)
			}
			if path, ok := strings.CutPrefix(field, "src="); ok {
				raw, err := os.ReadFile(path) //nolint:gosec // a secret of a test
				if err != nil {
					return err
				}
				value = string(raw)
			}
		}
		for _, line := range strings.Split(value, "\n") {
			fmt.Fprintf(os.Stderr, "#7 0.099 token is %s.\n", line)
		}
	}
	return nil
}

// hang starts a process that never ends by itself, as docker starts its plugin. It holds standard error.
func hang() (int, error) {
	sleep, err := exec.LookPath("sleep")
	if err != nil {
		sleep = "/bin/sleep"
	}
	cmd := exec.Command(sleep, "3600") //nolint:gosec,noctx // of a test
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	return cmd.Process.Pid, nil
}
