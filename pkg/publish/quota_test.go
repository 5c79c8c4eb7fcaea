package publish_test

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/taglast/taglast/pkg/publish"
)

// pullCounter is a registry's way of counting pulls, as Docker Hub has it: each GET of a manifest takes one, a HEAD none,
// and the answers to both tell what is left.
type pullCounter struct {
	http.RoundTripper
	mu   sync.Mutex
	left int
}

func (c *pullCounter) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := c.RoundTripper.RoundTrip(req)
	if err == nil && req.URL.Host == "index.docker.io" && strings.Contains(req.URL.Path, "/manifests/") {
		c.mu.Lock()
		defer c.mu.Unlock()
		if req.Method == http.MethodGet {
			c.left--
		}
		resp.Header.Set("ratelimit-limit", "100;w=21600")
		resp.Header.Set("ratelimit-remaining", fmt.Sprintf("%d;w=21600", c.left))
	}
	return resp, err
}

// warnings is an observer that keeps what it is warned of.
type warnings struct {
	mu  sync.Mutex
	all []string
}

func (w *warnings) Begin(publish.Header)              {}
func (w *warnings) Progress(publish.Event)            {}
func (w *warnings) BuildOutput(string) io.WriteCloser { return nil }
func (w *warnings) Warn(message string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.all = append(w.all, message)
}

func (w *warnings) lines() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.all)
}

// An image of two platforms that is there by digest, with tags: its index and two manifests are read, and one tag is.
func TestAPullQuotaIsWeighedBeforeAnythingIsSent(t *testing.T) {
	const need = 4
	for _, c := range []struct {
		left    int
		exit    int
		warning string
	}{
		{need - 1, 1, ""},
		{need, 0, "docker.io gives 4 manifests more within 6 hours; this release reads 4"},
		{2*need - 1, 0, "docker.io gives 7 manifests more within 6 hours; this release reads 4"},
		{2 * need, 0, ""},
	} {
		t.Run(fmt.Sprintf("%d left", c.left), func(t *testing.T) {
			s := already(t, "docker.io", indexThere)
			seen := len(s.world.Requests())
			var l warnings
			o := s.options(&pullCounter{RoundTripper: s.world, left: c.left})
			o.Jobs, o.Observer = 3, &l
			r, err := publish.Publish(t.Context(), o)
			if publish.ExitCode(r, err) != c.exit {
				t.Fatalf("exit %d: %v", publish.ExitCode(r, err), err)
			}
			if got := strings.Join(l.lines(), "\n"); got != c.warning {
				t.Errorf("warned %q, want %q", got, c.warning)
			}
			if c.exit == 0 {
				return
			}
			if r.Error.Stage != "plan" || !strings.Contains(r.Error.Message, "docker.io gives 3 manifests more within 6 hours; this release reads 4") || !strings.Contains(r.Error.Hint, "log in to docker.io") {
				t.Errorf("%+v", r.Error)
			}
			if sent := withoutProbes(writes(s.world.Requests()[seen:])); len(sent) > 0 {
				t.Errorf("sent %v", sent)
			}
			plan, err := publish.Plan(t.Context(), o, false)
			if err != nil || len(l.lines()) != 1 {
				t.Errorf("a plan warns %q: %v, %v", l.lines(), plan.Outcome, err)
			}
		})
	}
}
