//go:build e2e

package e2e

import (
	"bytes"
	"fmt"
	"net/http"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// One commit gives one digest where the Dockerfile allows it: files and folders get the time of the commit. Where a step
// writes the time, it does not, which shows that the two builds are two.
func TestTheSameCommitGivesTheSameDigest(t *testing.T) {
	for _, c := range []struct {
		name, step string
		same       bool
	}{
		{"COPY and WORKDIR", "COPY hello.txt hello.txt", true},
		{"RUN that writes the same", `RUN ["/step","write","/srv/app/text","the same"]`, true},
		{"RUN that writes the time", `RUN ["/step","time","/srv/app/time"]`, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, b := builders(t)
			pushBases(t)
			var digests []string
			mark := s.gateway.mark()
			for range 2 {
				b.prune(t)            // no-cache alone leaves WORKDIR in it
				if len(digests) > 0 { // into another second: files have no finer times in a layer
					time.Sleep(time.Until(time.Now().Truncate(time.Second).Add(time.Second)))
				}
				dir := t.TempDir()
				writeFiles(t, dir, map[string]string{
					"Dockerfile": "FROM step:1\nWORKDIR /srv/app\n" + c.step + "\n", "hello.txt": "hello\n",
					"taglast.yaml": fmt.Sprintf("repositories: [ghcr.io/acme/same]\nplatforms: [%s]\ntags: [1.2.3]\n"+
						"images:\n  - {name: app, source: {dockerfile: Dockerfile, no-cache: true}}\n", hostPlatform),
				})
				out := s.taglast(t, dir, append(release().environ(t, s), b.environ...), "publish", "--dry-run", "--format", "json")
				if out.code != 0 {
					t.Fatalf("publish --dry-run: %s", out)
				}
				r := readReport(t, filepath.Join(dir, "taglast-out", "report.json"))
				digests = append(digests, r.Images[0].Digest)
			}
			for _, e := range s.gateway.since(mark) {
				if e.writes() {
					t.Errorf("a dry run wrote: %s", e)
				}
			}
			if digests[0] == "" || (digests[0] == digests[1]) != c.same {
				t.Errorf("the digests are %v, want the same: %v", digests, c.same)
			}
		})
	}
}

// What a build keeps in a registry, a builder that has built nothing takes from there.
func TestACacheInARegistryServesAnotherBuilder(t *testing.T) {
	s, b := builders(t)
	pushBases(t)
	repository := "acme/" + secret("cached-")
	loopback := "127.0.0.1:" + s.ports.distribution + "/" + repository
	cache := loopback + "-cache:build"
	build := func(b *builder, version string) (progress, written string) {
		dir := t.TempDir()
		writeFiles(t, dir, map[string]string{
			"Dockerfile": "FROM step:1\n" + `RUN ["/step","time","/time"]` + "\nCOPY hello.txt /\n", "hello.txt": "hello\n",
			"taglast.yaml": fmt.Sprintf("repositories: [ghcr.io/%s]\nplatforms: [%s]\ntags: [%s]\nimages:\n  - name: app\n    source:\n"+
				"      dockerfile: Dockerfile\n      cache-from: [\"type=registry,ref=%s\"]\n      cache-to: [\"type=registry,ref=%[4]s,mode=max\"]\n",
				repository, hostPlatform, version, cache),
		})
		out, _ := s.publishIn(t, append(s.stepEnviron(t, release()), b.environ...), dir)
		if out.code != 0 {
			t.Fatalf("publish: %s", out)
		}
		return out.stderr, contents(t, built(t, loopback+":"+version, hostPlatform))["time"]
	}
	progress, first := build(b, "1.2.3")
	if steps := cachedSteps(progress); len(steps) > 0 || first == "" {
		t.Fatalf("the first build wrote the time %q and took %q from a cache:\n%s", first, steps, progress)
	}
	if digest, _ := resolve(t, cache); digest == "" {
		t.Fatal("no cache was kept")
	}
	progress, second := build(s.freshBuilder(t), "1.2.4")
	if second != first {
		t.Errorf("the step ran again: it wrote %s, and %s", first, second)
	}
	if steps := cachedSteps(progress); !slices.Contains(steps, `RUN ["/step","time","/time"]`) {
		t.Errorf("the second build took %q from the cache, and not RUN:\n%s", steps, progress)
	}
}

