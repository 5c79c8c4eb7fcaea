package publish_test

import (
	"testing"

	"github.com/taglast/taglast/pkg/publish"
)

// A library user who names no environment has the process's own, as with the command.
func TestNilGetenvIsTheEnvironmentOfTheProcess(t *testing.T) {
	for key, value := range map[string]string{
		"GITHUB_ACTIONS": "", "GITHUB_EVENT_PATH": "", "GITHUB_EVENT_NAME": "push", "GITHUB_REPOSITORY": "acme/hello",
		"GITHUB_REF": "refs/tags/v7.8.9", "GITHUB_SHA": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
	} {
		t.Setenv(key, value)
	}
	set, err := publish.Tags(t.Context(), publish.TagsOptions{Rules: []string{"type=semver,pattern={{version}}"}, WorkDir: t.TempDir()})
	if err != nil || set.Version != "7.8.9" {
		t.Errorf("tags of version %q, error %v", set.Version, err)
	}
	file := parse(t, "images:\n- name: hello\n  repositories: ghcr.io/acme/hello\n  source: {oci: image}\n  tags: type=semver,pattern={{version}}\n")
	report, err := publish.Plan(t.Context(), publish.Options{File: file, WorkDir: t.TempDir(), OutputDir: t.TempDir()}, true)
	if err != nil || report.Version != "7.8.9" {
		t.Errorf("a plan of version %q, error %v", report.Version, err)
	}
}
