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
	for what, getenv := range map[string]func(string) string{
		"an event that cannot be read": env("GITHUB_EVENT_NAME", "push", "GITHUB_WORKSPACE", "/w", "GITHUB_EVENT_PATH", t.TempDir()),
		"an attempt that is no number": env("GITHUB_EVENT_NAME", "push", "GITHUB_WORKSPACE", "/w", "GITHUB_RUN_ATTEMPT", "x"),
	} {
		if job := actions.New(getenv, &bytes.Buffer{}).Job(); job != (actions.Job{EventName: "push", Workspace: "/w"}) {
			t.Errorf("%s: %+v", what, job)
		}
	}
	if job := actions.New(env(), &bytes.Buffer{}).Job(); job != (actions.Job{}) {
		t.Errorf("outside of a job: %+v", job)
	}
}
