package publish_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/taglast/taglast/internal/sandbox"
	"github.com/taglast/taglast/pkg/publish"
)

// TestAnotherRunIsDetected lets a stranger write the fixed tag at different moments of a run.
func TestAnotherRunIsDetected(t *testing.T) {
	const stranger = `{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[],"annotations":{"by":"a stranger"}}`
	for _, c := range []struct {
		name    string
		when    func(*http.Request) bool // before this request
		exit    int
		message string
		hint    string
	}{
		{
			"after the plan, before the first tag",
			func(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/signingCert") },
			1, "ghcr.io/acme/app:1.2.3 exists with another digest", "a published version is not overwritten",
		},
		{
			"after it was written",
			func(r *http.Request) bool {
				return r.Method == http.MethodPut && strings.HasSuffix(r.URL.Path, "/manifests/latest")
			},
			3, "ghcr.io/acme/app:1.2.3 should name ", "let one release run at a time (`concurrency:` in the workflow)",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newScene(t, twoByTwo, sandbox.Options{})
			var once sync.Once
			theirs := ""
			r, err := publish.Publish(t.Context(), s.options(roundTripper(func(req *http.Request) (*http.Response, error) {
				if c.when(req) {
					once.Do(func() {
						var err error
						if theirs, err = s.world.SeedManifest("ghcr.io", "acme/app", "1.2.3", "application/vnd.oci.image.index.v1+json", []byte(stranger)); err != nil {
							t.Error(err)
						}
					})
				}
				return s.world.RoundTrip(req)
			})))
			if code := publish.ExitCode(r, err); code != c.exit || r.Error.Stage != "tag" || r.Error.Ref != "ghcr.io/acme/app:1.2.3" {
				t.Fatalf("exit %d: %+v", code, r.Error)
			}
			ours := r.Images[0].Digest
			if !strings.Contains(r.Error.Message, c.message) || !strings.Contains(r.Error.Message, ours) || !strings.Contains(r.Error.Message, theirs) {
				t.Errorf("%s\nwant both digests, %s and %s", r.Error.Message, ours, theirs)
			}
			if !strings.Contains(r.Error.Hint, c.hint) {
				t.Errorf("hint %q", r.Error.Hint)
			}
			for _, im := range r.Images {
				for _, tag := range im.Tags {
					if tag.Ref == "ghcr.io/acme/app:1.2.3" && (tag.Action != "failed" || tag.Digest != theirs || tag.Reason == "") {
						t.Errorf("%+v", tag)
					}
				}
			}
			if got := s.world.State().Tags["ghcr.io/acme/app"]["1.2.3"]; got != theirs {
				t.Errorf("what the stranger wrote was written over: %s", got)
			}
			onDisk(t, s, r)
		})
	}
}
