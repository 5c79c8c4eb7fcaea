package docs

import (
	"cmp"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/taglast/taglast/pkg/release"
)

const (
	actionDoc   = "docs/action.md"
	theAction   = "taglast/taglast@"
	theWorkflow = "taglast/taglast/.github/workflows/publish.yml@"
)

// The parts of a workflow that these tests look at. Every value is the text that is written.
type (
	workflowFile struct {
		Permissions map[string]string
		Concurrency yaml.Node
		Jobs        map[string]workflowJob
	}
	workflowJob struct {
		workflowStep `yaml:",inline"` // the call of a reusable workflow
		If           string
		Secrets      map[string]string
		Permissions  map[string]string
		Concurrency  yaml.Node
		Steps        []workflowStep
	}
	workflowStep struct {
		Uses string
		With map[string]string
	}
	declared struct {
		Description string
		Default     string
	}
)

// workflows are the texts of the documents' and the examples' workflows, each with its place.
func workflows(t *testing.T) (places, texts []string) {
	t.Helper()
	all := documents(t)
	for _, doc := range slices.Sorted(maps.Keys(all)) {
		for _, m := range block.FindAllStringSubmatch(all[doc], -1) {
			if m[1] == "yaml" && isWorkflow(m[2]) {
				places, texts = append(places, doc), append(texts, m[2])
			}
		}
	}
	examples, err := filepath.Glob(filepath.Join(root, "docs", "examples", "*", "*.yml"))
	if err != nil || len(examples) == 0 {
		t.Fatalf("no example was found: %v", err)
	}
	for _, file := range examples {
		text := read(t, file)
		if !isWorkflow(text) {
			t.Errorf("%s is no workflow", file)
		}
		places, texts = append(places, file), append(texts, text)
	}
	return places, texts
}

func isWorkflow(text string) bool { return strings.Contains("\n"+text, "\njobs:") }

// TestStepsOfTheActionHaveItsInputs looks at every step in the documents that uses the action, in a whole workflow or not,
// and at every job that calls the reusable workflow.
func TestStepsOfTheActionHaveItsInputs(t *testing.T) {
	steps := 0
	check := func(place string, s workflowStep) {
		steps++
		inputs, _ := theInputs(t, place)
		for name := range s.With {
			in, known := inputs[name]
			switch {
			case !known:
				t.Errorf("%s: the action has no input `%s`", place, name)
			case strings.HasPrefix(in.Description, "Refused"):
				t.Errorf("%s: the action refuses `%s`", place, name)
			}
		}
	}
	for doc, text := range documents(t) {
		for _, m := range block.FindAllStringSubmatch(text, -1) {
			var list []workflowStep
			if m[1] != "yaml" || !strings.Contains(m[2], theAction) || isWorkflow(m[2]) {
				continue
			}
			if err := yaml.Unmarshal([]byte(m[2]), &list); err != nil {
				t.Errorf("%s: neither a workflow nor a list of steps: %v", doc, err)
			}
			for _, s := range list {
				if strings.HasPrefix(s.Uses, theAction) {
					check(doc, s)
				}
			}
		}
	}
	places, texts := workflows(t)
	for i, text := range texts {
		for _, job := range parseWorkflow(t, places[i], text).Jobs {
			for _, s := range job.Steps {
				if strings.HasPrefix(s.Uses, theAction) {
					check(places[i], s)
				}
			}
			if strings.HasPrefix(job.Uses, theWorkflow) {
				checkCall(t, places[i], job)
			}
		}
	}
	if steps < 6 {
		t.Errorf("only %d steps were found", steps)
	}
}

// checkCall compares a call of the reusable workflow with what it declares.
func checkCall(t *testing.T, place string, job workflowJob) {
	t.Helper()
	var called struct {
		On struct {
			Call struct {
				Inputs, Secrets map[string]declared
			} `yaml:"workflow_call"`
		}
	}
	declaredBy(t, place, theWorkflow, filepath.Join(".github", "workflows", "publish.yml"), &called)
	for name := range job.With {
		if _, known := called.On.Call.Inputs[name]; !known {
			t.Errorf("%s: publish.yml has no input `%s`", place, name)
		}
	}
	for name := range job.Secrets {
		if _, known := called.On.Call.Secrets[name]; !known {
			t.Errorf("%s: publish.yml has no secret `%s`", place, name)
		}
	}
}

