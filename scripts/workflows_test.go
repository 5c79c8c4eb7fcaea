package scripts

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// A workflow is a file of .github/workflows, as far as it is checked.
type workflow struct {
	text        string
	Permissions map[string]string
	Concurrency yaml.Node
	On          map[string]yaml.Node
	Jobs        map[string]struct {
		Uses        string
		Permissions map[string]string
		Timeout     int `yaml:"timeout-minutes"`
		Steps       []struct {
			Uses, Run string
			With      map[string]string
		}
	}
}

func readWorkflows(t *testing.T) map[string]workflow {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", ".github", "workflows", "*.yml"))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]workflow{}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		w := workflow{text: string(raw)}
		if err := yaml.Unmarshal(raw, &w); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		out[filepath.Base(file)] = w
	}
	if len(out) < 3 {
		t.Fatalf("only %d workflows were found", len(out))
	}
	return out
}

var (
	uses   = regexp.MustCompile(`(?m)^ *(?:- )?uses: *(.*)$`)
	pinned = regexp.MustCompile(`^[\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$`)
)

// A tag can be moved, a commit cannot: what runs beside our tokens is named by its commit, and a comment says its version.
func TestEveryActionIsPinnedByCommit(t *testing.T) {
	seen := map[string]string{} // by action, so that two workflows run one version
	for file, w := range readWorkflows(t) {
		found := 0
		for _, m := range uses.FindAllStringSubmatch(w.text, -1) {
			found++
			if strings.HasPrefix(m[1], "./") {
				continue
			}
			if !pinned.MatchString(m[1]) {
				t.Errorf("%s: %s is not pinned by its commit, with its version behind it", file, m[1])
			}
			name, at, _ := strings.Cut(m[1], "@")
			if other := seen[name]; other != "" && other != at {
				t.Errorf("%s: %s at %s, and elsewhere at %s", file, name, at, other)
			}
			seen[name] = at
		}
		if found == 0 {
			t.Errorf("%s uses no action", file)
		}
	}
}

func TestNoWorkflowPutsAnExpressionIntoAShell(t *testing.T) {
	runs := 0
	for file, w := range readWorkflows(t) {
		for job, j := range w.Jobs {
			for _, s := range j.Steps {
				if s.Run != "" {
					runs++
				}
				if strings.Contains(s.Run, "${{") {
					t.Errorf("%s, job %s: an expression inside run: %s", file, job, s.Run)
				}
				if strings.HasPrefix(s.Uses, "actions/github-script@") {
					t.Errorf("%s, job %s: a script in a workflow; write it into scripts/", file, job)
				}
			}
		}
	}
	for _, s := range readAction(t).Runs.Steps {
		runs++
		if strings.Contains(s.Run, "${{") {
			t.Errorf("action.yml: an expression inside run: %s", s.Run)
		}
	}
	if runs < 8 {
		t.Errorf("only %d shell texts were found", runs)
	}
}

// The permissions of every job, so that one more is seen by whoever reviews it.
func TestJobsHaveThePermissionsThatTheyNeed(t *testing.T) {
	publishing := map[string]string{"contents": "read", "packages": "write", "id-token": "write", "attestations": "write"}
	want := map[string]map[string]string{
		"ci.yml ci":           {"contents": "read"},
		"release.yml build":   {"contents": "read"},
		"release.yml attest":  {"contents": "write", "id-token": "write", "attestations": "write"},
		"release.yml image":   publishing,
		"publish.yml plan":    {},
		"publish.yml build":   {"contents": "read"},
		"publish.yml publish": publishing,
	}
	for file, w := range readWorkflows(t) {
		if w.Permissions == nil || len(w.Permissions) > 0 {
			t.Errorf("%s: what no job takes is not `permissions: {}`", file)
		}
		if _, called := w.On["workflow_call"]; !called && w.Concurrency.IsZero() {
			t.Errorf("%s: no `concurrency:`", file)
		}
		for job, j := range w.Jobs {
			name := file + " " + job
			if j.Permissions == nil || want[name] == nil || !maps.Equal(j.Permissions, want[name]) {
				t.Errorf("%s: permissions %v, want %v", name, j.Permissions, want[name])
			}
			if j.Timeout == 0 {
				t.Errorf("%s: no `timeout-minutes`", name)
			}
			delete(want, name)
		}
	}
	if len(want) > 0 {
		t.Errorf("jobs that are not there: %v", slices.Collect(maps.Keys(want)))
	}
}

