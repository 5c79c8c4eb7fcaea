package publish_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/taglast/taglast/internal/sandbox"
	"github.com/taglast/taglast/pkg/publish"
)

// subjectNames are the names in the statement of a bundle in the output directory.
func subjectNames(t *testing.T, s *scene, bundle string) []string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(s.out, "taglast-out", bundle))
	if err != nil {
		t.Fatal(err)
	}
	var b struct {
		DsseEnvelope struct{ Payload string }
	}
	if err := json.Unmarshal(raw, &b); err != nil {
		t.Fatal(err)
	}
	payload, err := base64.StdEncoding.DecodeString(b.DsseEnvelope.Payload)
	if err != nil {
		t.Fatal(err)
	}
	var statement struct{ Subject []struct{ Name string } }
	if err := json.Unmarshal(payload, &statement); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, sub := range statement.Subject {
		names = append(names, sub.Name)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// TestARegistryIsLeftOutAndMadeUpFor: the one that is left out is not asked anything, its tags are pending, and the
// whole command later brings them without a new signature.
func TestARegistryIsLeftOutAndMadeUpFor(t *testing.T) {
	for _, selected := range []string{"ghcr.io", "docker.io", "index.docker.io"} {
		t.Run(selected, func(t *testing.T) {
			s := newScene(t, twoByTwo, sandbox.Options{})
			r, requests := must(t, s, func(o *publish.Options) { o.Registries = []string{selected} })
			if r.Outcome != publish.Partial || publish.ExitCode(r, nil) != 3 {
				t.Errorf("outcome %s, exit %d", r.Outcome, publish.ExitCode(r, nil))
			}
			onGHCR := selected == "ghcr.io"
			for _, q := range requests {
				if q.Host == "ghcr.io" && !onGHCR || q.Host == "index.docker.io" && onGHCR {
					t.Errorf("asked %s %s%s", q.Method, q.Host, q.Path)
				}
			}
			for _, im := range r.Images {
				for _, tag := range im.Tags {
					want := "pending"
					if strings.HasPrefix(tag.Ref, "ghcr.io/") == onGHCR {
						want = "created"
					}
					if tag.Action != want || (want == "pending") != (tag.Reason != "") {
						t.Errorf("%s: %s (%s), want %s", tag.Ref, tag.Action, tag.Reason, want)
					}
				}
				if names := subjectNames(t, s, im.Attestations[0].Bundle); !slices.Equal(names, []string{"docker.io/acme/app", "ghcr.io/acme/app"}) {
					t.Errorf("subjects are %v", names)
				}
			}
			s.next()
			r, requests = must(t, s, nil)
			if publish.ExitCode(r, nil) != 0 || len(tagLines(s.world.State())) != 10 {
				t.Errorf("exit %d, %v", publish.ExitCode(r, nil), tagLines(s.world.State()))
			}
			if certificates, stored := posts(requests); certificates+stored > 0 {
				t.Errorf("the whole command bought %d certificates and stored %d attestations", certificates, stored)
			}
		})
	}
}

func TestOnlyTheSelectedImagesArePublished(t *testing.T) {
	s := newScene(t, twoByTwo, sandbox.Options{})
	r, _ := must(t, s, func(o *publish.Options) { o.Only = []string{"cli"} })
	if len(r.Images) != 1 || r.Images[0].Name != "cli" || r.Outcome != publish.Published {
		t.Errorf("%s, %d images", r.Outcome, len(r.Images))
	}
	if got := len(tagLines(s.world.State())); got != 4 {
		t.Errorf("%d tags: %v", got, tagLines(s.world.State()))
	}
}

func TestWithoutTagsAnImageIsPublishedByDigest(t *testing.T) {
	s := newScene(t, "repositories: [ghcr.io/acme/app]\ntags: []\nimages: [{name: app, source: {oci: image}}]", sandbox.Options{})
	r, _ := must(t, s, nil)
	state := s.world.State()
	if r.Outcome != publish.Published || len(tagLines(state)) != 0 || len(r.Images[0].Tags) != 0 {
		t.Errorf("%s, %v", r.Outcome, tagLines(state))
	}
	if digest := r.Images[0].Digest; state.Attested[digest] == 0 || !slices.Contains(state.Manifests["ghcr.io/acme/app"], digest) {
		t.Errorf("%s is not there, or not attested", digest)
	}
	if want := "gh attestation verify oci://ghcr.io/acme/app@" + r.Images[0].Digest + " --repo acme/app"; r.Images[0].Verify != want {
		t.Errorf("%s\nwant %s", r.Images[0].Verify, want)
	}
}

// onMain has an image with a tag on a push to a branch, and one whose only rule needs a version.
const onMain = `
repositories: [ghcr.io/acme/app]
images:
  - name: app
    source: {oci: image}
    tags: [edge]
  - name: cli
    source: {oci: image}
    annotations: {org.opencontainers.image.title: cli}
    tags: ["type=semver,pattern={{version}},suffix=-cli"]
`

func TestAnImageWithoutATagOnThisEvent(t *testing.T) {
	main := sandbox.Options{Identity: sandbox.Identity{Ref: "refs/heads/main"}}
	t.Run("fails the run before anything is sent", func(t *testing.T) {
		s := newScene(t, onMain, main)
		r, err := s.publish(t.Context())
		if publish.ExitCode(r, err) != 1 || !strings.Contains(r.Error.Message, "image cli: no rule gives a tag on push of refs/heads/main") || r.Error.Hint == "" {
			t.Errorf("exit %d, %+v", publish.ExitCode(r, err), r.Error)
		}
		if got := s.world.Requests(); len(got) > 0 {
			t.Errorf("asked %v", got)
		}
	})
	t.Run("is skipped where the file says so", func(t *testing.T) {
		s := newScene(t, onMain+"    if-no-tags: skip\n", main)
		r, _ := must(t, s, nil)
		if r.Outcome != publish.Published || r.Images[0].Skipped || !r.Images[1].Skipped || r.Images[1].Reason == "" {
			t.Errorf("%s: %+v", r.Outcome, r.Images[1])
		}
		if got := tagLines(s.world.State()); len(got) != 1 || !strings.HasPrefix(got[0], "ghcr.io/acme/app:edge ") {
			t.Errorf("tags %v", got)
		}
		if r.Images[1].Digest != "" || len(s.world.State().Manifests["ghcr.io/acme/app"]) != 3 {
			t.Errorf("something of it was made: %s, %v", r.Images[1].Digest, s.world.State().Manifests)
		}
	})
	t.Run("nothing is made where every image is skipped", func(t *testing.T) {
		only := strings.Replace(onMain, "[edge]", "[\"type=semver,pattern={{version}}\"]", 1)
		if only == onMain {
			t.Fatal("the release has no image that always has a tag")
		}
		s := newScene(t, "if-no-tags: skip\n"+only, main)
		r, err := s.publish(t.Context())
		if publish.ExitCode(r, err) != 0 || len(s.world.State().Manifests) != 0 {
			t.Errorf("exit %d, %v, %v", publish.ExitCode(r, err), err, s.world.State().Manifests)
		}
	})
	t.Run("has one with a release-version", func(t *testing.T) {
		s := newScene(t, "release-version: 2.0.1\n"+onMain, main)
		r, _ := must(t, s, nil)
		if r.Version != "2.0.1" || finalOf(s.world.State()).Tags["ghcr.io/acme/app"]["2.0.1-cli"] != r.Images[1].Digest {
			t.Errorf("version %s, tags %v", r.Version, tagLines(s.world.State()))
		}
	})
	t.Run("a release-version that the git tag contradicts is refused", func(t *testing.T) {
		s := newScene(t, "release-version: 2.0.1\n"+onMain, sandbox.Options{}) // refs/tags/v1.2.3
		r, err := s.publish(t.Context())
		if publish.ExitCode(r, err) != 2 || !strings.Contains(err.Error(), "2.0.1") || !strings.Contains(err.Error(), "1.2.3") {
			t.Errorf("exit %d: %v", publish.ExitCode(r, err), err)
		}
	})
}

func TestASelectionThatNamesNothingIsWrongUsage(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*publish.Options)
		want   string
	}{
		"an image": {func(o *publish.Options) { o.Only = []string{"app", "ctl"} }, "--only ctl: the release has no such image; it has app, cli"},
		"a registry": {
			func(o *publish.Options) { o.Registries = []string{"ghcr.io", "quay.io"} },
			"--registry quay.io: no repository of the release is there",
		},
		"a store": {func(o *publish.Options) { o.Stores = []string{"disk"} }, "--store disk: "},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t, twoByTwo, sandbox.Options{})
			o := s.options(nil)
			c.change(&o)
			r, err := publish.Publish(t.Context(), o)
			if publish.ExitCode(r, err) != 2 || !strings.Contains(err.Error(), c.want) {
				t.Errorf("exit %d: %v", publish.ExitCode(r, err), err)
			}
			for _, q := range s.world.Requests() {
				if q.Method != http.MethodGet && q.Method != http.MethodHead {
					t.Errorf("sent %s %s%s", q.Method, q.Host, q.Path)
				}
			}
		})
	}
}
