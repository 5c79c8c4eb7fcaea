//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var yamlBlock = regexp.MustCompile("(?ms)^ *```yaml\n(.*?)^ *```$")

// TestWorkflowsPassActionlint takes the workflows of .github, of the documents and of the examples.
func TestWorkflowsPassActionlint(t *testing.T) {
	here, err := source()
	if err != nil {
		t.Fatal(err)
	}
	root := filepath.Join(here, "..", "..")
	own, err := filepath.Glob(filepath.Join(root, ".github", "workflows", "*.yml"))
	if err != nil || len(own) < 3 {
		t.Fatalf("%q, %v", own, err)
	}
	lint(t, root, own...)

	dir, files := t.TempDir(), []string(nil)
	put := func(name, text string) {
		files = append(files, write(t, dir, name, []byte(text)))
	}
	documents, err := filepath.Glob(filepath.Join(root, "docs", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range append(documents, filepath.Join(root, "README.md")) {
		for i, m := range yamlBlock.FindAllStringSubmatch(readText(t, file), -1) {
			if strings.Contains("\n"+m[1], "\njobs:") {
				put(fmt.Sprintf("%s-%d.yml", filepath.Base(file), i), m[1])
			}
		}
	}
	if len(files) < 2 {
		t.Errorf("only %d workflows were found in the documents", len(files))
	}
	examples, err := filepath.Glob(filepath.Join(root, "docs", "examples", "*", "*.yml"))
	if err != nil || len(examples) == 0 {
		t.Fatalf("%q, %v", examples, err)
	}
	for _, file := range examples {
		put(filepath.Base(filepath.Dir(file))+"-"+filepath.Base(file), readText(t, file))
	}
	lint(t, dir, files...)

	wrong := write(t, dir, "wrong.yml", []byte("on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n      - run: echo ${{ github.nothing }}\n"))
	if out := actionlint(t, dir, wrong); out.code == 0 {
		t.Error("actionlint accepts a context that there is not")
	}
}

func lint(t *testing.T, dir string, files ...string) {
	t.Helper()
	if out := actionlint(t, dir, files...); out.code != 0 {
		t.Errorf("actionlint: %s", out)
	}
}

// actionlint runs without shellcheck, which a machine has or has not.
func actionlint(t *testing.T, dir string, files ...string) outcome {
	t.Helper()
	file, err := actionlintTool.file()
	if err != nil {
		t.Fatal(err)
	}
	out, err := run(t.Context(), dir, file, base(t.TempDir()), append([]string{"-no-color", "-shellcheck=", "-pyflakes="}, files...)...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func readText(t *testing.T, file string) string {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}