func TestNoCheckoutLeavesTheTokenBehind(t *testing.T) {
	checkouts := 0
	for file, w := range readWorkflows(t) {
		for job, j := range w.Jobs {
			for _, s := range j.Steps {
				if !strings.HasPrefix(s.Uses, "actions/checkout@") {
					continue
				}
				checkouts++
				if s.With["persist-credentials"] != "false" {
					t.Errorf("%s, job %s: actions/checkout without `persist-credentials: false`", file, job)
				}
			}
		}
	}
	if checkouts < 5 {
		t.Errorf("only %d checkouts were found", checkouts)
	}
}

// What an Actions cache holds, another run may have written.
func TestNothingComesFromAnActionsCache(t *testing.T) {
	switches := map[string]string{"actions/setup-go": "cache", "docker/setup-buildx-action": "cache-binary"} // on by default
	checked := 0
	for file, w := range readWorkflows(t) {
		if strings.Contains(w.text, "actions/cache") || strings.Contains(w.text, "type=gha") {
			t.Errorf("%s has a cache", file)
		}
		for job, j := range w.Jobs {
			for _, s := range j.Steps {
				name, _, _ := strings.Cut(s.Uses, "@")
				if input := switches[name]; input != "" {
					checked++
					if s.With[input] != "false" {
						t.Errorf("%s, job %s: %s without `%s: false`", file, job, name, input)
					}
				}
			}
		}
	}
	if checked < 4 {
		t.Errorf("only %d steps were checked", checked)
	}
}

// The jobs of the reusable workflow are of two kinds: those that run the project's code can neither sign nor push, and the one
// that can has nothing of the project but tars.
func TestThePublishingJobRunsNothingOfTheProject(t *testing.T) {
	w := readWorkflows(t)["publish.yml"]
	checkedOut := 0
	for _, s := range w.Jobs["publish"].Steps {
		name, _, _ := strings.Cut(s.Uses, "@")
		switch name {
		case "", "actions/download-artifact", "./taglast":
		case "actions/checkout":
			checkedOut++
			if s.With["repository"] != "${{ job.workflow_repository }}" || s.With["ref"] != "${{ job.workflow_sha }}" || s.With["path"] != "taglast" {
				t.Errorf("it checks out %v", s.With)
			}
		default:
			t.Errorf("it uses %s", s.Uses)
		}
		if strings.HasPrefix(s.Uses, "actions/download-artifact@") && (s.With["artifact-ids"] == "" || s.With["name"]+s.With["pattern"]+s.With["run-id"] != "") {
			t.Errorf("artifacts of the same run, by their ids: %v", s.With)
		}
	}
	if checkedOut != 1 {
		t.Errorf("%d checkouts", checkedOut)
	}
	for job, j := range w.Jobs {
		if job != "publish" && len(j.Permissions) > 1 {
			t.Errorf("job %s has %v", job, j.Permissions)
		}
	}
}

// The sums that users pin are of one version of Go, which no job and no script has another of.
func TestOneVersionOfGoBuildsReleases(t *testing.T) {
	toolchain := regexp.MustCompile(`GOTOOLCHAIN=go(\d+\.\d+\.\d+)`)
	raw, err := os.ReadFile("release.sh")
	if err != nil {
		t.Fatal(err)
	}
	m := toolchain.FindSubmatch(raw)
	if m == nil {
		t.Fatal("release.sh names no version of Go")
	}
	jobs := 0
	for file, w := range readWorkflows(t) {
		for job, j := range w.Jobs {
			for _, s := range j.Steps {
				if !strings.HasPrefix(s.Uses, "actions/setup-go@") {
					continue
				}
				jobs++
				if s.With["go-version"] != string(m[1]) || s.With["cache"] != "false" {
					t.Errorf("%s, job %s: %v, and release.sh has Go %s", file, job, s.With, m[1])
				}
			}
		}
	}
	if jobs < 2 {
		t.Errorf("only %d jobs set up Go", jobs)
	}
}
