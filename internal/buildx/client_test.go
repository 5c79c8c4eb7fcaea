package buildx_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/taglast/taglast/internal/buildx"
	"github.com/taglast/taglast/internal/testkit/buildxtest"
)

func TestWhichProgramBuilds(t *testing.T) {
	says := func(s string) *buildxtest.Answer { return &buildxtest.Answer{Stdout: s} }
	for name, tc := range map[string]struct {
		program string
		version *buildxtest.Answer
		want    string // the package URL of the builder; empty where nothing is known of it
		none    bool
	}{
		"docker with its plugin":    {"docker", nil, "pkg:github/docker/buildx@v0.37.2", false},
		"the plugin by itself":      {"docker-buildx", nil, "pkg:github/docker/buildx@v0.37.2", false},
		"by its short name":         {"buildx", nil, "pkg:github/docker/buildx@v0.37.2", false},
		"a version without commit":  {"docker", says("github.com/docker/buildx v0.0.0+unknown \n"), "pkg:github/docker/buildx@v0.0.0%2Bunknown", false},
		"Debian's":                  {"docker", says("github.com/docker/buildx 0.13.1+ds1~0ubuntu1\n"), "pkg:github/docker/buildx@0.13.1%2Bds1%7E0ubuntu1", false},
		"another program's":         {"docker", says("github.com/Acme/buildx v1.0.0 abc\n"), "pkg:github/acme/buildx@v1.0.0", false},
		"words that are no version": {"docker", says("github.com/docker/buildx <script>\n"), "pkg:github/docker/buildx", false},
		"words that are no program": {"docker", says("buildx: hello\n"), "", false},
		"docker without the plugin": {"docker", &buildxtest.Answer{Stderr: "docker: unknown command: docker buildx\n", Exit: 1}, "", true},
		"docker that says nothing":  {"docker", says(""), "", true},
		"a program of another name": {"docker-compose", nil, "", true},
	} {
		t.Run(name, func(t *testing.T) {
			standin := buildxtest.Install(t, tc.program, buildxtest.Script{Version: tc.version})
			dir := t.TempDir()
			write(t, filepath.Join(dir, "Dockerfile"), "FROM scratch\n")
			client := buildx.New(buildx.Options{Environ: standin.Environ()})
			r := buildx.Request{Dir: dir, File: "Dockerfile"}
			builder, err := client.BuilderDependencies()
			if tc.none {
				const message = "no buildx: neither `docker buildx` nor `docker-buildx` or `buildx` is on PATH"
				wantHint(t, err, message, "docker/setup-buildx-action")
				wantHint(t, client.Check(t.Context(), r), message, "docker/setup-buildx-action")
				_, err = client.Build(t.Context(), r, buildx.Job{TempDir: func() (string, error) { return t.TempDir(), nil }})
				wantHint(t, err, message, "docker/setup-buildx-action")
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			if len(builder) == 1 {
				got = builder[0].URI
			}
			if got != tc.want || len(builder) > 1 {
				t.Errorf("the builder is %v, want %q", builder, tc.want)
			}
			if err := client.Check(t.Context(), r); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestAProgramOfTheCheckoutIsNotMeant(t *testing.T) {
	standin := buildxtest.Install(t, "", buildxtest.Script{})
	t.Chdir(filepath.Dir(standin.Bin))
	environ := standin.Environ("PATH=" + filepath.Base(standin.Bin) + string(filepath.ListSeparator) + ".")
	_, err := buildx.New(buildx.Options{Environ: environ}).BuilderDependencies()
	if err == nil || !strings.HasPrefix(err.Error(), "no buildx") {
		t.Errorf("the error is %v", err)
	}
}

func TestTheEnvironmentOfTheProcessIsTheDefault(t *testing.T) {
	standin := buildxtest.Install(t, "", buildxtest.Script{})
	standin.Setenv(t)
	if _, err := buildx.New(buildx.Options{}).BuilderDependencies(); err != nil {
		t.Error(err)
	}
}

func TestNoTemporaryDirectory(t *testing.T) {
	s := newScene(t, buildxtest.Script{})
	_, err := s.client.Build(t.Context(), s.request, buildx.Job{})
	wantHint(t, err, "a build needs a temporary directory", "")
	j := s.job()
	j.TempDir = func() (string, error) { return "", os.ErrPermission }
	_, err = s.client.Build(t.Context(), s.request, j)
	wantHint(t, err, "permission denied", "")
}
