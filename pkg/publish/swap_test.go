package publish_test

import (
	"strings"
	"testing"

	"github.com/taglast/taglast/internal/sandbox"
	"github.com/taglast/taglast/pkg/publish"
)

// TestAnotherImageOfTheReleaseIsNotAdopted has somebody put one image's published version on the other's fixed tag,
// between two attempts. This run has attested it, but under the other name: nothing may spread it or sign it as this one.
func TestAnotherImageOfTheReleaseIsNotAdopted(t *testing.T) {
	const text = `
tags: ["type=semver,pattern={{version}},value=1.2.3"]
images:
  - {name: app, repositories: [ghcr.io/acme/app, docker.io/acme/app], source: {oci: image}}
  - {name: debug, repositories: [ghcr.io/acme/debug], annotations: {org.opencontainers.image.title: debug}, source: {oci: image}}
`
	s := newScene(t, text, sandbox.Options{})
	first, _ := must(t, s, func(o *publish.Options) { o.Only = []string{"debug"} })
	debug := first.Images[0].Digest
	raw, mediaType := fetchFrom(t, s.world, "ghcr.io/acme/debug", debug)
	seedQuickstart(t, s.world, "ghcr.io", "acme/app", "")
	if _, err := s.world.SeedManifest("ghcr.io", "acme/app", "1.2.3", mediaType, raw); err != nil {
		t.Fatal(err)
	}
	s.next()
	before := s.world.Published()
	r, err := publish.Publish(t.Context(), s.options(nil))
	if publish.ExitCode(r, err) != 1 || r.Error == nil || !strings.Contains(r.Error.Message, "ghcr.io/acme/app:1.2.3 exists with another digest") {
		t.Errorf("exit %d, %+v", publish.ExitCode(r, err), r.Error)
	}
	if after := s.world.Published(); len(after) != len(before) {
		t.Errorf("published %v, before %v", after, before)
	}
}
