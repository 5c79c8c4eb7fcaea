package publish_test

import (
	"context"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taglast/taglast/internal/sandbox"
	"github.com/taglast/taglast/internal/sandbox/fault"
	"github.com/taglast/taglast/internal/testkit/golden"
	"github.com/taglast/taglast/pkg/publish"
	"github.com/taglast/taglast/pkg/release"
)

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

// lawCase is what is published, into which world, and who else publishes there.
type lawCase struct {
	name    string
	options sandbox.Options
	text    string
	before  string // released before; empty: nothing
	begun   bool   // an earlier attempt has published it to ghcr.io alone
	rival   string // released by another run, just before the request that goes wrong; empty: nobody
}

func lawCases() []lawCase {
	aliases := sandbox.Options{
		GitHubToken: "ghs_law", Identity: sandbox.Identity{Ref: "refs/heads/main"}, Registries: map[string]sandbox.RegistryOptions{"ghcr.io": {}},
	}
	return []lawCase{
		{name: "two images, two repositories", options: lawOptions(), text: twoByTwo},
		{name: "another attempt finishes", options: lawOptions(), text: oneByTwo, begun: true},
		{name: "SBOMs", options: lawOptions(), text: withSBOMs},
		// A backport whose aliases belong to another run's higher version.
		{name: "aliases and a competing run", options: aliases, text: aliasesOf("1.2.9"), before: aliasesOf("1.2.8"), rival: aliasesOf("1.3.0")},
	}
}

// oneByTwo is a release of one image to two repositories.
const oneByTwo = `
repositories: [ghcr.io/acme/app, docker.io/acme/app]
platforms: [linux/amd64, linux/arm64]
images:
  - name: app
    source: {oci: image}
    tags: ["type=semver,pattern={{version}},value=1.2.3"]
`

// withSBOMs is a release of one image to one repository, each of whose platforms has an SBOM.
const withSBOMs = `
repositories: [ghcr.io/acme/app]
platforms: [linux/amd64, linux/arm64]
images:
  - name: app
    source: {oci: image}
    sbom: {path: "../../pkg/publish/testdata/sbom/{{arch}}.spdx.json"}
    tags: ["type=semver,pattern={{version}},value=1.2.3"]
`

// aliasesOf is a release with aliases to one repository.
func aliasesOf(version string) string {
	return strings.Replace(fmt.Sprintf(aliased, version), ", docker.io/acme/app", "", 1)
}

// scene is the case's world, with what was released before.
func (c lawCase) scene(t *testing.T) *scene {
	t.Helper()
	s := newScene(t, c.text, c.options)
	if c.before != "" {
		s.also(t, c.before)
	}
	if c.begun {
		o := s.options(nil)
		o.Registries, o.OutputDir = []string{"ghcr.io"}, t.TempDir()
		if r, err := publish.Publish(t.Context(), o); err != nil || r.Outcome != publish.Partial {
			t.Errorf("the first attempt: %v: %v", r.Outcome, err)
		}
		s.next()
	}
	return s
}

// also publishes another release into the scene's world, undisturbed.
func (s *scene) also(t *testing.T, text string) {
	t.Helper()
	other := *s
	other.file, other.out = parse(t, text), t.TempDir()
	if r, err := other.publish(t.Context()); err != nil || publish.ExitCode(r, err) != 0 {
		t.Errorf("another run: exit %d: %v", publish.ExitCode(r, err), err)
	}
}

