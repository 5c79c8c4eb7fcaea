package publish_test

import (
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/static"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/taglast/taglast/internal/sandbox"
	"github.com/taglast/taglast/internal/testkit/buildxtest"
	"github.com/taglast/taglast/pkg/publish"
	"github.com/taglast/taglast/pkg/release"
)

func TestMain(m *testing.M) {
	buildxtest.Main()
	os.Exit(m.Run())
}

// builtLayout is what a builder leaves of an image for two platforms; another content is another build.
func builtLayout(t *testing.T, content string) string {
	t.Helper()
	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for _, arch := range []string{"amd64", "arm64"} {
		img, err := mutate.ConfigFile(mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON),
			&v1.ConfigFile{OS: "linux", Architecture: arch, RootFS: v1.RootFS{Type: "layers"}})
		if err == nil {
			img, err = mutate.AppendLayers(img, static.NewLayer([]byte(content+arch), types.OCIUncompressedLayer))
		}
		if err != nil {
			t.Fatal(err)
		}
		index = mutate.AppendManifests(index, mutate.IndexAddendum{
			Add: img, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: arch}},
		})
	}
	dir := t.TempDir()
	l, err := layout.Write(dir, empty.Index)
	if err == nil {
		err = l.AppendIndex(index)
	}
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// dockerScene is a scene whose release file lies in a folder with these files, and where docker is a stand-in.
func dockerScene(t *testing.T, text string, script buildxtest.Script, files ...string) (*scene, buildxtest.Standin) {
	t.Helper()
	s := newScene(t, "repositories: [ghcr.io/acme/app]\ntags: []\nimages: [{name: app, source: {oci: image}}]", sandbox.Options{})
	dir := t.TempDir()
	for _, name := range files {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte("FROM scratch\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	quickstart := s.file.Dir
	f, err := release.Parse(filepath.Join(dir, "taglast.yaml"), []byte(strings.ReplaceAll(text, "QUICKSTART", quickstart)),
		func(string) (string, bool) { return "", false })
	if err != nil {
		t.Fatal(err)
	}
	s.file = f
	standin := buildxtest.Install(t, "", script)
	standin.Setenv(t)
	return s, standin
}

const fromDockerfile = `
repositories: [ghcr.io/acme/app, docker.io/acme/app]
platforms: [linux/amd64, linux/arm64]
tags: ["type=semver,pattern={{version}},value=1.2.3", "type=semver,pattern={{major}}.{{minor}},value=1.2.3"]
images: [{name: app, source: {dockerfile: Dockerfile}}]
`

// sentAnything is every request of the world that is a write, but for probes.
func sentAnything(s *scene) []string {
	return slices.DeleteFunc(withoutProbes(writes(s.world.Requests())), func(line string) bool { return strings.Contains(line, "/token") })
}

// TestADockerfileIsPublishedOnce: all platforms in one build, and a second run that writes and builds nothing.
func TestADockerfileIsPublishedOnce(t *testing.T) {
	s, docker := dockerScene(t, fromDockerfile, buildxtest.Script{Layouts: map[string]string{"": builtLayout(t, "one")}}, "Dockerfile")
	first, _ := must(t, s, nil)
	if calls := docker.Calls(t, "build"); len(calls) != 1 || !slices.Contains(calls[0].Args, "--platform=linux/amd64,linux/arm64") {
		t.Fatalf("builds: %+v", calls)
	}
	for _, call := range docker.Calls(t, "build") {
		for _, refused := range []string{"--push", "--load", "--tag", "-t"} {
			if slices.ContainsFunc(call.Args, func(a string) bool { return a == refused || strings.HasPrefix(a, refused+"=") }) {
				t.Errorf("the builder was told %s", refused)
			}
		}
	}
	s.next()
	second, requests := must(t, s, nil)
	if lines := withoutProbes(writes(requests)); len(lines) > 0 {
		t.Errorf("a second run wrote %v", lines)
	}
	if n := len(docker.Calls(t, "build")); n != 1 || second.Images[0].Digest != first.Images[0].Digest || !second.Images[0].Adopted {
		t.Errorf("%d builds, %s, then %s", n, first.Images[0].Digest, second.Images[0].Digest)
	}
}

// TestAnotherBuildFinishesTheFirst: the second build of a Dockerfile gives other bytes, after a run that died half-way
// through its tags.
func TestAnotherBuildFinishesTheFirst(t *testing.T) {
	s, _ := dockerScene(t, fromDockerfile, buildxtest.Script{Layouts: map[string]string{"": builtLayout(t, "one")}}, "Dockerfile")
	var written atomic.Int64
	broken := roundTripper(func(r *http.Request) (*http.Response, error) {
		if r.Method == http.MethodPut && strings.Contains(r.URL.Path, "/manifests/") && !strings.Contains(r.URL.Path, "sha256:") {
			if written.Add(1) > 1 {
				return nil, errors.New("the machine is gone")
			}
		}
		return s.world.RoundTrip(r)
	})
	o := s.options(broken)
	first, err := publish.Publish(t.Context(), o)
	if err == nil || publish.ExitCode(first, err) != 3 {
		t.Fatalf("the first run: %v, exit %d", err, publish.ExitCode(first, err))
	}
	another := buildxtest.Install(t, "", buildxtest.Script{Layouts: map[string]string{"": builtLayout(t, "another")}})
	another.Setenv(t)
	s.next()
	second, _ := must(t, s, nil)
	if second.Images[0].Digest != first.Images[0].Digest || !second.Images[0].Adopted {
		t.Errorf("%s was published, then %s", first.Images[0].Digest, second.Images[0].Digest)
	}
	if n := len(another.Calls(t, "build")); n != 0 {
		t.Errorf("%d builds of what is there", n)
	}
	for _, line := range tagLines(s.world.State()) {
		if !strings.HasSuffix(line, " "+first.Images[0].Digest) {
			t.Errorf("tag %s", line)
		}
	}
	// With --rebuild a published version still stays what it is.
	s.next()
	o = s.options(nil)
	o.Rebuild = true
	if _, err := publish.Publish(t.Context(), o); err == nil || !strings.Contains(err.Error(), "exists with another digest") {
		t.Errorf("a rebuild: %v", err)
	}
	lawful(t, s)
}

// TestNothingIsSentWhereABuildFails, of an image beside it neither, although that is there at once.
func TestNothingIsSentWhereABuildFails(t *testing.T) {
	const two = `
repositories: ["ghcr.io/acme/{{image}}"]
tags: ["type=semver,pattern={{version}},value=1.2.3"]
images:
  - {name: ready, source: {oci: QUICKSTART/image}}
  - {name: app, source: {dockerfile: Dockerfile}}
`
	s, _ := dockerScene(t, two, buildxtest.Script{Build: buildxtest.Answer{Stderr: "ERROR: failed to build: failed to solve: it is broken\n", Exit: 1}}, "Dockerfile")
	r, err := publish.Publish(t.Context(), s.options(nil))
	if err == nil || !strings.Contains(err.Error(), "it is broken") || publish.ExitCode(r, err) != 1 {
		t.Fatalf("%v, exit %d", err, publish.ExitCode(r, err))
	}
	if sent := sentAnything(s); len(sent) > 0 {
		t.Errorf("sent: %v", sent)
	}
}

// TestABuildThatCannotBeginIsWrongUsage: it is told before anything is sent, and with the next step.
func TestABuildThatCannotBeginIsWrongUsage(t *testing.T) {
	for name, c := range map[string]struct {
		source string
		script buildxtest.Script
		change func(*publish.Options)
		want   string // in the message
		hint   string
	}{
		"no Dockerfile":            {"{dockerfile: none/Dockerfile}", buildxtest.Script{}, nil, "none/Dockerfile", ""},
		"a context that is none":   {"{dockerfile: Dockerfile, context: nothing}", buildxtest.Script{}, nil, "nothing", ""},
		"a secret without a value": {"{dockerfile: Dockerfile, secrets: [\"id=token,env=NO_SUCH_VARIABLE\"]}", buildxtest.Script{}, nil, "NO_SUCH_VARIABLE", "env:"},
		"the docker driver": {
			"{dockerfile: Dockerfile}",
			buildxtest.Script{Inspect: &buildxtest.Answer{Stdout: strings.NewReplacer("Driver:        remote", "Driver:        docker",
				"OCI exporter:                                               true", "OCI exporter:                                               false",
				"Multi-platform build:                                       true", "Multi-platform build:                                       false").Replace(buildxtest.Inspected)}},
			nil, "docker", "docker/setup-buildx-action",
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, docker := dockerScene(t, strings.Replace(fromDockerfile, "{dockerfile: Dockerfile}", c.source, 1), c.script, "Dockerfile")
			r, err := publish.Publish(t.Context(), s.options(nil))
			var e *publish.Error
			if !errors.As(err, &e) || !e.Usage || publish.ExitCode(r, err) != 2 || !strings.Contains(e.Message(), c.want) || !strings.Contains(e.Hint, c.hint) || e.Hint == "" {
				t.Errorf("%v, exit %d, hint %q", err, publish.ExitCode(r, err), e.Hint)
			}
			if sent := sentAnything(s); len(sent) > 0 {
				t.Errorf("sent: %v", sent)
			}
			if n := len(docker.Calls(t, "build")); n > 0 {
				t.Errorf("%d builds", n)
			}
		})
	}
}

// TestWhatBuildsNothing: a plan, and an offline dry run, which refuses.
func TestWhatBuildsNothing(t *testing.T) {
	s, docker := dockerScene(t, fromDockerfile, buildxtest.Script{}, "Dockerfile")
	if r, err := publish.Plan(t.Context(), s.options(nil), false); err != nil || len(r.Images) != 1 || r.Images[0].Digest != "" {
		t.Errorf("plan: %v", err)
	}
	if err := os.Remove(filepath.Join(s.file.Dir, "Dockerfile")); err != nil {
		t.Fatal(err)
	}
	if r, err := publish.Plan(t.Context(), s.options(nil), true); err == nil || publish.ExitCode(r, err) != 2 || !strings.Contains(err.Error(), "no such Dockerfile") {
		t.Errorf("plan without a Dockerfile: %v, exit %d", err, publish.ExitCode(r, err))
	}
	o := s.options(nil)
	o.SigningConfig, o.TrustedRoot = nil, nil
	r, err := publish.DryRun(t.Context(), o, true)
	if err == nil || publish.ExitCode(r, err) != 2 || !strings.Contains(err.Error(), "--offline") {
		t.Errorf("an offline dry run: %v, exit %d", err, publish.ExitCode(r, err))
	}
	if n := len(docker.Calls(t, "build")); n > 0 {
		t.Errorf("%d builds", n)
	}
}

// TestADryRunBuilds: it is what a pull request is for.
func TestADryRunBuilds(t *testing.T) {
	const cached = `{dockerfile: Dockerfile, cache-to: ["type=registry,ref=ghcr.io/acme/cache", "type=local,dest=cache", "type=inline"]}`
	s, docker := dockerScene(t, strings.Replace(fromDockerfile, "{dockerfile: Dockerfile}", cached, 1), buildxtest.Script{Layouts: map[string]string{"": builtLayout(t, "one")}}, "Dockerfile")
	o := s.options(nil)
	o.SigningConfig, o.TrustedRoot = nil, nil
	r, err := publish.DryRun(t.Context(), o, false)
	if err != nil || r.Images[0].Digest == "" || len(r.Images[0].Platforms) != 2 {
		t.Fatalf("%v %+v", err, r.Images)
	}
	calls := docker.Calls(t, "build")
	if len(calls) != 1 {
		t.Fatalf("%d builds", len(calls))
	}
	for _, a := range calls[0].Args {
		if strings.HasPrefix(a, "--cache-to=") && a != "--cache-to=type=inline" {
			t.Errorf("a dry run writes a cache: %s", a)
		}
	}
	if !slices.Contains(calls[0].Args, "--cache-to=type=inline") {
		t.Error("the cache that is a part of the image is missing: its digest would be another one")
	}
	if sent := sentAnything(s); len(sent) > 0 {
		t.Errorf("sent: %v", sent)
	}
}

// TestABaseWithoutLoginIsSkippedInADryRun, and those that are not built from it are not; a release fails.
func TestABaseWithoutLoginIsSkippedInADryRun(t *testing.T) {
	const two = `
repositories: ["ghcr.io/acme/{{image}}"]
tags: ["type=semver,pattern={{version}},value=1.2.3"]
images:
  - {name: ready, source: {oci: QUICKSTART/image}}
  - {name: app, source: {dockerfile: Dockerfile}}
`
	script := buildxtest.Script{Build: buildxtest.Answer{Exit: 1, Stderr: "ERROR: failed to build: failed to solve: dhi.io/python:3: failed to resolve source metadata for dhi.io/python:3: pull access denied, repository does not exist or may require authorization\n"}}
	s, _ := dockerScene(t, two, script, "Dockerfile")
	o := s.options(nil)
	o.SigningConfig, o.TrustedRoot = nil, nil
	r, err := publish.DryRun(t.Context(), o, false)
	if err != nil || r.Images[0].Skipped || !r.Images[1].Skipped || !strings.Contains(r.Images[1].Reason, "dhi.io/python:3") {
		t.Errorf("%v %+v", err, r.Images)
	}
	if r, err := publish.Publish(t.Context(), s.options(nil)); err == nil || publish.ExitCode(r, err) != 1 {
		t.Errorf("a release: %v", err)
	}
}

// TestAnImageOnAnother is built after it, from a layout of it; and with --only it is built from it all the same.
func TestAnImageOnAnother(t *testing.T) {
	const stacked = `
repositories: ["ghcr.io/acme/{{image}}"]
platforms: [linux/amd64, linux/arm64]
tags: ["type=semver,pattern={{version}},value=1.2.3"]
images:
  - {name: app, source: {dockerfile: app.Dockerfile, contexts: {base: "image:middle"}}}
  - {name: middle, source: {dockerfile: middle.Dockerfile, contexts: {base: "image:base"}}}
  - {name: base, source: {dockerfile: base.Dockerfile}, if-no-tags: skip, tags: ["type=ref,event=branch"]}
`
	layouts := map[string]string{
		"app.Dockerfile": builtLayout(t, "app"), "middle.Dockerfile": builtLayout(t, "middle"), "base.Dockerfile": builtLayout(t, "base"),
	}
	for _, only := range [][]string{nil, {"app"}} {
		s, docker := dockerScene(t, stacked, buildxtest.Script{Layouts: layouts}, "app.Dockerfile", "middle.Dockerfile", "base.Dockerfile")
		r, _ := must(t, s, func(o *publish.Options) { o.Only = only })
		var files []string
		for _, call := range docker.Calls(t, "build") {
			for _, a := range call.Args {
				if file, ok := strings.CutPrefix(a, "--file="); ok {
					files = append(files, filepath.Base(file))
				}
			}
		}
		if !slices.Equal(files, []string{"base.Dockerfile", "middle.Dockerfile", "app.Dockerfile"}) {
			t.Errorf("--only %v: built %v", only, files)
		}
		for _, call := range docker.Calls(t, "build")[1:] {
			if !slices.ContainsFunc(call.Args, func(a string) bool { return strings.HasPrefix(a, "--build-context=base=oci-layout://") }) {
				t.Errorf("--only %v: %v", only, call.Args)
			}
		}
		want := map[bool]int{true: 4, false: 2}[only == nil] // 1.2.3 and latest of each
		if tags := len(tagLines(s.world.State())); tags != want {
			t.Errorf("--only %v: %d tags, want %d", only, tags, want)
		}
		if images := len(r.Images); images != map[bool]int{true: 3, false: 1}[only == nil] {
			t.Errorf("--only %v: %d images in the report", only, images)
		}
	}
}

// TestASecretOfABuildStaysInIt looks into everything that a run leaves: report, files, what the observer hears.
func TestASecretOfABuildStaysInIt(t *testing.T) {
	const secret = "hunter2-and-more-of-it"
	for exit, given := range []bool{false, true} { // in the environment of the process, and beside it
		script := buildxtest.Script{
			Layouts: map[string]string{"": builtLayout(t, "one")}, PrintSecrets: true,
			Build: buildxtest.Answer{Stderr: "the end\n", Exit: exit},
		}
		s, docker := dockerScene(t, strings.Replace(fromDockerfile, "{dockerfile: Dockerfile}",
			"{dockerfile: Dockerfile, secrets: [\"id=token,env=APP_TOKEN\"]}", 1), script, "Dockerfile")
		t.Setenv("APP_TOKEN", secret)
		t.Setenv("GITHUB_TOKEN", "ghs_not-for-a-build")
		heard := &listener{}
		o := s.options(nil)
		if given {
			t.Setenv("APP_TOKEN", "another")
			o.BuildEnviron = []string{"APP_TOKEN=" + secret, "OTHER_TOKEN=not-for-this-build"}
		}
		o.Observer = heard
		r, err := publish.Publish(t.Context(), o)
		if (err != nil) != (exit != 0) {
			t.Fatal(err)
		}
		raw, merr := publish.Marshal(r)
		if merr != nil {
			t.Fatal(merr)
		}
		texts := map[string]string{"report": string(raw), "observer": heard.all()}
		if err != nil {
			texts["error"] = err.Error()
		}
		werr := filepath.WalkDir(o.OutputDir, func(path string, d os.DirEntry, err error) error {
			if err == nil && !d.IsDir() {
				content, err := os.ReadFile(path)
				texts[path] = string(content)
				return err
			}
			return err
		})
		if werr != nil {
			t.Fatal(werr)
		}
		calls := docker.Calls(t, "build")
		texts["arguments"] = strings.Join(calls[0].Args, " ")
		for where, text := range texts {
			if strings.Contains(text, secret) {
				t.Errorf("exit %d: the secret stands in %s", exit, where)
			}
		}
		if !strings.Contains(heard.all(), "token is ***.") {
			t.Errorf("exit %d: nobody hears of the build: %s", exit, heard.all())
		}
		if env := strings.Join(calls[0].Env, "\n"); !strings.Contains(env, "APP_TOKEN="+secret) || strings.Contains(env, "not-for-") {
			t.Errorf("exit %d: environment of the build:\n%s", exit, env)
		}
	}
}

// TestAnOutputDirectoryInTheContextIsToldOf: the first run makes it when everything is built, and of what it left the next
// is warned, unless .dockerignore names it.
func TestAnOutputDirectoryInTheContextIsToldOf(t *testing.T) {
	for name, c := range map[string]struct {
		output, ignore string
		warned         bool
	}{
		"in the context":              {"taglast-out", "", true},
		"below a folder of it":        {"build/out", "", true},
		"ignored":                     {"taglast-out", "node_modules\n/taglast-out/\n", false},
		"ignored with what is around": {"build/out", "build/**\n", false},
		"everything is ignored":       {"taglast-out", "*\n!src\n", false},
		"elsewhere":                   {"", "", false},
	} {
		t.Run(name, func(t *testing.T) {
			s, _ := dockerScene(t, fromDockerfile, buildxtest.Script{Layouts: map[string]string{"": builtLayout(t, "one")}}, "Dockerfile")
			if c.ignore != "" {
				if err := os.WriteFile(filepath.Join(s.file.Dir, ".dockerignore"), []byte(c.ignore), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			o := s.options(nil)
			if o.OutputDir = t.TempDir(); c.output != "" {
				o.OutputDir = filepath.Join(s.file.Dir, filepath.FromSlash(c.output))
			}
			heard := &warnings{}
			there := false
			o.Observer = &whileBuilding{warnings: heard, look: func() {
				_, err := os.Stat(o.OutputDir)
				there = err == nil
			}}
			if _, err := publish.Publish(t.Context(), o); err != nil {
				t.Fatal(err)
			}
			if c.output != "" && there || len(heard.lines()) > 0 && c.output != "" {
				t.Errorf("the first run: there while it built: %v; %v", there, heard.lines())
			}
			o.Rebuild = true
			if _, err := publish.Publish(t.Context(), o); err != nil {
				t.Fatal(err)
			}
			if got := len(heard.lines()) > 0; got != c.warned {
				t.Errorf("warned %v: %v", got, heard.lines())
			}
		})
	}
}

// whileBuilding looks when a builder begins.
type whileBuilding struct {
	*warnings
	look func()
}

func (w *whileBuilding) BuildOutput(string) io.WriteCloser {
	w.look()
	return nil
}
