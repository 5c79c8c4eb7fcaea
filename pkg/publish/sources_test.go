package publish_test

import (
	"strings"
	"testing"

	"github.com/taglast/taglast/internal/sandbox"
	"github.com/taglast/taglast/pkg/publish"
)

// TestABadSourceOfOneImageSendsNothingOfAnother: images go through the stages side by side, but what can be told of a
// source without a network is told before the first is sent.
func TestABadSourceOfOneImageSendsNothingOfAnother(t *testing.T) {
	s := newScene(t, `
repositories: [ghcr.io/acme/app]
images:
  - {name: app, source: {oci: image}, tags: [1.2.3]}
  - {name: cli, source: {digests: missing}, tags: [1.2.3-cli]}
`, sandbox.Options{})
	r, err := s.publish(t.Context())
	if publish.ExitCode(r, err) != 1 || r.Error.Stage != "plan" || r.Error.Image != "cli" || !strings.Contains(r.Error.Message, "missing: file does not exist") {
		t.Fatalf("exit %d: %+v", publish.ExitCode(r, err), r.Error)
	}
	if sent := withoutProbes(writes(s.world.Requests())); len(sent) > 0 {
		t.Errorf("sent %v", sent)
	}
}
