package actions_test

import (
	"bytes"
	"testing"

	"github.com/taglast/taglast/internal/actions"
)

func TestInput(t *testing.T) {
	r := actions.New(env("INPUT_RELEASE_VERSION", "  1.2.3\n", "INPUT_RELEASE-VERSION", "of another", "INPUT_TAGS", "a\n b "), &bytes.Buffer{})
	for name, want := range map[string]string{"release-version": "1.2.3", "tags": "a\n b", "config": ""} {
		if got := r.Input(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if got := actions.InputVariable("release-version"); got != "INPUT_RELEASE_VERSION" {
		t.Errorf("the variable is %s", got)
	}
}

func TestJob(t *testing.T) {
	r := actions.New(env("GITHUB_EVENT_NAME", "push", "GITHUB_WORKSPACE", "/w", "GITHUB_EVENT_PATH", t.TempDir()), &bytes.Buffer{})
	job, err := r.Job() // an event that cannot be read is of no concern here
	if err != nil || job != (actions.Job{EventName: "push", Workspace: "/w"}) {
		t.Errorf("%+v, %v", job, err)
	}
	if _, err := actions.New(env("GITHUB_RUN_ATTEMPT", "x"), &bytes.Buffer{}).Job(); err == nil {
		t.Error("an attempt that is no number: no error")
	}
}
