//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// program builds the command once a test binary.
var program = sync.OnceValues(func() (string, error) {
	here, err := source()
	if err != nil {
		return "", err
	}
	file := executable(shared.file("taglast"))
	root := filepath.Join(here, "..", "..")
	if err := listSources(root); err != nil {
		return "", err
	}
	mod := os.Getenv("GOFLAGS")
	if mod == "" {
		mod = "-mod=readonly"
	}
	return file, build(context.Background(), root, file, "./cmd/taglast", mod)
})

// listSources lists the folders that the command is built from: `go test` takes a result from its cache unless something
// changed that the test binary imports or has looked at.
func listSources(root string) error {
	if _, err := os.ReadFile(filepath.Join(root, "go.mod")); err != nil {
		return err
	}
	for _, dir := range []string{"cmd", "internal", "pkg"} {
		err := filepath.WalkDir(filepath.Join(root, dir), func(_ string, _ fs.DirEntry, err error) error { return err })
		if err != nil {
			return err
		}
	}
	return nil
}

// taglast runs the command in a folder.
func (s *stack) taglast(t testing.TB, dir string, environ []string, args ...string) outcome {
	t.Helper()
	file, err := program()
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithTimeout(t.Context(), 3*time.Minute)
	defer stop()
	out, err := run(ctx, dir, file, environ, args...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// verify runs `taglast verify` as a consumer without any login would.
func (s *stack) verify(t *testing.T, args ...string) outcome {
	t.Helper()
	home := t.TempDir()
	return s.taglast(t, home, append(base(home), s.proxied()...), append([]string{"verify", "--custom-trusted-root", s.trustedRoot}, args...)...)
}

// publish runs `taglast publish` as a step of the job, in a folder that holds the release file and where the output
// goes.
func (s *stack) publish(t *testing.T, j job, dir string, args ...string) (outcome, report) {
	t.Helper()
	return s.publishIn(t, s.stepEnviron(t, j), dir, args...)
}

// stepEnviron is the environment of such a step, which has an account of Docker Hub too.
func (s *stack) stepEnviron(t testing.TB, j job) []string {
	t.Helper()
	return append(j.environ(t, s), "TAGLAST_REGISTRY_AUTH=- {registry: docker.io, username: "+s.dockerUser+", password: "+s.dockerPassword+"}")
}

// publishIn is publish in an environment.
func (s *stack) publishIn(t testing.TB, environ []string, dir string, args ...string) (outcome, report) {
	t.Helper()
	out := s.taglast(t, dir, environ, s.publishArguments(args...)...)
	var r report
	if err := json.Unmarshal([]byte(out.stdout), &r); err != nil && out.code != 2 {
		t.Fatalf("the report is not JSON: %v\n%s", err, out)
	}
	return out, r
}

func (s *stack) publishArguments(args ...string) []string {
	return append([]string{"publish", "--signing-config", s.signingConfig, "--trusted-root", s.trustedRoot, "--format", "json"}, args...)
}

// A report is report.json, as far as the tests look at it.
type report struct {
	SchemaVersion int    `json:"schemaVersion"`
	Version       string `json:"version"`
	DryRun        bool   `json:"dryRun"`
	Outcome       string `json:"outcome"`
	Images        []struct {
		Name      string `json:"name"`
		Digest    string `json:"digest"`
		Adopted   bool   `json:"adopted"`
		Platforms []struct {
			Platform string `json:"platform"`
			Digest   string `json:"digest"`
		} `json:"platforms"`
		Attestations []struct {
			PredicateType string `json:"predicateType"`
			Subject       string `json:"subject"`
			Bundle        string `json:"bundle"`
			LogIndex      *int64 `json:"logIndex"`
			ID            string `json:"id"`
			URL           string `json:"url"`
			Reused        bool   `json:"reused"`
			Run           string `json:"run"`
		} `json:"attestations"`
		Tags []struct {
			Ref      string `json:"ref"`
			Class    string `json:"class"`
			Action   string `json:"action"`
			Digest   string `json:"digest"`
			Previous string `json:"previous"`
			Reason   string `json:"reason"`
		} `json:"tags"`
		Verify string `json:"verify"`
	} `json:"images"`
	Error *struct {
		Stage   string `json:"stage"`
		Image   string `json:"image"`
		Ref     string `json:"ref"`
		Message string `json:"message"`
	} `json:"error"`
}

func readReport(t *testing.T, file string) (r report) {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(raw, &r)
	}
	if err != nil {
		t.Fatal(err)
	}
	return r
}
