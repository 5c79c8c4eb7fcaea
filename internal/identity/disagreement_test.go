package identity_test

import (
	"maps"
	"testing"

	"github.com/taglast/taglast/internal/identity"
)

func TestDisagreement(t *testing.T) {
	c := identity.Claims{
		Repository: "Foo/Bar", RepositoryID: "123", RepositoryOwnerID: "456", Ref: "refs/tags/v1", SHA: "aaaa", EventName: "push",
		WorkflowRef: "Foo/Bar/.github/workflows/rel.yml@refs/tags/v1", RunID: "777", RunAttempt: "2",
	}
	same := map[string]string{
		"GITHUB_REPOSITORY": "foo/bar", "GITHUB_REPOSITORY_ID": "123", "GITHUB_REPOSITORY_OWNER_ID": "456", "GITHUB_REF": "refs/tags/v1",
		"GITHUB_SHA": "aaaa", "GITHUB_EVENT_NAME": "push", "GITHUB_WORKFLOW_REF": c.WorkflowRef, "GITHUB_RUN_ID": "777", "GITHUB_RUN_ATTEMPT": "2",
	}
	with := func(change map[string]string) func(string) string {
		env := maps.Clone(same)
		maps.Copy(env, change)
		return func(name string) string { return env[name] }
	}
	if err := identity.Disagreement(c, with(nil)); err != nil {
		t.Errorf("the same job: %v", err)
	}
	if err := identity.Disagreement(c, func(string) string { return "" }); err != nil {
		t.Errorf("no environment: %v", err)
	}
	for name := range same {
		if err := identity.Disagreement(c, with(map[string]string{name: "x"})); err == nil {
			t.Errorf("%s may differ", name)
		}
	}
	if err := identity.Disagreement(c, with(map[string]string{"GITHUB_REF": "refs/tags/V1"})); err == nil {
		t.Error("the case of a ref may differ")
	}
	err := identity.Disagreement(c, with(map[string]string{"GITHUB_RUN_ATTEMPT": "1", "GITHUB_SHA": "\x1b[1m"}))
	const want = `ID token and environment disagree: GITHUB_SHA is \x1b[1m, the token says aaaa; GITHUB_RUN_ATTEMPT is 1, the token says 2`
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}
