package actions_test

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/taglast/taglast/internal/actions"
)

func TestSummaryAppends(t *testing.T) {
	file := filepath.Join(t.TempDir(), "summary")
	r := actions.New(env("GITHUB_STEP_SUMMARY", file), &bytes.Buffer{})
	for _, part := range []string{"## Published", "| a |\n", ""} {
		if err := r.Summary(part); err != nil {
			t.Fatal(err)
		}
	}
	if got := read(t, file); got != "## Published\n| a |\n" {
		t.Errorf("wrote %q", got)
	}
}

func TestASummaryOver1MiBIsAnErrorAndNotWritten(t *testing.T) {
	file := filepath.Join(t.TempDir(), "summary")
	r := actions.New(env("GITHUB_STEP_SUMMARY", file), &bytes.Buffer{})
	half := strings.Repeat("x", 1<<19-1) + "\n"
	for _, want := range []bool{true, true, false} {
		if err := r.Summary(half); (err == nil) != want {
			t.Errorf("got %v", err)
		}
	}
	if got := len(read(t, file)); got != 1<<20 {
		t.Errorf("%d bytes", got)
	}
}

func TestWithoutTheRunnersFilesNothingHappens(t *testing.T) {
	var log bytes.Buffer
	r := actions.New(env("GITHUB_ACTIONS", "true"), &log)
	if err := r.Summary("x"); err != nil {
		t.Error(err)
	}
	if err := r.Output("digest", "sha256:x"); err != nil {
		t.Error(err)
	}
	if log.Len() > 0 {
		t.Errorf("wrote %q", log.String())
	}
}

func TestAFileThatCannotBeWrittenIsAnError(t *testing.T) {
	dir := t.TempDir()
	r := actions.New(env("GITHUB_STEP_SUMMARY", dir, "GITHUB_OUTPUT", dir), &bytes.Buffer{})
	if r.Summary("x") == nil || r.Output("digest", "x") == nil {
		t.Error("no error")
	}
}

func TestOutput(t *testing.T) {
	file := filepath.Join(t.TempDir(), "output")
	r := actions.New(env("GITHUB_OUTPUT", file), &bytes.Buffer{})
	// The value tries to end every delimiter that it can guess and to set another output.
	value := "line 1\n_GitHubActionsFileCommandDelimeter_\nother=x\nEOF\nother<<EOF\n"
	for _, name := range []string{"report", "image-id"} {
		if err := r.Output(name, value); err != nil {
			t.Fatal(err)
		}
	}
	match := regexp.MustCompile(`^report<<(taglast_[A-Z2-7]{26})\n((?s).*)\n(taglast_[A-Z2-7]{26})\nimage-id<<(taglast_[A-Z2-7]{26})\n`).FindStringSubmatch(read(t, file))
	if match == nil {
		t.Fatalf("wrote %q", read(t, file))
	}
	if match[1] != match[3] || match[1] == match[4] || match[2] != value {
		t.Errorf("delimiters %q, %q, next %q, value %q", match[1], match[3], match[4], match[2])
	}
}

func TestOutputRefuses(t *testing.T) {
	file := filepath.Join(t.TempDir(), "output")
	r := actions.New(env("GITHUB_OUTPUT", file), &bytes.Buffer{})
	for what, c := range map[string][2]string{
		"an empty name":           {"", "x"},
		"a name with a line":      {"a\nb=c", "x"},
		"a name with an equals":   {"a=b", "x"},
		"a name with a heredoc":   {"a<<b", "x"},
		"a name with a digit":     {"1a", "x"},
		"a name without end":      {strings.Repeat("a", 101), "x"},
		"NUL":                     {"a", "x\x00y"},
		"a carriage return":       {"a", "x\ry"},
		"a value longer than 1 M": {"a", strings.Repeat("x", 1<<20+1)},
	} {
		if err := r.Output(c[0], c[1]); err == nil || strings.ContainsAny(err.Error(), "\n\r\x00") {
			t.Errorf("%s: got %v", what, err)
		}
	}
	if _, err := os.Stat(file); !os.IsNotExist(err) {
		t.Errorf("a file was written: %v", err)
	}
}

func read(t *testing.T, file string) string {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
