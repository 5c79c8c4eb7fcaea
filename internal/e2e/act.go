//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// A workflowRun is a run of a workflow in a job's repository, by act on this machine: what `runs-on` says is this machine.
type workflowRun struct {
	job      job
	files    map[string]string // of the repository; the workflow is the one at job.WorkflowPath
	payload  map[string]any    // of the event, beside what every event has
	secrets  map[string]string
	builder  *builder // nil: no buildx is found
	environ  []string // of the runner, beside the job's own
	checkout string   // of the action; empty: that of a release
}

// A workflowResult is what GitHub shows of a run.
type workflowResult struct {
	code        int
	log         string                       // of the steps
	runner      string                       // what act tells of them
	outputs     map[string]map[string]string // by the id of the step
	summary     string
	annotations []annotation
	masked      []string
}

type annotation struct{ level, title, message string }

func (r workflowResult) String() string {
	return fmt.Sprintf("exit %d\n--- runner\n%s\n--- steps\n%s\n--- annotations\n%+v\n--- summary\n%s", r.code, r.runner, r.log, r.annotations, r.summary)
}

var usedActions = regexp.MustCompile(`(?m)^\s*(?:- )?uses: *"?([\w.-]+/[\w.-]+)(/[^@\s]*)?@([^\s"]+)`)

// act runs the workflow. Actions that it uses beside ours come from testdata/actions: the network has none.
func (s *stack) act(t *testing.T, w workflowRun) workflowResult {
	t.Helper()
	act, err := actTool.file()
	if err != nil {
		t.Fatal(err)
	}
	dir, home := t.TempDir(), t.TempDir()
	writeFiles(t, dir, w.files)
	checkout := w.checkout
	if checkout == "" {
		checkout = s.releasedAction(t)
	}
	environ, token := w.environment(t, s)
	// act gives steps a terminal, of which it loses the end where a step fails. Each bash writes to a file instead.
	stepLog := filepath.Join(home, "steps.log")
	bashEnv := write(t, home, "bash_env", []byte(`exec >> "$STEP_LOG" 2>&1`+"\n"))
	environ = append(environ, "BASH_ENV="+bashEnv, "STEP_LOG="+stepLog)
	args := []string{
		w.job.Event, "--json", "--no-cache-server", "--workflows", w.job.WorkflowPath, "--eventpath", variable(environ, "GITHUB_EVENT_PATH"),
		"--env", "SHA_REF=" + w.job.SHA, "--actor", "octocat", "--action-cache-path", filepath.Join(home, "act"),
	}
	for _, label := range []string{"ubuntu-latest", "ubuntu-24.04", "ubuntu-24.04-arm"} {
		args = append(args, "--platform", label+"=-self-hosted")
	}
	for _, name := range []string{"RUN_ID", "RUN_NUMBER", "RUN_ATTEMPT", "REPOSITORY", "REPOSITORY_OWNER", "REF", "REF_NAME", "REF_TYPE"} {
		args = append(args, "--env", "GITHUB_"+name+"="+variable(environ, "GITHUB_"+name))
	}
	for name, value := range w.secrets {
		args = append(args, "--secret", name+"="+value)
	}
	args = append(args, "--secret", "GITHUB_TOKEN="+token)
	args = append(args, w.localActions(t, checkout)...)
	ctx, stop := context.WithTimeout(t.Context(), 5*time.Minute)
	defer stop()
	out, err := run(ctx, dir, act, environ, args...)
	if err != nil {
		t.Fatal(err)
	}
	r := parseAct(out)
	raw, err := os.ReadFile(stepLog)
	if err != nil {
		t.Fatalf("no step wrote anything: %v\n%s", err, r.runner)
	}
	r.readLog(string(raw))
	return r
}

// environment is that of the runner: act hands it down to the steps. The token is a secret, as on GitHub, and no variable.
func (w workflowRun) environment(t *testing.T, s *stack) (environ []string, token string) {
	t.Helper()
	all := w.job.environWith(t, s, w.payload)
	token = variable(all, "GITHUB_TOKEN")
	for _, entry := range all {
		switch name, _, _ := strings.Cut(entry, "="); name {
		case "GITHUB_TOKEN", "GITHUB_ACTIONS", "RUNNER_TEMP", "CI":
		default:
			environ = append(environ, entry)
		}
	}
	environ = append(environ, "CURL_CA_BUNDLE="+s.caFile, "ARTIFACTS="+t.TempDir(), "ACT_DISABLE_VERSION_CHECK=1")
	if w.builder != nil {
		environ = append(environ, w.builder.environ...)
		environ = append(environ, "DOCKER_CONFIG="+ownDockerConfig(t, variable(environ, "DOCKER_CONFIG")))
	}
	return append(environ, w.environ...), token
}

// ownDockerConfig is a folder with the plugins of another, where the logins of one run do not get into the next.
func ownDockerConfig(t *testing.T, of string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.Symlink(filepath.Join(of, "cli-plugins"), filepath.Join(dir, "cli-plugins")); err != nil {
		t.Fatal(err)
	}
	return dir
}

// variable is the last value that an environment has for a name.
func variable(environ []string, name string) string {
	for _, entry := range slices.Backward(environ) {
		if value, ok := strings.CutPrefix(entry, name+"="); ok {
			return value
		}
	}
	return ""
}

