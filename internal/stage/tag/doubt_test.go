package tag_test

import (
	"net/http"
	"syscall"
	"testing"
	"testing/synctest"

	"github.com/taglast/taglast/internal/sandbox"
	"github.com/taglast/taglast/internal/stage/tag"
)

// TestAWriteIsInDoubtWhateverIsRefusedAfterIt lets one write reach the registry without an answer, and refuses what
// follows: the tag has changed, and nobody may say that it has not.
func TestAWriteIsInDoubtWhateverIsRefusedAfterIt(t *testing.T) {
	const at = "ghcr.io/acme/app:1.2.3"
	for _, c := range []struct {
		name   string
		status int
	}{
		{"the login is gone when the tag is looked at", http.StatusForbidden},
		{"the registry is too busy for the rest of the budget", http.StatusTooManyRequests},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newScene(t, sandbox.Options{})
				written := false
				s.watch.before = func(req *http.Request) (*http.Response, error) {
					ref, _ := tagOf(req)
					switch {
					case ref != at:
						return nil, nil
					case written:
						return answer(req, c.status, ""), nil
					case req.Method != http.MethodPut:
						return nil, nil
					}
					written = true
					resp, err := s.watch.base.RoundTrip(req)
					if err == nil {
						_ = resp.Body.Close()
					}
					return nil, syscall.ECONNRESET
				}
				tagged, err := s.write(t.Context(), tag.Options{Jobs: 1})
				if err == nil {
					t.Fatal("the stage did not stop")
				}
				s.truthful(tagged)
				for _, got := range tagged {
					if got.Ref() == at && (got.Action != tag.Failed || !got.Doubtful) {
						t.Errorf("%+v: %v", got, err)
					}
				}
			})
		})
	}
}
