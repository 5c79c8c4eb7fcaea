package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/taglast/taglast/internal/testkit/buildxtest"
)

// dockers are the stand-ins for docker of all scripts; they are removed when t ends.
type dockers struct{ t *testing.T }

// cmdDocker puts a stand-in on PATH.
func (d *dockers) cmdDocker(ts *testscript.TestScript, _ bool, args []string) {
	layout, err := filepath.Abs(quickstart)
	ts.Check(err)
	script, known := map[string]buildxtest.Script{
		"builds": {Layouts: map[string]string{"": layout}, PrintSecrets: true},
		"fails":  {Build: buildxtest.Answer{Stderr: "ERROR: failed to solve: process \"/bin/sh -c make\" did not complete successfully: exit code: 2\n", Exit: 1}},
	}[args[0]]
	if !known {
		ts.Fatalf("docker: unknown kind %s", args[0])
	}
	s := buildxtest.Install(d.t, "", script)
	for _, variable := range s.Environ() {
		name, value, _ := strings.Cut(variable, "=")
		switch name {
		case "HOME":
		case "PATH":
			ts.Setenv(name, value+string(filepath.ListSeparator)+ts.Getenv(name))
		default:
			ts.Setenv(name, value)
		}
	}
	world(ts).docker = &s
}

// cmdBuilds writes how the stand-in was called to build.
func (d *dockers) cmdBuilds(ts *testscript.TestScript, _ bool, args []string) {
	if world(ts).docker == nil {
		ts.Fatalf("builds: no docker")
	}
	var b strings.Builder
	for _, call := range world(ts).docker.Calls(d.t, "build") {
		for _, arg := range call.Args {
			if !strings.HasPrefix(arg, "--metadata-file=") && !strings.HasPrefix(arg, "--output=") {
				fmt.Fprintln(&b, arg)
			}
		}
		for _, variable := range call.Env {
			if strings.HasPrefix(variable, "INPUT_") || strings.Contains(variable, "SECRET") || strings.Contains(variable, "TOKEN") {
				fmt.Fprintln(&b, variable)
			}
		}
	}
	writeNormal(ts, b.String(), args[0])
}

// stepFiles are the files that the runner gives to a step.
var stepFiles = map[string]string{"GITHUB_OUTPUT": "outputs", "GITHUB_STEP_SUMMARY": "summary.md", "GITHUB_ARTIFACTS": "artifacts"}

// cmdStep begins a step.
func cmdStep(ts *testscript.TestScript, _ bool, _ []string) {
	for variable, file := range stepFiles {
		ts.Check(os.WriteFile(ts.MkAbs(file), nil, 0o600))
		ts.Setenv(variable, ts.MkAbs(file))
	}
	ts.Setenv("GITHUB_WORKSPACE", ts.Getenv("WORK"))
	ts.Setenv("INPUT_SIGNING_CONFIG", "signing_config.json")
	ts.Setenv("INPUT_TRUSTED_ROOT", "trusted_root.json")
	ts.Setenv("INPUT_GITHUB_TOKEN", "ghs_x")
	if s := world(ts); s.Server != nil {
		ts.Setenv("INPUT_GITHUB_TOKEN", s.World.Env()["GITHUB_TOKEN"])
		ts.Setenv("GITHUB_TOKEN", "")
	}
}

// cmdOutputs reads the step's outputs as the runner does: NAME<<DELIMITER, lines, DELIMITER.
func cmdOutputs(ts *testscript.TestScript, _ bool, args []string) {
	lines := strings.Split(strings.TrimSuffix(ts.ReadFile("outputs"), "\n"), "\n")
	var out []string
	for len(lines) > 0 && lines[0] != "" {
		name, delimiter, ok := strings.Cut(lines[0], "<<")
		end := slices.Index(lines[1:], delimiter)
		if !ok || end < 0 {
			ts.Fatalf("not an output: %q", lines[0])
		}
		value := strings.Join(lines[1:end+1], "\n    ")
		if strings.HasPrefix(name, "attestation-") {
			value = digits.ReplaceAllString(value, "7")
		}
		out = append(out, name+": "+value+"\n")
		lines = lines[end+2:]
	}
	writeNormal(ts, strings.Join(out, ""), args[0])
}
