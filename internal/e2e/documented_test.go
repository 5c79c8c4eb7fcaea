//go:build e2e

package e2e

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// A documentedWorkflow is a workflow of a document or an example, with the files of its repository that stand beside it.
type documentedWorkflow struct {
	text  string
	files map[string]string
}

var (
	anyBlock      = regexp.MustCompile("(?ms)^```(\\w+)\n(.*?)^```$")
	usesAction    = regexp.MustCompile(`(?m)^( *)(- )?uses: taglast/taglast@v\d+(.*)\n( *with:\n)?`)
	onPullRequest = regexp.MustCompile(`(?m)^  pull_request:|^on: .*pull_request`)
)

// documentedWorkflows are those that use the action. The files beside a workflow are the Dockerfile and the release file of its
// section; where there is none, a Dockerfile that copies one file.
func documentedWorkflows(t *testing.T) map[string]documentedWorkflow {
	t.Helper()
	here, err := source()
	if err != nil {
		t.Fatal(err)
	}
	root := filepath.Join(here, "..", "..")
	out := map[string]documentedWorkflow{}
	documents, err := filepath.Glob(filepath.Join(root, "docs", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range append(documents, filepath.Join(root, "README.md")) {
		for _, section := range strings.Split("\n"+readText(t, file), "\n## ") {
			title, _, _ := strings.Cut(section, "\n")
			files := map[string]string{}
			for i, m := range anyBlock.FindAllStringSubmatch(section, -1) {
				switch text := "\n" + m[2]; {
				case m[1] == "dockerfile":
					files["Dockerfile"] = m[2]
				case m[1] == "yaml" && strings.Contains(text, "\nimages:"):
					files["taglast.yaml"] = m[2]
				case m[1] == "yaml" && strings.Contains(text, "\njobs:") && usesAction.MatchString(m[2]):
					out[fmt.Sprintf("%s, %s, block %d", filepath.Base(file), title, i)] = documentedWorkflow{m[2], files}
				}
			}
		}
	}
	examples, err := filepath.Glob(filepath.Join(root, "docs", "examples", "*", "*.yml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range examples {
		if text := readText(t, file); usesAction.MatchString(text) {
			w := documentedWorkflow{text, map[string]string{}}
			entries, err := os.ReadDir(filepath.Dir(file))
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range entries {
				if filepath.Ext(e.Name()) != ".yml" {
					w.files[e.Name()] = readText(t, filepath.Join(filepath.Dir(file), e.Name()))
				}
			}
			out[filepath.Base(filepath.Dir(file))+"/"+filepath.Base(file)] = w
		}
	}
	return out
}

// TestDocumentedWorkflows runs every workflow of README, documents and examples that uses the action, as it stands there but
// for the owner of the images and for our Sigstore: on the push of a tag, and where it is for pull requests, on one. What calls
// the reusable workflow is in TestTheReusableWorkflowPublishes.
func TestDocumentedWorkflows(t *testing.T) {
	s, b := builders(t)
	pushAlpine(t)
	all := documentedWorkflows(t)
	if len(all) < 6 {
		t.Errorf("only %d workflows were found", len(all))
	}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		w := all[name]
		t.Run(name, func(t *testing.T) { s.runDocumented(t, b, w, "push") })
		if onPullRequest.MatchString(w.text) {
			t.Run(name+", on a pull request", func(t *testing.T) { s.runDocumented(t, b, w, "pull_request") })
		}
	}
}

func (s *stack) runDocumented(t *testing.T, b *builder, w documentedWorkflow, event string) {
	t.Helper()
	owner, layout := strings.ToLower(secret("owner-")), t.TempDir()
	newImage(t, 64).layout(t, layout)
	files := map[string]string{
		"Dockerfile": "FROM scratch\nCOPY hello.txt /\n", "build/Dockerfile": "FROM scratch\nARG COMMIT\nCOPY hello.txt /\n", "hello.txt": "hello\n",
		// `make image`, for machines without make
		".bin/make": "#!/bin/sh\nmkdir -p dist && cp -R \"$LAYOUT\" dist/oci\n",
	}
	maps.Copy(files, w.files)
	files["Dockerfile"] = regexp.MustCompile(`FROM gcr\.io/distroless/\S+`).ReplaceAllString(files["Dockerfile"], "FROM scratch")
	if text, ok := files["taglast.yaml"]; ok {
		files["taglast.yaml"] = strings.ReplaceAll(text, "/acme/", "/"+owner+"/")
	}
	// act knows no strategy.job-index; the runner's label is another name for each job.
	text := strings.ReplaceAll(strings.ReplaceAll(w.text, "/acme/", "/"+owner+"/"), "strategy.job-index", "matrix.runner")
	text = usesAction.ReplaceAllStringFunc(text, func(step string) string {
		m := usesAction.FindStringSubmatch(step)
		with := strings.Repeat(" ", len(m[1]+m[2]))
		return fmt.Sprintf("%s%suses: taglast/taglast@v1%s\n%swith:\n%[4]s  signing-config: ${{ github.event_name == 'push' && '%[5]s' || '' }}\n%[4]s  trusted-root: ${{ github.event_name == 'push' && '%[6]s' || '' }}\n",
			m[1], m[2], m[3], with, s.signingConfig, s.trustedRoot)
	})
	j := release()
	files[j.WorkflowPath] = "name: release\n" + regexp.MustCompile(`(?m)^name: .*\n`).ReplaceAllString(text, "")
	run := workflowRun{job: j, files: files, builder: b, secrets: s.auth()}
	if event == "pull_request" {
		run.job.Event, run.job.Ref, run.job.NoPackages, run.job.NoAttestation = event, "refs/pull/7/merge", true, true
		run.payload = map[string]any{"number": 7, "pull_request": map[string]any{
			"number": 7, "head": map[string]any{"ref": "feature", "sha": strings.Repeat("cd34", 10)}, "base": map[string]any{"ref": "main", "sha": strings.Repeat("ef56", 10)},
		}}
		run.secrets = nil // a fork's has none
	}
	bin := t.TempDir()
	if err := os.WriteFile(filepath.Join(bin, "make"), []byte(files[".bin/make"]), 0o755); err != nil {
		t.Fatal(err)
	}
	delete(files, ".bin/make")
	run.environ = []string{"LAYOUT=" + layout, "PATH=" + bin + string(os.PathListSeparator) + variable(b.environ, "PATH")}
	mark := s.gateway.mark()
	r := s.act(t, run)
	if r.code != 0 {
		t.Fatalf("the workflow: %s", r)
	}
	s.checkNothingOutside(t, r, mark, event != "push")
	if event != "push" {
		if !strings.HasPrefix(r.summary, "## Rehearsed ") {
			t.Errorf("it is not dry: %s", r)
		}
		return
	}
	if !strings.HasPrefix(r.summary, "## Published ") {
		t.Errorf("it is not published: %s", r)
	}
	s.checkSummaryVerifies(t, r)
}
