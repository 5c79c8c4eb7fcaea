package buildx_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/taglast/taglast/internal/buildx"
	"github.com/taglast/taglast/internal/testkit/buildxtest"
)

// inspected is the answer about a builder of another driver, its features as given.
func inspected(driver, multi, oci string) *buildxtest.Answer {
	out := strings.NewReplacer("remote", driver,
		"Multi-platform build:                                       true", "Multi-platform build: "+multi,
		"OCI exporter:                                               true", "OCI exporter: "+oci).Replace(buildxtest.Inspected)
	return &buildxtest.Answer{Stdout: out}
}

func TestCheck(t *testing.T) {
	const setup = "docker/setup-buildx-action"
	two := []string{"linux/amd64", "linux/arm64"}
	noFeatures, _, _ := strings.Cut(buildxtest.Inspected, "Features:")
	for name, tc := range map[string]struct {
		script        buildxtest.Script
		change        func(*testing.T, *buildx.Request)
		message, hint string // empty where nothing is wrong
	}{
		"all is well": {},
		"a context that is not there": {
			change:  func(_ *testing.T, r *buildx.Request) { r.Context = "web\x1b" },
			message: `context web\x1b: there is no such folder`, hint: "relative to the folder of the release file",
		},
		"a context that is a file": {
			change:  func(_ *testing.T, r *buildx.Request) { r.Context = "Dockerfile" },
			message: "context Dockerfile: a file, not a folder", hint: "a folder, or a Git or https URL",
		},
		"a context that is a URL": {
			change: func(_ *testing.T, r *buildx.Request) {
				r.Context, r.File = "https://example.org/a.git", "no/Dockerfile"
			},
		},
		"no Dockerfile": {
			change:  func(_ *testing.T, r *buildx.Request) { r.File = "web/Dockerfile" },
			message: "web/Dockerfile: there is no such Dockerfile", hint: "relative to the folder of the release file",
		},
		"no Dockerfile by default": {
			change:  func(t *testing.T, r *buildx.Request) { r.File, r.Context = "", folder(t, r, "empty") },
			message: "Dockerfile: there is no such Dockerfile", hint: "relative to the folder of the release file",
		},
		"a Dockerfile that is a folder": {
			change:  func(t *testing.T, r *buildx.Request) { r.File = folder(t, r, "d") },
			message: "d: not a file, so no Dockerfile",
		},
		"a Dockerfile outside of its context": {
			change:  func(t *testing.T, r *buildx.Request) { r.Context = folder(t, r, "web") },
			message: "Dockerfile lies outside of its context web", hint: "set `context` to a folder that holds both",
		},
		"a Dockerfile that leads out of its context": {
			change: func(t *testing.T, r *buildx.Request) {
				r.Context, r.File = folder(t, r, "web"), "web/Dockerfile"
				link(t, "../Dockerfile", filepath.Join(r.Dir, r.File))
			},
			message: "web/Dockerfile lies outside of its context web", hint: "set `context` to a folder that holds both",
		},
		"a link within the context": {
			change: func(t *testing.T, r *buildx.Request) {
				r.File = "Link"
				link(t, "Dockerfile", filepath.Join(r.Dir, r.File))
			},
		},
		"a context that is a link": {
			change: func(t *testing.T, r *buildx.Request) {
				write(t, filepath.Join(r.Dir, "real", "Dockerfile"), "FROM scratch\n")
				link(t, "real", filepath.Join(r.Dir, "web"))
				r.Context, r.File = "web", "real/Dockerfile"
			},
		},
		"a Dockerfile whose name begins with two dots": {
			change: func(t *testing.T, r *buildx.Request) {
				r.File = "..Dockerfile"
				write(t, filepath.Join(r.Dir, r.File), "FROM scratch\n")
			},
		},
		"a named context that is not there": {
			change: func(_ *testing.T, r *buildx.Request) {
				r.Contexts = []buildx.NamedContext{{Name: "base", Value: "../base"}}
			},
			message: "context base: ../base: there is no such folder", hint: "`image:NAME`",
		},
		"a named context that is a file": {
			change: func(_ *testing.T, r *buildx.Request) {
				r.Contexts = []buildx.NamedContext{{Name: "base", Value: "Dockerfile"}}
			},
			message: "context base: Dockerfile: a file, not a folder",
		},
		"named contexts that are no folders": {
			change: func(_ *testing.T, r *buildx.Request) {
				for _, v := range []string{"docker-image://alpine:3.23", "https://example.org/x.git", "git@example.org:x.git", "target:base", "oci-layout://x@sha256:00", ""} {
					r.Contexts = append(r.Contexts, buildx.NamedContext{Name: "base", Value: v})
				}
			},
		},
		"a secret's variable that is not set": {
			change:  func(_ *testing.T, r *buildx.Request) { r.Secrets = []buildx.Secret{{ID: "t", Env: "NONE"}} },
			message: "secret t: the environment has no variable NONE", hint: "`env:` of the step",
		},
		"a secret's variable that is empty": {
			change: func(_ *testing.T, r *buildx.Request) { r.Secrets = []buildx.Secret{{ID: "t", Env: "EMPTY"}} },
		},
		"a secret's file that is not there": {
			change:  func(_ *testing.T, r *buildx.Request) { r.Secrets = []buildx.Secret{{ID: "t", Src: "key"}} },
			message: "secret t: there is no file key", hint: "relative to the folder of the release file",
		},
		"a secret's file that is a folder": {
			change: func(t *testing.T, r *buildx.Request) {
				r.Secrets = []buildx.Secret{{ID: "t", Src: folder(t, r, "key")}}
			},
			message: "secret t: key is not a file",
		},
		"a secret's file that is too large": {
			change: func(t *testing.T, r *buildx.Request) {
				r.Secrets = []buildx.Secret{{ID: "t", Src: "key"}}
				write(t, filepath.Join(r.Dir, "key"), strings.Repeat("x", 500<<10+1))
			},
			message: "secret t: key has 512001 bytes, and BuildKit takes at most 512000",
		},
		"a secret without any": {
			change:  func(_ *testing.T, r *buildx.Request) { r.Secrets = []buildx.Secret{{ID: "t"}} },
			message: "secret t: it has no value", hint: "id=NAME,env=VAR",
		},
		"the token that signs, as a secret": {
			change: func(_ *testing.T, r *buildx.Request) {
				r.Secrets = []buildx.Secret{{ID: "t", Env: "ACTIONS_ID_TOKEN_REQUEST_TOKEN"}}
			},
			message: "secret t: ACTIONS_ID_TOKEN_REQUEST_TOKEN is never given to a build", hint: "a token of its own",
		},
		"the runner's token, as an argument": {
			change: func(_ *testing.T, r *buildx.Request) {
				r.Args = []buildx.Arg{{Name: "ACTIONS_RUNTIME_TOKEN", FromEnvironment: true}}
			},
			message: "argument ACTIONS_RUNTIME_TOKEN: ACTIONS_RUNTIME_TOKEN is never given to a build", hint: "a token of its own",
		},
		"every registry's password": {
			change: func(_ *testing.T, r *buildx.Request) {
				r.Secrets = []buildx.Secret{{ID: "t", Env: "TAGLAST_REGISTRY_AUTH"}}
			},
			message: "secret t: TAGLAST_REGISTRY_AUTH is never given to a build", hint: "a token of its own",
		},
		"an argument that is not set": {
			change:  func(_ *testing.T, r *buildx.Request) { r.Args = []buildx.Arg{{Name: "A", FromEnvironment: true}} },
			message: "argument A: the environment has no variable A", hint: "`env:` of the step",
		},
		"an agent that is not there": {
			change:  func(_ *testing.T, r *buildx.Request) { r.SSH = []string{"default"} },
			message: "ssh: the environment has no SSH_AUTH_SOCK", hint: "start an agent",
		},
		"an unknown builder": {
			script:  buildxtest.Script{Inspect: &buildxtest.Answer{Stderr: "ERROR: no builder \"x\" found\n", Exit: 1}},
			change:  func(_ *testing.T, r *buildx.Request) { r.Builder = "x" },
			message: `there is no builder "x"`, hint: "docker buildx ls",
		},
		"an unknown builder of the environment": {
			script:  buildxtest.Script{Inspect: &buildxtest.Answer{Stderr: "ERROR: no builder \"y\" found\n", Exit: 1}},
			message: `there is no builder "y"`, hint: "docker buildx ls",
		},
		"a context that shows processes": {
			change:  func(_ *testing.T, r *buildx.Request) { r.Context, r.File = "/proc", "/proc/version" },
			message: "context /proc: it shows what runs on this machine, the environment of this job too, and is not given to a build", hint: "",
		},
		"a named context that does": {
			change: func(_ *testing.T, r *buildx.Request) {
				r.Contexts = []buildx.NamedContext{{Name: "p", Value: "/proc/self"}}
			},
			message: "context p: /proc/self: it shows what runs on this machine, the environment of this job too, and is not given to a build", hint: "",
		},
		"a secret that is the job's environment": {
			change: func(_ *testing.T, r *buildx.Request) {
				r.Secrets = []buildx.Secret{{ID: "e", Src: "/proc/self/environ"}}
			},
			message: "secret e: /proc/self/environ: it shows what runs on this machine, the environment of this job too, and is not given to a build", hint: "",
		},
		"a named context that is a link to elsewhere": {
			change: func(t *testing.T, r *buildx.Request) {
				link(t, t.TempDir(), filepath.Join(r.Dir, "elsewhere"))
				r.Contexts = []buildx.NamedContext{{Name: "e", Value: "elsewhere"}}
			},
			message: "context e: elsewhere: a link leads out of the release file's folder", hint: "name the folder that it leads to",
		},
		"a named context that is a link to a folder beside it": {
			change: func(t *testing.T, r *buildx.Request) {
				link(t, folder(t, r, "beside"), filepath.Join(r.Dir, "link"))
				r.Contexts = []buildx.NamedContext{{Name: "e", Value: "link"}}
			},
		},
		"a builder that cannot be asked": {
			script:  buildxtest.Script{Inspect: &buildxtest.Answer{Stderr: "ERROR: context \"c\": context not found\n", Exit: 1}},
			message: `the builder cannot be asked: buildx says: context "c": context not found`, hint: setup,
		},
		"a daemon that cannot be reached": {
			script:  buildxtest.Script{Inspect: &buildxtest.Answer{Stdout: "Name:   default\nDriver: \nError:  failed to connect to the docker API at unix:///var/run/docker.sock\n"}},
			message: `the builder "default" cannot be reached: failed to connect to the docker API at unix:///var/run/docker.sock`, hint: setup,
		},
		"the docker driver": {
			script:  buildxtest.Script{Inspect: inspected("docker", "false", "false")},
			message: `the builder "t" (driver docker) cannot write an OCI layout`, hint: setup,
		},
		"the docker driver and two platforms": {
			script:  buildxtest.Script{Inspect: inspected("docker", "false", "true")},
			change:  func(_ *testing.T, r *buildx.Request) { r.Platforms = two },
			message: `the builder "t" (driver docker) builds for one platform at a time; 2 are asked for`, hint: setup,
		},
		"the docker driver with containerd's store": {
			script: buildxtest.Script{Inspect: inspected("docker", "true", "true")},
			change: func(_ *testing.T, r *buildx.Request) { r.Platforms = two },
		},
		"a buildx that tells no features": {
			script: buildxtest.Script{Old: "--debug", Inspect: &buildxtest.Answer{Stdout: noFeatures}},
			change: func(_ *testing.T, r *buildx.Request) { r.Platforms = two },
		},
		"one with the docker driver and two platforms": {
			script:  buildxtest.Script{Old: "--debug", Inspect: &buildxtest.Answer{Stdout: strings.Replace(noFeatures, "remote", "docker", 1)}},
			change:  func(_ *testing.T, r *buildx.Request) { r.Platforms = two },
			message: `the builder "t" (driver docker) builds for one platform at a time; 2 are asked for`, hint: setup,
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t, tc.script, "BUILDX_BUILDER=y", "EMPTY=", "ACTIONS_ID_TOKEN_REQUEST_TOKEN=x", "ACTIONS_RUNTIME_TOKEN=x", "TAGLAST_REGISTRY_AUTH=x")
			if tc.change != nil {
				tc.change(t, &s.request)
			}
			err := s.client.Check(t.Context(), s.request)
			if n := len(s.standin.Calls(t, "build")); n != 0 {
				t.Errorf("a check ran %d builds", n)
			}
			if tc.message == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			wantHint(t, err, tc.message, tc.hint)
			var usage *buildx.UsageError
			if !errors.As(err, &usage) {
				t.Errorf("%T is no usage error", err)
			}
		})
	}
}

// folder makes an empty folder beside the Dockerfile.
func folder(t *testing.T, r *buildx.Request, name string) string {
	t.Helper()
	if err := os.Mkdir(filepath.Join(r.Dir, name), 0o755); err != nil {
		t.Fatal(err)
	}
	return name
}

func link(t *testing.T, to, path string) {
	t.Helper()
	if err := os.Symlink(filepath.FromSlash(to), path); err != nil {
		t.Fatal(err)
	}
}

func TestABuilderIsAskedAboutOnce(t *testing.T) {
	s := newScene(t, buildxtest.Script{})
	for range 3 {
		if err := s.client.Check(t.Context(), s.request); err != nil {
			t.Fatal(err)
		}
	}
	s.request.Builder = "other"
	if err := s.client.Check(t.Context(), s.request); err != nil {
		t.Fatal(err)
	}
	calls := s.standin.Calls(t, "inspect")
	if len(calls) != 2 || strings.Join(calls[1].Args, " ") != "inspect --debug --builder=other" {
		t.Errorf("it was asked %d times, last %v", len(calls), calls[len(calls)-1].Args)
	}
	if n := len(s.standin.Calls(t, "version")); n != 1 {
		t.Errorf("its version was asked %d times", n)
	}
}