// localActions are the folders of the actions that the workflows use.
func (w workflowRun) localActions(t *testing.T, checkout string) (args []string) {
	t.Helper()
	here, err := source()
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range w.files {
		if !strings.HasPrefix(name, ".github/workflows/") {
			continue
		}
		for _, m := range usedActions.FindAllStringSubmatch(text, -1) {
			folder := filepath.Join(here, "testdata", "actions", path.Base(m[1]))
			if m[1] == "taglast/taglast" {
				folder = checkout
			} else if _, err := os.Stat(folder); err != nil {
				t.Fatalf("%s: nothing stands for it: %v", m[1], err)
			}
			args = append(args, "--local-repository", m[1]+"@"+m[3]+"="+folder)
		}
	}
	return args
}

// parseAct reads act's log of JSON lines.
func parseAct(out outcome) workflowResult {
	r := workflowResult{code: out.code, outputs: map[string]map[string]string{}}
	var log strings.Builder
	for line := range strings.Lines(out.stdout + "\n" + out.stderr) {
		var e struct {
			Command, Arg, Content, Name, Msg string
			StepID                           []string
		}
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			log.WriteString(line) // act's own
			continue
		}
		log.WriteString(strings.TrimSuffix(e.Msg, "\n") + "\n")
		switch {
		case e.Command == "summary" && len(e.StepID) > 1: // of the steps within an action: the action's own is the same again
			r.summary += e.Content
		case e.Command == "set-output" && len(e.StepID) == 1:
			if r.outputs[e.StepID[0]] == nil {
				r.outputs[e.StepID[0]] = map[string]string{}
			}
			r.outputs[e.StepID[0]][e.Name] = e.Arg
		}
	}
	r.runner = log.String()
	return r
}

var (
	workflowCommand = regexp.MustCompile(`^::([a-z-]+)(?: ([^:]*))?::(.*)$`)
	unescapeData    = strings.NewReplacer("%0D", "\r", "%0A", "\n", "%25", "%")
	unescapeValue   = strings.NewReplacer("%0D", "\r", "%0A", "\n", "%3A", ":", "%2C", ",", "%25", "%")
)

// readLog takes the commands to the runner out of the steps' log (GitHub, "Workflow commands for GitHub Actions"). What is
// left is what GitHub shows, before it masks anything.
func (r *workflowResult) readLog(text string) {
	var log strings.Builder
	for line := range strings.Lines(text) {
		m := workflowCommand.FindStringSubmatch(strings.TrimRight(line, "\r\n"))
		if m == nil {
			log.WriteString(line)
			continue
		}
		switch data := unescapeData.Replace(m[3]); m[1] {
		case "error", "warning", "notice":
			a := annotation{level: m[1], message: data}
			for _, property := range strings.Split(m[2], ",") {
				if value, ok := strings.CutPrefix(property, "title="); ok {
					a.title = unescapeValue.Replace(value)
				}
			}
			r.annotations = append(r.annotations, a)
		case "add-mask":
			r.masked = append(r.masked, data)
		case "group", "endgroup", "debug":
		default:
			log.WriteString("unexpected command: " + line)
		}
	}
	r.log = log.String()
}

// releasedVersion is the version of the release that the tests' checkouts of the action are of.
const releasedVersion = "v0.1.0"

// releases are the files of taglast's releases on GitHub, by their paths.
type releases struct {
	mu    sync.Mutex
	files map[string][]byte
}

// assetHost is where GitHub's releases send who downloads.
const assetHost = "release-assets.githubusercontent.com"

func (f *releases) put(name string, content []byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.files == nil {
		f.files = map[string][]byte{}
	}
	f.files[name] = content
}

func (f *releases) get(name string) ([]byte, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	content, ok := f.files[name]
	return content, ok
}

// page is github.com, which has the files elsewhere.
func (f *releases) page(w http.ResponseWriter, r *http.Request) {
	if _, ok := f.get(r.URL.Path); !ok {
		http.NotFound(w, r)
		return
	}
	http.Redirect(w, r, "https://"+assetHost+r.URL.Path, http.StatusFound) //nolint:gosec // to a host of ours, for a path that is there
}

func (f *releases) asset(w http.ResponseWriter, r *http.Request) {
	content, ok := f.get(r.URL.Path)
	if !ok {
		http.NotFound(w, r)
		return
	}
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
}

// releasedAction is a checkout of the action as a release has it: with the sums of its programs, of which the one for this
// machine is released.
func (s *stack) releasedAction(t *testing.T) string {
	t.Helper()
	file, err := program()
	if err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	name := fmt.Sprintf("taglast_%s_%s_%s", releasedVersion, runtime.GOOS, runtime.GOARCH)
	s.releases.put("/taglast/taglast/releases/download/"+releasedVersion+"/"+name, raw)
	checkout := s.actionFiles(t)
	write(t, checkout, "checksums.txt", fmt.Appendf(nil, "%x  %s\n", sha256.Sum256(raw), name))
	return checkout
}

// actionFiles are the files of this checkout that make the action.
func (s *stack) actionFiles(t *testing.T) string {
	t.Helper()
	here, err := source()
	if err != nil {
		t.Fatal(err)
	}
	checkout := t.TempDir()
	for _, name := range []string{"action.yml", "scripts/action.sh"} {
		raw, err := os.ReadFile(filepath.Join(here, "..", "..", filepath.FromSlash(name)))
		if err != nil {
			t.Fatal(err)
		}
		writeFiles(t, checkout, map[string]string{name: string(raw)})
	}
	return checkout
}
