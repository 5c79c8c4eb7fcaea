package publish_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"reflect"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taglast/taglast/internal/sandbox"
	"github.com/taglast/taglast/internal/sandbox/fault"
	"github.com/taglast/taglast/pkg/publish"
)

var update = flag.Bool("update", false, "rewrite golden files")

// final is what "the same state" means: tag → digest, the manifests that tags reach, and that each is attested. What
// nothing names does not count, nor do ids and log entries.
type final struct {
	Tags     map[string]map[string]string
	Attested map[string]bool
}

func finalOf(s sandbox.State) final {
	f := final{Tags: map[string]map[string]string{}, Attested: map[string]bool{}}
	for repo, tags := range s.Tags {
		if len(tags) == 0 {
			continue
		}
		f.Tags[strings.Replace(repo, "index.docker.io", "docker.io", 1)] = tags
		for _, digest := range tags {
			f.Attested[digest] = s.Attested[digest] > 0
		}
	}
	return f
}

// undisturbed publishes once and gives every request, the final state and the digests of the release.
func undisturbed(t *testing.T) (keys []fault.Key, want final, digests []string) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t, twoByTwo, lawOptions())
		watch := &fault.Transport{Base: s.world}
		r, err := publish.Publish(t.Context(), s.options(watch))
		for _, v := range s.world.Violations() {
			t.Errorf("the law was broken: %s: %v", v.Tag, v.Err)
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, im := range r.Images {
			digests = append(digests, im.Digest)
		}
		keys, want = watch.Keys(), finalOf(s.world.State())
		guarded(t, s)
	})
	return keys, want, digests
}

// lawOptions are the world of these tests: one registry asks for a bearer token, as every real one does.
func lawOptions() sandbox.Options {
	return sandbox.Options{GitHubToken: "ghs_law", Registries: map[string]sandbox.RegistryOptions{
		"ghcr.io": {Auth: sandbox.Auth{Scheme: "bearer", Password: "ghs_law"}}, "index.docker.io": {},
	}}
}

// TestLawUnderFaults disturbs each request of a release in each way. The sandbox's registry checks the law at every tag;
// afterwards exit code and report must be true, and a healthy run must end as an undisturbed one does.
func TestLawUnderFaults(t *testing.T) {
	keys, want, digests := undisturbed(t)
	if t.Failed() {
		t.FailNow()
	}
	var mu sync.Mutex
	runs, violations := map[fault.Kind]int{}, 0
	t.Run("faults", func(t *testing.T) {
		for _, kind := range fault.Kinds() {
			for _, key := range keys {
				if !kind.Applies(key) {
					continue
				}
				t.Run(fmt.Sprintf("%s/%s", kind, key), func(t *testing.T) {
					t.Parallel()
					n := disturbed(t, kind, key, want, digests)
					mu.Lock()
					defer mu.Unlock()
					runs[kind]++
					violations += n
				})
			}
		}
	})
	var b strings.Builder
	fmt.Fprintf(&b, "requests of an undisturbed run: %d\n", len(keys))
	total := 0
	for _, kind := range fault.Kinds() {
		fmt.Fprintf(&b, "%-22s %d\n", kind, runs[kind])
		total += runs[kind]
	}
	fmt.Fprintf(&b, "faults injected: %d\nviolations: %d\n", total, violations)
	golden(t, "testdata/law.golden", b.String())
}

// disturbed runs a release with one fault, checks what it says of itself, and runs it again in health.
func disturbed(t *testing.T, kind fault.Kind, key fault.Key, want final, digests []string) (violations int) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t, twoByTwo, lawOptions())
		s.world.SetRelease(digests...)
		rt := &fault.Transport{Base: s.world, At: key, Kind: kind}
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Hour)
		defer cancel()
		r, err := publish.Publish(ctx, s.options(rt))
		if !rt.Hit() {
			t.Errorf("%s was never asked", key)
		}
		truthful(t, s, r, err, want)
		next := s.world.Identity()
		next.RunAttempt = "2"
		s.world.SetIdentity(next)
		if r, err := s.publish(ctx); err != nil || publish.ExitCode(r, err) != 0 {
			t.Errorf("the healthy run after it: exit %d: %v", publish.ExitCode(r, err), err)
		}
		if got := finalOf(s.world.State()); !reflect.DeepEqual(got, want) {
			t.Errorf("the healthy run ends in another state:\n got %v\nwant %v", got, want)
		}
		for _, v := range s.world.Violations() {
			violations++
			t.Errorf("the law was broken: %s: %v", v.Tag, v.Err)
		}
	})
	return violations
}

// truthful compares exit code and report with what the registries hold.
func truthful(t *testing.T, s *scene, r *publish.Report, err error, want final) {
	t.Helper()
	state := finalOf(s.world.State())
	written := 0
	for _, tags := range state.Tags {
		written += len(tags)
	}
	switch code := publish.ExitCode(r, err); {
	case code == 0 && !reflect.DeepEqual(state, want):
		t.Errorf("exit 0, but the state is %v", state)
	case code == 1 && written > 0:
		t.Errorf("exit 1 (%v), but %d tags are there: %v", err, written, state.Tags)
	case code == 2:
		t.Errorf("exit 2: %v", err)
	case (code == 0) != (err == nil):
		t.Errorf("exit %d with error %v", code, err)
	}
	if r == nil {
		t.Fatalf("no report: %v", err)
	}
	if (r.Error == nil) != (err == nil) {
		t.Errorf("the report's error is %v, the run's %v", r.Error, err)
	}
	reported := map[string]string{}
	for _, im := range r.Images {
		for _, tag := range im.Tags {
			switch tag.Action {
			case "created", "moved", "unchanged":
				reported[tag.Ref] = tag.Digest
			case "failed":
				reported[tag.Ref] = "?"
			}
		}
	}
	for repo, tags := range state.Tags {
		for tag, digest := range tags {
			if got, ok := reported[repo+":"+tag]; !ok || got != digest && got != "?" {
				t.Errorf("%s:%s names %s, the report says %q", repo, tag, digest, got)
			}
			if !state.Attested[digest] {
				t.Errorf("%s:%s names %s, which is not attested", repo, tag, digest)
			}
		}
	}
	for ref, digest := range reported {
		i := strings.LastIndex(ref, ":")
		if got := state.Tags[ref[:i]][ref[i+1:]]; digest != "?" && got != digest {
			t.Errorf("the report says that %s names %s; it names %q", ref, digest, got)
		}
	}
}

// guarded tries to write a tag past the stages, with nothing but a registry client: the guard must refuse it before
// anything leaves.
func guarded(t *testing.T, s *scene) {
	t.Helper()
	before := len(s.world.Requests())
	if err := tagWithoutPermit(t, s); err == nil {
		t.Error("a tag was written without a permit: the guard is gone")
	}
	for _, r := range s.world.Requests()[before:] {
		if r.Method == "PUT" && strings.Contains(r.Path, "/manifests/") {
			t.Errorf("%s %s left without a permit: the guard is gone", r.Method, r.Path)
		}
	}
}

func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if strings.ReplaceAll(string(want), "\r\n", "\n") != got {
		t.Errorf("%s differs (-update rewrites it):\n%s", path, got)
	}
}
