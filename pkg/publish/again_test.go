package publish_test

import (
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/taglast/taglast/internal/bundle"
	"github.com/taglast/taglast/internal/sandbox"
	"github.com/taglast/taglast/pkg/publish"
	"github.com/taglast/taglast/pkg/release"
	"github.com/taglast/taglast/pkg/tagrule"
)

// titled is a release of one image whose title is part of its bytes: with another title it is another build of the same
// commit, as a Dockerfile gives.
func titled(title string, repositories ...string) string {
	return `
repositories: [` + strings.Join(repositories, ", ") + `]
annotations: {org.opencontainers.image.title: ` + title + `}
tags: ["type=semver,pattern={{version}},value=1.2.3", "type=semver,pattern={{major}}.{{minor}},value=1.2.3"]
images: [{name: app, source: {oci: image}}]
`
}

// posts are how many certificates were bought and attestations stored.
func posts(requests []sandbox.Request) (certificates, stored int) {
	for _, r := range requests {
		switch {
		case r.Method == http.MethodPost && strings.HasSuffix(r.Path, "/signingCert"):
			certificates++
		case r.Method == http.MethodPost && strings.HasSuffix(r.Path, "/attestations") && r.Status == http.StatusCreated:
			stored++
		}
	}
	return certificates, stored
}

// lawful fails for every tag that the law refused.
func lawful(t *testing.T, s *scene) {
	t.Helper()
	for _, v := range s.world.Violations() {
		t.Errorf("the law was broken: %s: %v", v.Tag, v.Err)
	}
}

// must publish; it gives the report and the requests of this run alone.
func must(t *testing.T, s *scene, change func(*publish.Options)) (*publish.Report, []sandbox.Request) {
	t.Helper()
	seen := len(s.world.Requests())
	o := s.options(nil)
	if change != nil {
		change(&o)
	}
	r, err := publish.Publish(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	lawful(t, s)
	return r, s.world.Requests()[seen:]
}

// next is another attempt of the same run.
func (s *scene) next() {
	i := s.world.Identity()
	i.RunAttempt += "0"
	s.world.SetIdentity(i)
}

func TestAFixedTagIsAdopted(t *testing.T) {
	const ghcr, hub = "ghcr.io/acme/app", "docker.io/acme/app"
	for _, c := range []struct {
		name   string
		first  []string // repositories
		only   []string // --registry of the first run
		second []string
		signs  int
	}{
		{"where it was published", []string{ghcr}, nil, []string{ghcr}, 0},
		{"and copied to a repository that was left out", []string{ghcr, hub}, []string{"ghcr.io"}, []string{ghcr, hub}, 0},
		{"and found in the second repository", []string{ghcr, hub}, []string{"docker.io"}, []string{ghcr, hub}, 0},
		{"and signed once more for a repository that is new", []string{ghcr}, nil, []string{ghcr, hub}, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newScene(t, titled("one", c.first...), sandbox.Options{})
			first, _ := must(t, s, func(o *publish.Options) { o.Registries = c.only })
			s.file = parse(t, titled("two", c.second...))
			s.file.Images[0].Tags = append(s.file.Images[0].Tags, rule(t, "edge"))
			s.next()
			second, requests := must(t, s, nil)
			im := second.Images[0]
			if !im.Adopted || im.Digest != first.Images[0].Digest || im.Attestations[0].Reused != (c.signs == 0) {
				t.Errorf("adopted %v, %s, reused %v; the first run made %s", im.Adopted, im.Digest, im.Attestations[0].Reused, first.Images[0].Digest)
			}
			if certificates, stored := posts(requests); certificates != c.signs || stored != c.signs {
				t.Errorf("%d certificates, %d stored, want %d", certificates, stored, c.signs)
			}
			state := finalOf(s.world.State())
			for _, repo := range c.second {
				for _, tag := range []string{"1.2.3", "1.2", "edge"} {
					if got := state.Tags[repo][tag]; got != im.Digest {
						t.Errorf("%s:%s names %q", repo, tag, got)
					}
				}
			}
		})
	}
}

func TestAnAdoptedImageHasThePlatformsOfTheFile(t *testing.T) {
	s := newScene(t, titled("one", "ghcr.io/acme/app"), sandbox.Options{})
	must(t, s, nil)
	s.file.Images[0].Platforms = append(s.file.Images[0].Platforms, release.Platform{OS: "linux", Architecture: "s390x"})
	s.next()
	r, err := s.publish(t.Context())
	if publish.ExitCode(r, err) != 1 || !strings.Contains(err.Error(), "ghcr.io/acme/app:1.2.3: what was published there has no linux/s390x") {
		t.Errorf("exit %d: %v", publish.ExitCode(r, err), err)
	}
}

