//go:build e2e

package e2e

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Who cancels a run has the runner send SIGINT to the first process of the step, SIGTERM ten seconds later, and a kill after
// that. The step ends at the first, and says what became of the tags; the next run finishes.
func TestACancelledStepSaysWhatBecameOfTheTags(t *testing.T) {
	for _, c := range []struct {
		name    string
		at      *regexp.Regexp // the PUT at which the runner cancels
		code    int
		outcome string
		summary string
	}{
		{"before the tag stage", regexp.MustCompile(`/manifests/sha256:`), 1, "failed", "no tag was changed"},
		{"in the tag stage", regexp.MustCompile(`/manifests/1\.2\.3$`), 3, "partial", "tags are written"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, j, dir := servers(t), release(), t.TempDir()
			host, password, path := secret("slow-")[:20]+".example.com", secret("pw-"), "acme/"+secret("cancelled-")
			cancelled := &held{at: c.at, reached: make(chan struct{}), next: basic("robot", password, forward(s.ports.olareg))}
			s.gateway.route(host, cancelled)
			newImage(t, 64).layout(t, filepath.Join(dir, "dist", "app"))
			checkout := s.releasedAction(t)
			script := write(t, dir, "step.sh", []byte(`exec bash "$GITHUB_ACTION_PATH/scripts/action.sh"`+"\n"))
			step := func(attempt string) (*exec.Cmd, *bytes.Buffer, string) {
				j.RunAttempt = attempt
				environ := j.environ(t, s)
				summary := filepath.Join(t.TempDir(), "summary.md")
				cmd := exec.Command("bash", "--noprofile", "--norc", "-e", "-o", "pipefail", script)
				var log bytes.Buffer
				cmd.Dir, cmd.Stdout, cmd.Stderr = dir, &log, &log
				cmd.Env = append(slices.Clone(environ), "CURL_CA_BUNDLE="+s.caFile, "GITHUB_ACTION_PATH="+checkout, "GITHUB_STEP_SUMMARY="+summary,
					"GITHUB_OUTPUT="+filepath.Join(t.TempDir(), "output"), "RUNNER_OS=Linux",
					"INPUT_IMAGES="+host+"/"+path, "INPUT_TAGS=type=semver,pattern={{version}}\ntype=semver,pattern={{major}}.{{minor}}",
					"INPUT_SOURCE=oci=dist/app", "INPUT_GITHUB_TOKEN="+variable(environ, "GITHUB_TOKEN"),
					"INPUT_REGISTRY_AUTH="+fmt.Sprintf("- {registry: %s, username: robot, password: %s}", host, password),
					"INPUT_SIGNING_CONFIG="+s.signingConfig, "INPUT_TRUSTED_ROOT="+s.trustedRoot)
				return cmd, &log, summary
			}
			cmd, log, summary := step("1")
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				_ = cmd.Wait()
			}()
			select {
			case <-cancelled.reached:
			case <-ended:
				t.Fatalf("the step ended before it was cancelled: %s\n%s", cmd.ProcessState, log)
			}
			took := cancel(t, cmd, ended)
			if took > 8*time.Second {
				t.Errorf("it took %s to end", took)
			}
			text := readText(t, summary)
			if code := cmd.ProcessState.ExitCode(); code != c.code || !strings.Contains(text, c.summary) || !strings.Contains(log.String(), "::error title=") {
				t.Errorf("exit %d, want %d\n%s\nsummary: %s", code, c.code, log, text)
			}
			report := readReport(t, filepath.Join(dir, "taglast-out", "report.json"))
			if report.Outcome != c.outcome || report.Error == nil {
				t.Errorf("report: %+v", report)
			}
			cancelled.pass()
			again, log, summary := step("2")
			if err := again.Run(); err != nil || !strings.Contains(readText(t, summary), "## Published") {
				t.Errorf("the next run: %v\n%s", err, log)
			}
			digest := readReport(t, filepath.Join(dir, "taglast-out", "report.json")).Images[0].Digest
			for _, tag := range []string{"1.2.3", "1.2", "latest"} {
				if got, _ := resolve(t, "127.0.0.1:"+s.ports.olareg+"/"+path+":"+tag); got != digest {
					t.Errorf("%s is %q, not %s", tag, got, digest)
				}
			}
		})
	}
}

// cancel ends a step's process as the runner does, and says how long that took.
func cancel(t *testing.T, cmd *exec.Cmd, ended <-chan struct{}) time.Duration {
	t.Helper()
	begun := time.Now()
	for _, signal := range []os.Signal{syscall.SIGINT, syscall.SIGTERM, os.Kill} {
		if err := cmd.Process.Signal(signal); err != nil {
			t.Fatal(err)
		}
		select {
		case <-ended:
			return time.Since(begun)
		case <-time.After(10 * time.Second):
		}
	}
	<-ended
	return time.Since(begun)
}

// held says when a PUT comes, and holds it back for a moment, so that a cancel is known before the answer.
type held struct {
	at      *regexp.Regexp
	reached chan struct{}
	next    http.Handler

	mu   sync.Mutex
	done bool
}

// pass lets everything through from now on.
func (h *held) pass() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.done = true
}

func (h *held) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	fire := !h.done && r.Method == http.MethodPut && h.at.MatchString(r.URL.Path)
	if fire {
		h.done = true
		close(h.reached)
	}
	h.mu.Unlock()
	if fire {
		select {
		case <-time.After(300 * time.Millisecond):
		case <-r.Context().Done():
			return
		}
	}
	h.next.ServeHTTP(w, r)
}