// undisturbed publishes once and gives every request, the state after all who publish have done so, and the digests of
// the release.
func (c lawCase) undisturbed(t *testing.T) (keys []fault.Key, want final, digests []string) {
	synctest.Test(t, func(t *testing.T) {
		s := c.scene(t)
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
		if c.rival != "" {
			s.also(t, c.rival)
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
	var b strings.Builder
	for _, c := range lawCases() {
		keys, want, digests := c.undisturbed(t)
		if t.Failed() {
			t.FailNow()
		}
		var mu sync.Mutex
		runs, violations := map[fault.Kind]int{}, 0
		t.Run(c.name, func(t *testing.T) {
			for _, kind := range fault.Kinds() {
				for n, key := range keys {
					if !kind.Applies(key) || raceDetector && n%3 != 0 {
						continue
					}
					t.Run(fmt.Sprintf("%s/%s", kind, key), func(t *testing.T) {
						t.Parallel()
						n := c.disturbed(t, kind, key, want, digests)
						mu.Lock()
						defer mu.Unlock()
						runs[kind]++
						violations += n
					})
				}
			}
		})
		fmt.Fprintf(&b, "%s\nrequests of an undisturbed run: %d\n", c.name, len(keys))
		total := 0
		for _, kind := range fault.Kinds() {
			fmt.Fprintf(&b, "%-22s %d\n", kind, runs[kind])
			total += runs[kind]
		}
		fmt.Fprintf(&b, "faults injected: %d\nviolations: %d\n\n", total, violations)
	}
	if !raceDetector {
		golden.Compare(t, "testdata/law.golden", b.String())
	}
}

// disturbed runs a release with one fault, checks what it says of itself, and runs it again in health.
func (c lawCase) disturbed(t *testing.T, kind fault.Kind, key fault.Key, want final, digests []string) (violations int) {
	synctest.Test(t, func(t *testing.T) {
		s := c.scene(t)
		if c.rival == "" { // another run's images are not of this release
			s.world.SetRelease(digests...)
		}
		rt := &fault.Transport{Base: s.world, At: key, Kind: kind}
		if c.rival != "" {
			rt.Before = func() { s.also(t, c.rival) }
		}
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Hour)
		defer cancel()
		before := finalOf(s.world.State())
		r, err := publish.Publish(ctx, s.options(rt))
		if !rt.Reached() {
			t.Errorf("%s was never asked", key)
		}
		truthful(t, s, r, err, before, want)
		if c.rival != "" { // its aliases may have been overwritten, which was told
			s.also(t, c.rival)
		}
		s.next()
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

// truthful compares exit code and report with what the registries hold, and held before.
func truthful(t *testing.T, s *scene, r *publish.Report, err error, before, want final) {
	t.Helper()
	state := finalOf(s.world.State())
	ours := map[string]bool{}
	if r != nil {
		for _, im := range r.Images {
			ours[im.Digest] = true
		}
	}
	withoutSBOM := sbomsMissing(s, r)
	written := 0
	for repo, tags := range state.Tags {
		for tag, digest := range tags {
			if before.Tags[repo][tag] != digest && ours[digest] {
				written++
			}
		}
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
			case "created", "moved", "unchanged", "kept":
				if tag.Digest != "" { // an alias that is kept may not be there at all
					reported[tag.Ref] = tag.Digest
				}
			case "failed":
				reported[tag.Ref] = "?"
			}
		}
	}
	for repo, tags := range state.Tags {
		for tag, digest := range tags {
			if got, ok := reported[repo+":"+tag]; ours[digest] && before.Tags[repo][tag] != digest && (!ok || got != digest && got != "?") {
				t.Errorf("%s:%s names %s, the report says %q", repo, tag, digest, got)
			}
			if !state.Attested[digest] {
				t.Errorf("%s:%s names %s, which is not attested", repo, tag, digest)
			}
			if platform := withoutSBOM[digest]; platform != "" {
				t.Errorf("%s:%s names %s, whose %s has no attested SBOM", repo, tag, digest, platform)
			}
		}
	}
	for ref, digest := range reported {
		i := strings.LastIndex(ref, ":")
		got := state.Tags[ref[:i]][ref[i+1:]]
		overwritten := err != nil && ours[digest] && !ours[got] && got != "" && got != before.Tags[ref[:i]][ref[i+1:]]
		if digest != "?" && got != digest && !overwritten { // by another run, after our last look: the run failed and says no more
			t.Errorf("the report says that %s names %s; it names %q", ref, digest, got)
		}
	}
}

// sbomsMissing are the images of a release that asks for SBOMs and has none of some platform, by digest. The provenance is
// about each platform's manifest, too: an SBOM is the second attestation of it.
func sbomsMissing(s *scene, r *publish.Report) map[string]string {
	missing := map[string]string{}
	if r == nil {
		return missing
	}
	attested := s.world.State().Attested
	for i, im := range r.Images {
		if s.file.Images[i].SBOM == (release.SBOM{}) {
			continue
		}
		for _, p := range im.Platforms {
			if attested[p.Digest] < 2 {
				missing[im.Digest] = p.Platform
			}
		}
	}
	return missing
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