// theInputs are what action.yml declares.
func theInputs(t *testing.T, place string) (inputs, outputs map[string]declared) {
	t.Helper()
	var action struct{ Inputs, Outputs map[string]declared }
	declaredBy(t, place, theAction, "action.yml", &action)
	return action.Inputs, action.Outputs
}

// declaredBy reads the file that a document's `uses` means. A document that uses what is not there ends the test.
func declaredBy(t *testing.T, place, uses, file string, into any) {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(root, file))
	if errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("%s has `uses: %s…`, and there is no %s", place, uses, file)
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(raw, into); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}

func parseWorkflow(t *testing.T, place, text string) (w workflowFile) {
	t.Helper()
	if err := yaml.Unmarshal([]byte(text), &w); err != nil {
		t.Errorf("%s: %v", place, err)
	}
	return w
}

// TestWorkflowsOfTheActionMayPublishAndNoMore: in a workflow that uses the action, a job that publishes may do what that
// needs, no other job may write, no checkout leaves the token behind, and releases run one at a time.
func TestWorkflowsOfTheActionMayPublishAndNoMore(t *testing.T) {
	checked := 0
	places, texts := workflows(t)
	for i, text := range texts {
		place, w := places[i], parseWorkflow(t, places[i], text)
		if !strings.Contains(text, "uses: "+theAction) && !strings.Contains(text, "uses: "+theWorkflow) {
			continue
		}
		checked++
		if w.Permissions == nil || len(w.Permissions) > 0 {
			t.Errorf("%s: the workflow does not begin with `permissions: {}`", place)
		}
		for name, job := range w.Jobs {
			needs := needsOf(job)
			if !maps.Equal(job.Permissions, needs) {
				t.Errorf("%s, job %s: the permissions are %v, and it needs %v", place, name, job.Permissions, needs)
			}
			if needs["id-token"] != "" && w.Concurrency.IsZero() && job.Concurrency.IsZero() {
				t.Errorf("%s, job %s: no `concurrency:`", place, name)
			}
			for _, s := range job.Steps {
				if strings.HasPrefix(s.Uses, "actions/checkout@") && s.With["persist-credentials"] != "false" {
					t.Errorf("%s, job %s: actions/checkout without `persist-credentials: false`", place, name)
				}
			}
		}
	}
	if checked < 6 {
		t.Errorf("only %d workflows were found", checked)
	}
}

// needsOf are the permissions that a job needs: to publish, to push by digest for another job or to make a GitHub release, or
// to read.
func needsOf(job workflowJob) map[string]string {
	at := slices.IndexFunc(job.Steps, func(s workflowStep) bool { return strings.HasPrefix(s.Uses, theAction) })
	onlyDry := job.If == "github.event_name == 'pull_request'"
	switch {
	case (at >= 0 || strings.HasPrefix(job.Uses, theWorkflow)) && !onlyDry:
		needs := map[string]string{"contents": "read", "id-token": "write", "attestations": "write"}
		with := job.With
		if at >= 0 {
			with = job.Steps[at].With
		}
		if to := with["images"] + with["repository"]; to == "" || strings.Contains(to, "ghcr.io/") {
			needs["packages"] = "write"
		}
		return needs
	case uses(job, "docker/login-action@"):
		return map[string]string{"contents": "read", "packages": "write"}
	case uses(job, "goreleaser/goreleaser-action@"):
		return map[string]string{"contents": "write"}
	}
	return map[string]string{"contents": "read"}
}

func uses(job workflowJob, action string) bool {
	return slices.ContainsFunc(job.Steps, func(s workflowStep) bool { return strings.HasPrefix(s.Uses, action) })
}

