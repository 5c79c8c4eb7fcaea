package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/taglast/taglast/internal/sandbox"
	"github.com/taglast/taglast/pkg/publish"
)

// twoByTwo is a release of two images to two repositories: 10 tags.
const twoByTwo = `
repositories: [%s/acme/app, %s/acme/app]
platforms: [linux/amd64, linux/arm64]
images:
  - name: app
    source: {oci: %s}
    tags: ["type=semver,pattern={{version}},value=1.2.3", "type=semver,pattern={{major}}.{{minor}},value=1.2.3"]
  - name: cli
    source: {oci: %[3]s}
    annotations: {org.opencontainers.image.title: cli}
    tags: ["type=semver,pattern={{version}},value=1.2.3,suffix=-cli", "cli"]
    flavor: [latest=false]
`

// job is a job's step on a machine of its own before a served world: the program runs in it as a process.
type job struct {
	server *sandbox.Server
	hosts  [2]string
	dir    string
}

// newJob serves a world and writes what the step finds: release file, event payload, signing config, trusted root. wrap
// goes around everything that is served.
func newJob(t *testing.T, wrap func(http.Handler) http.Handler) *job {
	t.Helper()
	s, err := sandbox.Listen(sandbox.Options{}, wrap)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	j := &job{server: s, dir: t.TempDir()}
	j.hosts[0] = strings.TrimPrefix(s.URL, "http://")
	if j.hosts[1], err = s.Registry(); err != nil {
		t.Fatal(err)
	}
	source, err := filepath.Abs("../../testdata/quickstart/image")
	if err != nil {
		t.Fatal(err)
	}
	event, err := s.World.Event()
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{
		"taglast.yaml":        fmt.Appendf(nil, twoByTwo, j.hosts[0], j.hosts[1], filepath.ToSlash(source)),
		"event.json":          event,
		"signing_config.json": s.World.SigningConfig(),
		"trusted_root.json":   s.World.TrustedRoot(),
	} {
		if err := os.WriteFile(filepath.Join(j.dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return j
}

// again makes what follows another attempt of the run, on a fresh runner.
func (j *job) again(t *testing.T) {
	t.Helper()
	next := j.server.World.Identity()
	next.RunAttempt = "2"
	j.server.World.SetIdentity(next)
	if err := os.RemoveAll(filepath.Join(j.dir, "taglast-out")); err != nil {
		t.Fatal(err)
	}
}

// process is one run of the program.
type process struct {
	*exec.Cmd
	stdout, stderr bytes.Buffer
	started        chan struct{} // closed when Process is set
}

// command is `taglast publish`, not yet started.
func (j *job) command(t *testing.T) *process {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p := &process{started: make(chan struct{})}
	p.Cmd = exec.CommandContext(t.Context(), self)
	p.Args = []string{"taglast", "publish", "--signing-config", "signing_config.json", "--trusted-root", "trusted_root.json"}
	p.Dir, p.Stdout, p.Stderr = j.dir, &p.stdout, &p.stderr
	p.WaitDelay = time.Minute
	p.Env = []string{
		"HOME=" + j.dir, "DOCKER_CONFIG=" + j.dir, "GITHUB_EVENT_PATH=" + filepath.Join(j.dir, "event.json"),
		"SYSTEMROOT=" + os.Getenv("SYSTEMROOT"), "GOCOVERDIR=" + os.Getenv("GOCOVERDIR"),
	}
	for name, value := range j.server.World.Env() {
		p.Env = append(p.Env, name+"="+value)
	}
	return p
}

// run starts the process, waits for its end and gives its exit code, -1 where a signal ended it.
func (p *process) run(t *testing.T) int {
	t.Helper()
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	close(p.started)
	var exit *exec.ExitError
	if err := p.Wait(); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return p.ProcessState.ExitCode()
}

// published is the final state, with the registries named alike in every world.
func (j *job) published() []string {
	names := strings.NewReplacer(j.hosts[0], "one", j.hosts[1], "two")
	lines := j.server.World.Published()
	for i, l := range lines {
		lines[i] = names.Replace(l)
	}
	slices.Sort(lines)
	return lines
}

// lawful checks that no tag was refused by the law and every tag that is there names what is attested. It gives the number
// of violations, and of tags.
func (j *job) lawful(t *testing.T) (violations, tags int) {
	t.Helper()
	for _, v := range j.server.World.Violations() {
		violations++
		t.Errorf("the law was broken: %s: %v", v.Tag, v.Err)
	}
	state := j.server.World.State()
	for repo, named := range state.Tags {
		for tag, digest := range named {
			tags++
			if state.Attested[digest] == 0 {
				violations++
				t.Errorf("%s:%s names %s, which is not attested", repo, tag, digest)
			}
		}
	}
	return violations, tags
}

// finishes runs the program again undisturbed: it must end well and in the wanted state.
func (j *job) finishes(t *testing.T, want []string) {
	t.Helper()
	j.again(t)
	p := j.command(t)
	if code := p.run(t); code != 0 {
		t.Errorf("the healthy run after it: exit %d\n%s", code, &p.stderr)
	}
	if got := j.published(); !slices.Equal(got, want) {
		t.Errorf("the healthy run ends in another state:\n got %s\nwant %s", strings.Join(got, "\n     "), strings.Join(want, "\n     "))
	}
}

// report is the report.json that the last run left.
func (j *job) report(t *testing.T) *publish.Report {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(j.dir, "taglast-out", "report.json"))
	if err != nil {
		t.Fatal(err)
	}
	var r publish.Report
	if err := json.Unmarshal(raw, &r); err != nil {
		t.Fatalf("report.json: %v\n%s", err, raw)
	}
	return &r
}

// truthful compares a report's tags with what the registries hold.
func (j *job) truthful(t *testing.T, r *publish.Report) {
	t.Helper()
	state := j.server.World.State()
	there := map[string]string{}
	for repo, tags := range state.Tags {
		for tag, digest := range tags {
			there[repo+":"+tag] = digest
		}
	}
	for _, im := range r.Images {
		for _, tag := range im.Tags {
			got := there[tag.Ref]
			delete(there, tag.Ref)
			switch tag.Action {
			case "created", "moved", "unchanged":
				if got != tag.Digest {
					t.Errorf("%s: the report says %s and %s, the registry %q", tag.Ref, tag.Action, tag.Digest, got)
				}
			case "pending":
				if got != tag.Previous {
					t.Errorf("%s: the report says pending, the registry names %q, before it was %q", tag.Ref, got, tag.Previous)
				}
			case "failed":
			default:
				t.Errorf("%s: unknown action %q", tag.Ref, tag.Action)
			}
		}
	}
	for ref, digest := range there {
		t.Errorf("%s names %s, and the report does not know it", ref, digest)
	}
}