// A second build of this Dockerfile gives other bytes. A release that died after half of its tags is finished on another
// machine all the same: with what the first one tagged.
func TestAReleaseThatDiedIsFinishedWithWhatItTagged(t *testing.T) {
	const host = "half.example.com"
	s, b := builders(t)
	pushBases(t)
	j, dir := release(), t.TempDir()
	path := "acme/" + secret("half-")
	writeFiles(t, dir, map[string]string{
		"Dockerfile": "FROM step:1\n" + `RUN ["/step","time","/time"]` + "\n",
		"taglast.yaml": fmt.Sprintf(`repositories: [%s/%s]
platforms: [%s]
tags:
  - type=semver,pattern={{version}}
  - type=sha,format=short
  - type=semver,pattern={{major}}.{{minor}}
  - latest
images:
  - {name: app, source: {dockerfile: Dockerfile}}
`, host, path, hostPlatform),
	})
	loopback := "127.0.0.1:" + s.ports.distribution + "/" + path
	kill := newTripwire(forward(s.ports.distribution), 2)
	s.gateway.route(host, kill)
	if ended := kill.run(t, s, dir, append(append(s.stepEnviron(t, j), b.environ...), "TMPDIR="+t.TempDir())); ended == nil {
		t.Fatal("the first attempt was not killed")
	}
	first, _ := resolve(t, loopback+":1.2.3")
	if first == "" {
		t.Fatalf("1.2.3 is not there after %q", kill.written())
	}

	s.gateway.route(host, forward(s.ports.distribution))
	j.RunAttempt = "2"
	fresh := s.freshBuilder(t)
	out, r := s.publishIn(t, append(s.stepEnviron(t, j), fresh.environ...), dir)
	if out.code != 0 || r.Outcome != "published" || len(r.Images) != 1 {
		t.Fatalf("second attempt: %s", out)
	}
	if one := r.Images[0]; one.Digest != first || !one.Adopted {
		t.Errorf("the first attempt tagged %s, the second %s (adopted: %v)", first, one.Digest, one.Adopted)
	}
	for _, tag := range []string{"1.2.3", "sha-" + j.SHA[:7], "1.2", "latest"} {
		if digest, _ := resolve(t, loopback+":"+tag); digest != first {
			t.Errorf("%s is %q, not %s", tag, digest, first)
		}
	}
	if gh := s.gh(t, "oci://"+host+"/"+path+":latest", "-R", j.Repository); gh.code != 0 {
		t.Errorf("gh: %s", gh)
	}
	// Built again, it is another one, which 1.2.3 must not become: so there was something to adopt.
	if again := s.taglast(t, dir, append(j.environ(t, s), fresh.environ...), "publish", "--dry-run", "--rebuild", "--output-dir", t.TempDir()); again.code == 0 {
		t.Errorf("a second build gives the same bytes: %s", again)
	}
}

// A tripwire passes requests on to a registry until so many tags are written; at the next one it kills the program that
// writes it, unanswered.
type tripwire struct {
	registry http.Handler
	passes   int

	mu   sync.Mutex
	tags []string
	kill func()
}

func newTripwire(registry http.Handler, passes int) *tripwire {
	return &tripwire{registry: registry, passes: passes}
}

func (w *tripwire) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPut && tagPut.MatchString(r.URL.Path) {
		w.mu.Lock()
		if len(w.tags) == w.passes {
			w.kill()
			w.mu.Unlock()
			panic(http.ErrAbortHandler)
		}
		w.tags = append(w.tags, r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:])
		w.mu.Unlock()
	}
	w.registry.ServeHTTP(rw, r)
}

// written are the tags that were passed on.
func (w *tripwire) written() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.tags)
}

// run publishes the release of a folder until the tripwire ends it; nil means that it was not.
func (w *tripwire) run(t *testing.T, s *stack, dir string, environ []string) error {
	t.Helper()
	file, err := program()
	if err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	cmd := exec.CommandContext(t.Context(), file, s.publishArguments()...)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = dir, environ, &said, &said
	w.mu.Lock()
	w.kill = func() { _ = cmd.Process.Kill() }
	w.mu.Unlock()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	err = cmd.Wait()
	if cmd.ProcessState.ExitCode() >= 0 {
		t.Fatalf("publish ended by itself after the tags %q: %v\n%s", w.written(), err, said.String())
	}
	return err
}
