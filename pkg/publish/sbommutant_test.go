//go:build mutant_nosbom

package publish_test

import (
	"strings"
	"testing"

	"github.com/taglast/taglast/internal/sandbox"
	"github.com/taglast/taglast/pkg/publish"
)

// TestTheBarrierStopsAReleaseWithoutItsSBOMs: of the mutant that forgets them no tag is written.
func TestTheBarrierStopsAReleaseWithoutItsSBOMs(t *testing.T) {
	s := newScene(t, oneByTwo, sandbox.Options{})
	s.fromBuild(t, bothPlatforms())
	r, err := s.publish(t.Context())
	if publish.ExitCode(r, err) != 1 || r.Error.Stage != "verify" || !strings.Contains(r.Error.Message, "image app has no attested SBOM of sha256:") {
		t.Errorf("exit %d: %v", publish.ExitCode(r, err), err)
	}
	for repo, tags := range s.world.State().Tags {
		if len(tags) > 0 {
			t.Errorf("%s has tags: %v", repo, tags)
		}
	}
}
