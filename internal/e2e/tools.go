//go:build e2e

package e2e

import (
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"
)

// A tool is a server or consumer that is built from its Go module. Each is built in a throw-away module of its own:
// together their requirements clash, and a main package whose module carries replace directives refuses `go install`.
type tool struct {
	name, module, version string
	pkg                   string // below the module, with a leading slash; empty for its root
	stamp                 string // the variable that says the version, which only a linker sets; empty where nobody asks
}

// The versions are those that build with the Go version of go.mod.
var (
	fulcioTool       = tool{"fulcio", "github.com/sigstore/fulcio", "v1.8.8", "", ""}
	ctTool           = tool{"ct_server", "github.com/google/certificate-transparency-go", "v1.4.0", "/trillian/ctfe/ct_server", ""}
	rekorTool        = tool{"rekor-server", "github.com/sigstore/rekor", "v1.5.4", "/cmd/rekor-server", ""}
	timestampTool    = tool{"timestamp-server", "github.com/sigstore/timestamp-authority/v2", "v2.1.3", "/cmd/timestamp-server", ""}
	distributionTool = tool{"registry", "github.com/distribution/distribution/v3", "v3.1.2", "/cmd/registry", ""}
	olaregTool       = tool{"olareg", "github.com/olareg/olareg", "v0.1.2", "/cmd/olareg", ""}
	ghTool           = tool{"gh", "github.com/cli/cli/v2", "v2.100.0", "/cmd/gh", ""}
	cosignTool       = tool{"cosign", "github.com/sigstore/cosign/v3", "v3.1.3", "/cmd/cosign", ""}

	buildkitTool = tool{"buildkitd", "github.com/moby/buildkit", "v0.33.1", "/cmd/buildkitd", "github.com/moby/buildkit/version.Version"}
	buildxTool   = tool{"buildx", "github.com/docker/buildx", "v0.37.2", "/cmd/buildx", "github.com/docker/buildx/version.Version"}

	actTool        = tool{"act", "github.com/nektos/act", "v0.2.89", "", ""}
	actionlintTool = tool{"actionlint", "github.com/rhysd/actionlint", "v1.7.12", "/cmd/actionlint", ""}

	tools = []tool{
		fulcioTool, ctTool, rekorTool, timestampTool, distributionTool, olaregTool, ghTool, cosignTool, buildkitTool, buildxTool, actTool, actionlintTool,
	}
)

// bin is where everything that is built is kept between runs.
var bin = sync.OnceValues(func() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, "taglast-e2e", "bin")
	return dir, os.MkdirAll(dir, 0o750)
})

func executable(path string) string {
	if runtime.GOOS == "windows" {
		return path + ".exe"
	}
	return path
}

// file is where the tool is kept.
func (t tool) file() (string, error) {
	dir, err := bin()
	return executable(filepath.Join(dir, t.name+"@"+t.version)), err
}

// install builds the tool unless it is there.
func (t tool) install(ctx context.Context) error {
	file, err := t.file()
	if err != nil {
		return err
	}
	if _, err := os.Stat(file); err == nil {
		return nil
	}
	dir, err := os.MkdirTemp("", "taglast-e2e-build-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	mod := fmt.Sprintf("module tool\n\ngo 1.26.0\n\nrequire %s %s\n", t.module, t.version)
	if err := os.WriteFile(filepath.Join(dir, "go.mod"), []byte(mod), 0o600); err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "e2e: building %s %s, once\n", t.module, t.version)
	var link []string
	if t.stamp != "" {
		link = append(link, "-X", t.stamp+"="+t.version)
	}
	return build(ctx, dir, file, t.module+t.pkg, "-mod=mod", link...)
}

// build compiles pkg, as seen from dir, and moves the result into place in one step: two test binaries may both build,
// and neither sees half a file. link is for the linker.
func build(ctx context.Context, dir, file, pkg, mod string, link ...string) error {
	part, err := os.CreateTemp(filepath.Dir(file), ".part-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(part.Name()) }()
	if err := part.Close(); err != nil {
		return err
	}
	// Without debug information: linking is a good part of the time.
	cmd := exec.CommandContext(ctx, "go", "build", "-ldflags="+strings.Join(append([]string{"-s", "-w"}, link...), " "), "-o", part.Name(), pkg) //nolint:gosec // the packages are those of the table
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOFLAGS="+mod, "GOWORK=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build %s: %w\n%s", pkg, err, out)
	}
	return os.Rename(part.Name(), file)
}

// source is the folder of this package: `go test` runs there.
var source = sync.OnceValues(os.Getwd)

// install builds what is missing: the tools, and the log server of folder trillian.
func install(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.NumCPU())
	for _, t := range tools {
		g.Go(func() error { return t.install(ctx) })
	}
	g.Go(func() error {
		file, err := trillianFile()
		if err != nil {
			return err
		}
		if _, err := os.Stat(file); err == nil {
			return nil
		}
		dir, err := source()
		if err != nil {
			return err
		}
		return build(ctx, filepath.Join(dir, "trillian"), file, ".", "-mod=mod")
	})
	return g.Wait()
}

// trillianFile is where the log server is kept, named after its source.
var trillianFile = sync.OnceValues(func() (string, error) {
	dir, err := bin()
	if err != nil {
		return "", err
	}
	here, err := source()
	if err != nil {
		return "", err
	}
	sum := sha256.New()
	for _, name := range []string{"main.go", "go.mod", "go.sum"} {
		raw, err := os.ReadFile(filepath.Join(here, "trillian", name))
		if err != nil {
			return "", err
		}
		_, _ = sum.Write(raw)
	}
	return executable(filepath.Join(dir, fmt.Sprintf("trillian@%x", sum.Sum(nil)[:6]))), nil
})