// TestReleasesOfTheActionParse reads what a step describes by inputs as the release that the flags of the same names
// describe. A step with neither takes taglast.yaml, which its document or its folder must have: TestReleaseFilesParse
// reads it.
func TestReleasesOfTheActionParse(t *testing.T) {
	parsed := 0
	places, texts := workflows(t)
	for i, text := range texts {
		for _, job := range parseWorkflow(t, places[i], text).Jobs {
			for _, s := range job.Steps {
				if !strings.HasPrefix(s.Uses, theAction) {
					continue
				}
				parsed++
				flags := release.Flags{
					Repositories: lines(s.With["repository"] + "\n" + s.With["images"]),
					Sources:      lines(s.With["source"]),
					Tags:         lines(s.With["tag"] + "\n" + s.With["tags"]),
					Flavor:       lines(s.With["flavor"]),
					Platforms:    lines(s.With["platform"] + "\n" + strings.ReplaceAll(s.With["platforms"], ",", "\n")),
				}
				if len(flags.Repositories) == 0 {
					if !hasReleaseFile(t, places[i]) {
						t.Errorf("%s: a step takes a release file, and there is none", places[i])
					}
					continue
				}
				if len(flags.Sources) == 0 {
					flags.Sources = []string{"dockerfile=" + cmp.Or(s.With["file"], "Dockerfile")}
				}
				if _, err := release.FromFlags(flags); err != nil {
					t.Errorf("%s: %v", places[i], err)
				}
			}
		}
	}
	if parsed < 6 {
		t.Errorf("only %d releases were found", parsed)
	}
}

// hasReleaseFile reports whether a document shows a release file, or an example's folder has one.
func hasReleaseFile(t *testing.T, place string) bool {
	t.Helper()
	if text, isDocument := documents(t)[place]; isDocument {
		return slices.ContainsFunc(block.FindAllStringSubmatch(text, -1), func(m []string) bool {
			return m[1] == "yaml" && strings.Contains("\n"+m[2], "\nimages:")
		})
	}
	_, err := os.Stat(filepath.Join(filepath.Dir(place), "taglast.yaml"))
	return err == nil
}

// lines are the values of an input of several lines.
func lines(text string) []string {
	return slices.DeleteFunc(strings.Split(text, "\n"), func(line string) bool { return strings.TrimSpace(line) == "" })
}

// TestEveryInputAndOutputOfTheActionIsDocumented: what action.yml takes has a row with its default, what it refuses stands
// in the table of those, and no row is of what it does not declare.
func TestEveryInputAndOutputOfTheActionIsDocumented(t *testing.T) {
	text := documents(t)[actionDoc]
	inputs, outputs := theInputs(t, actionDoc)
	if len(inputs) < 60 || len(outputs) < 10 {
		t.Fatalf("action.yml has %d inputs and %d outputs", len(inputs), len(outputs))
	}
	takes, refuses, gives := rowsOf(t, text, "Inputs"), rowsOf(t, text, "Refused"), rowsOf(t, text, "Outputs")
	for name, in := range inputs {
		row, taken := takes[name]
		_, refused := refuses[name]
		switch isRefused := strings.HasPrefix(in.Description, "Refused"); {
		case isRefused != refused || isRefused == taken:
			t.Errorf("%s: `%s` has no row, or one in the wrong table", actionDoc, name)
		case in.Default != "" && !strings.Contains(row, "`"+in.Default+"`"):
			t.Errorf("%s: the default of `%s` is not `%s`", actionDoc, name, in.Default)
		}
	}
	for name := range outputs {
		if _, ok := gives[name]; !ok {
			t.Errorf("%s: no row for the output `%s`", actionDoc, name)
		}
	}
	for name := range takes {
		if _, ok := inputs[name]; !ok {
			t.Errorf("%s: action.yml has no input `%s`", actionDoc, name)
		}
	}
	for name := range refuses {
		if _, ok := inputs[name]; !ok {
			t.Errorf("%s: action.yml has no input `%s`", actionDoc, name)
		}
	}
	for name := range gives {
		if _, ok := outputs[name]; !ok {
			t.Errorf("%s: action.yml has no output `%s`", actionDoc, name)
		}
	}
}

// rowsOf are the last cells of the rows under a heading, by each name in the first cell.
func rowsOf(t *testing.T, text, title string) map[string]string {
	t.Helper()
	_, section, ok := strings.Cut(text, "\n## "+title+"\n")
	if !ok {
		t.Fatalf("%s has no heading %s", actionDoc, title)
	}
	section, _, _ = strings.Cut(section, "\n## ")
	rows := map[string]string{}
	for line := range strings.SplitSeq(section, "\n") {
		if !strings.HasPrefix(line, "| `") {
			continue
		}
		row := cells(line)
		for _, m := range span.FindAllStringSubmatch(row[0], -1) {
			rows[m[1]] = row[len(row)-1]
		}
	}
	return rows
}
