package docs

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// goFiles are the Go files of a package by its folder.
func goFiles(t *testing.T, dir string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, filepath.FromSlash(dir), "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// testsIn are the names of the tests in a folder.
func testsIn(t *testing.T, dir string) []string {
	t.Helper()
	var out []string
	for _, file := range goFiles(t, dir) {
		if !strings.HasSuffix(file, "_test.go") {
			continue
		}
		for _, m := range testFunc.FindAllStringSubmatch(read(t, file), -1) {
			out = append(out, m[1])
		}
	}
	return out
}

var codePath = regexp.MustCompile("`((?:cmd|internal|pkg)/[^`\\s*]+)`")

// TestPathsThatAreNamedExist looks for every package and file of this module that a document names.
func TestPathsThatAreNamedExist(t *testing.T) {
	named := 0
	for doc, text := range documents(t) {
		for _, m := range codePath.FindAllStringSubmatch(text, -1) {
			named++
			if _, err := os.Stat(filepath.Join(root, filepath.FromSlash(m[1]))); err != nil {
				t.Errorf("%s: there is no %s", doc, m[1])
			}
		}
	}
	if named < 60 {
		t.Errorf("only %d paths were found", named)
	}
}

// TestEveryRoomIsInTheTable: CONTRIBUTING's table of rooms has each package of the module.
func TestEveryRoomIsInTheTable(t *testing.T) {
	var table []string
	for line := range strings.SplitSeq(documents(t)["CONTRIBUTING.md"], "\n") {
		if cells := strings.Split(line, "|"); len(cells) == 4 {
			for _, m := range span.FindAllStringSubmatch(cells[1], -1) {
				table = append(table, m[1])
			}
		}
	}
	rooms := 0
	for _, room := range packages(t) {
		rooms++
		if !slices.Contains(table, room) {
			t.Errorf("CONTRIBUTING.md: no row for %s", room)
		}
	}
	if rooms < 30 || len(table) != rooms {
		t.Errorf("%d packages and %d in the table", rooms, len(table))
	}
}

// packages are the folders with Go code, but for programs of tests in folders of their own.
func packages(t *testing.T) []string {
	t.Helper()
	var out []string
	for _, top := range []string{"cmd", "internal", "pkg"} {
		err := filepath.WalkDir(filepath.Join(root, top), func(dir string, d os.DirEntry, err error) error {
			if err != nil || !d.IsDir() {
				return err
			}
			if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil || d.Name() == "testdata" {
				return filepath.SkipDir
			}
			rel, err := filepath.Rel(root, dir)
			if err == nil && len(goFiles(t, filepath.ToSlash(rel))) > 0 {
				out = append(out, filepath.ToSlash(rel))
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return out
}

var fuzzed = regexp.MustCompile(`\bFuzz[A-Z][A-Za-z]*\b`)

// TestFuzzTargetsAreThoseOfTheChecks: CONTRIBUTING names each target that .ci/run fuzzes.
func TestFuzzTargetsAreThoseOfTheChecks(t *testing.T) {
	named := fuzzed.FindAllString(read(t, filepath.Join(root, ".ci", "run")), -1)
	if len(named) < 8 {
		t.Fatalf("only %q are fuzzed", named)
	}
	for _, name := range named {
		if !strings.Contains(documents(t)["CONTRIBUTING.md"], name) {
			t.Errorf("CONTRIBUTING.md: nothing of %s", name)
		}
	}
}