// TestAPublishedVersionIsNotOverwritten has a fixed tag that may not be adopted: the error says what is there.
func TestAPublishedVersionIsNotOverwritten(t *testing.T) {
	for _, c := range []struct {
		name    string
		before  func(*sandbox.Identity) // who published what is there; nil: nobody that is known
		rebuild bool
		there   string
		signer  string // the reusable workflow that both call; empty: none
	}{
		{"with --rebuild", func(*sandbox.Identity) {}, true, "attested by acme/app release.yml at aaaaaaa, ", ""},
		{"of another commit", func(i *sandbox.Identity) { i.SHA = strings.Repeat("b", 40) }, false, "attested by acme/app release.yml at bbbbbbb, ", ""},
		{"of another ref", func(i *sandbox.Identity) { i.Ref = "refs/heads/main" }, false, "attested by acme/app release.yml at aaaaaaa, ", ""},
		{"of another workflow", func(i *sandbox.Identity) {
			i.WorkflowRef = "acme/app/.github/workflows/nightly.yml@refs/tags/v1.2.3"
		}, false, "attested by acme/app nightly.yml at aaaaaaa, ", ""},
		{"that nobody attested", nil, false, "not attested by acme/app", ""},
		{
			"by a reusable workflow of another repository", func(i *sandbox.Identity) { i.SHA = strings.Repeat("b", 40) }, false,
			"attested by acme/app release.yml at bbbbbbb, ", "acme/workflows/.github/workflows/publish.yml@refs/heads/main",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newScene(t, titled("one", "docker.io/acme/app", "ghcr.io/acme/app"), sandbox.Options{})
			if c.signer != "" {
				s.world.SetIdentity(sandbox.Identity{JobWorkflowRef: c.signer})
			}
			us := s.world.Identity()
			there, host := "", "ghcr.io"
			if c.before != nil {
				them := sandbox.Identity{RunID: "11593512252", JobWorkflowRef: c.signer}
				c.before(&them)
				s.world.SetIdentity(them)
				r, _ := must(t, s, nil)
				there, host = r.Images[0].Digest, "docker.io"
			} else {
				var err error
				raw := `{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}`
				if there, err = s.world.SeedManifest("ghcr.io", "acme/app", "1.2.3", "application/vnd.oci.image.index.v1+json", []byte(raw)); err != nil {
					t.Fatal(err)
				}
			}
			s.world.SetIdentity(us)
			s.file = parse(t, titled("two", "docker.io/acme/app", "ghcr.io/acme/app"))
			before, seen := s.world.Published(), len(s.world.Requests())
			o := s.options(nil)
			o.Rebuild = c.rebuild
			r, err := publish.Publish(t.Context(), o)
			if publish.ExitCode(r, err) != 1 || r.Error == nil || r.Error.Ref != host+"/acme/app:1.2.3" {
				t.Fatalf("exit %d, %+v", publish.ExitCode(r, err), r.Error)
			}
			for _, want := range []string{
				host + "/acme/app:1.2.3 exists with another digest",
				"there  " + there + "  " + c.there,
				"here   sha256:",
				"  built from aaaaaaa",
			} {
				if !strings.Contains(r.Error.Message, want) {
					t.Errorf("the message lacks %q:\n%s", want, r.Error.Message)
				}
			}
			if c.before != nil && !strings.Contains(r.Error.Message, ", run 11593512252") {
				t.Errorf("the run is not named:\n%s", r.Error.Message)
			}
			if want := "source: {image: " + host + "/acme/app@" + there + "}"; !strings.Contains(r.Error.Hint, want) {
				t.Errorf("the hint lacks %q:\n%s", want, r.Error.Hint)
			}
			if got := withoutProbes(writes(s.world.Requests()[seen:])); len(got) > 0 {
				t.Errorf("sent %v", got)
			}
			if after := s.world.Published(); !slices.Equal(before, after) {
				t.Errorf("the state changed:\n%v\n%v", before, after)
			}
		})
	}
}

// TestAnAttestationIsReusedByWhoCouldHaveMadeIt publishes by digest alone, twice, the second time as somebody else.
func TestAnAttestationIsReusedByWhoCouldHaveMadeIt(t *testing.T) {
	// The annotations that tell of the commit would make it another image.
	const text = "repositories: [ghcr.io/acme/app]\ntags: []\nimages: [{name: app, source: {oci: image}}]\n" +
		"annotations: {org.opencontainers.image.revision: \"\", org.opencontainers.image.created: \"\"}"
	for _, c := range []struct {
		name   string
		change func(*sandbox.Identity)
		reused bool
	}{
		{"another attempt", func(i *sandbox.Identity) { i.RunAttempt = "2" }, true},
		{"another run", func(i *sandbox.Identity) { i.RunID, i.RunNumber = "4004", "2" }, true},
		{"another event", func(i *sandbox.Identity) { i.EventName = "workflow_dispatch" }, true},
		{"another commit", func(i *sandbox.Identity) { i.SHA = strings.Repeat("b", 40) }, false},
		{"another ref", func(i *sandbox.Identity) { i.Ref = "refs/heads/main" }, false},
		{"another workflow", func(i *sandbox.Identity) {
			i.WorkflowRef = "acme/app/.github/workflows/nightly.yml@refs/tags/v1.2.3"
		}, false},
		{"another runner environment", func(i *sandbox.Identity) { i.RunnerEnvironment = "self-hosted" }, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newScene(t, text, sandbox.Options{})
			first, _ := must(t, s, nil)
			var i sandbox.Identity
			c.change(&i)
			s.world.SetIdentity(i)
			s.out = t.TempDir() // a new runner
			second, requests := must(t, s, nil)
			a := second.Images[0].Attestations[0]
			if a.Reused != c.reused || second.Images[0].Digest != first.Images[0].Digest {
				t.Errorf("reused %v, %s", a.Reused, second.Images[0].Digest)
			}
			want := 1
			if c.reused {
				want = 0
				if a.Run != first.Images[0].Attestations[0].Run {
					t.Errorf("run %s, want the first one's", a.Run)
				}
			}
			if certificates, stored := posts(requests); certificates != want || stored != want {
				t.Errorf("%d certificates, %d stored", certificates, stored)
			}
			raw, err := os.ReadFile(filepath.Join(s.out, "taglast-out", a.Bundle))
			if err != nil {
				t.Fatal(err)
			}
			if b, err := bundle.Parse(raw); err != nil || !b.HasSubject(second.Images[0].Digest) {
				t.Errorf("the bundle on disk is of another digest: %v", err)
			}
		})
	}
}

// rule is a tag rule as a release file has it.
func rule(t *testing.T, line string) tagrule.Rule {
	t.Helper()
	r, err := tagrule.Parse(line)
	if err != nil {
		t.Fatal(err)
	}
	return r
}
