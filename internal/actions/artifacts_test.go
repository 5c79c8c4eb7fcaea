package actions_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/taglast/taglast/internal/actions"
)

func TestDeclare(t *testing.T) {
	file := filepath.Join(t.TempDir(), "artifacts")
	r := actions.New(env("GITHUB_ARTIFACTS", file), &bytes.Buffer{})
	for _, lines := range [][]string{{"oci://a@sha256:1", "oci://b@sha256:2"}, nil, {"oci://c@sha256:3"}} {
		if err := r.Declare(lines); err != nil {
			t.Fatal(err)
		}
	}
	const want = "oci://a@sha256:1\noci://b@sha256:2\noci://c@sha256:3\n"
	if got := read(t, file); got != want {
		t.Errorf("wrote %q", got)
	}
	for _, line := range []string{"a=b", "a\nb", "a\rb", strings.Repeat("x", 1<<20)} {
		if err := r.Declare([]string{line}); err == nil {
			t.Errorf("%.20q: no error", line)
		}
	}
	if got := read(t, file); got != want {
		t.Errorf("and then wrote %q", got)
	}
	if err := actions.New(env(), &bytes.Buffer{}).Declare([]string{"oci://a@sha256:1"}); err != nil {
		t.Errorf("without a file: %v", err)
	}
}

func TestArtifactsOfEarlierSteps(t *testing.T) {
	file := filepath.Join(t.TempDir(), "list")
	for content, want := range map[string]int{
		`{"version":1,"subjects":[{"name":"a","digest":"sha256:1","kind":"oci"},{"name":"b","digest":"sha256:2","kind":"file"}]}`: 2,
		"": 0, "[]": 0, `{"subjects":{}}`: 0,
	} {
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		got := actions.New(env("GITHUB_ARTIFACTS_LIST", file), &bytes.Buffer{}).Artifacts()
		if len(got) != want || want > 0 && got["a"] != "sha256:1" {
			t.Errorf("%q: %v", content, got)
		}
	}
	for _, getenv := range []func(string) string{env(), env("GITHUB_ARTIFACTS_LIST", file+"x")} {
		if got := actions.New(getenv, &bytes.Buffer{}).Artifacts(); len(got) != 0 {
			t.Errorf("%v", got)
		}
	}
}
