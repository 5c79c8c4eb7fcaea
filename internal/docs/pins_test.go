package docs

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

var (
	usesOf = regexp.MustCompile(`(?m)^\s*(?:- )?uses: *"?([^\s"]+)`)
	major  = regexp.MustCompile(`^[\w.-]+/[\w./-]+@(v\d+|[0-9a-f]{40})$`)
)

// A document shows an action by its major version, which whoever copies it may pin by commit: never a branch, and no version
// that is old tomorrow.
func TestDocumentsUseActionsByMajorVersion(t *testing.T) {
	texts := documents(t)
	examples, err := filepath.Glob(filepath.Join(root, "docs", "examples", "*", "*.yml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range examples {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		texts[file] = string(raw)
	}
	found := 0
	for doc, text := range texts {
		for _, m := range usesOf.FindAllStringSubmatch(text, -1) {
			found++
			if !major.MatchString(m[1]) {
				t.Errorf("%s: %s", doc, m[1])
			}
		}
	}
	if found < 10 {
		t.Errorf("only %d steps with an action were found", found)
	}
}
