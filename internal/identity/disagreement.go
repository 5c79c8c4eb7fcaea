package identity

import (
	"fmt"
	"strings"

	"github.com/taglast/taglast/internal/escape"
)

// Disagreement compares the claims with the job's environment (GitHub, "Variables reference"). Each variable that is set
// must say what the token says; the letter case of the repository's name does not matter. The error names all variables
// that differ, and is nil where none does.
func Disagreement(c Claims, getenv func(string) string) error {
	var differ []string
	for _, v := range []struct {
		name, claim string
		equal       func(a, b string) bool
	}{
		{"GITHUB_REPOSITORY", c.Repository, strings.EqualFold},
		{"GITHUB_REPOSITORY_ID", c.RepositoryID, equal},
		{"GITHUB_REPOSITORY_OWNER_ID", c.RepositoryOwnerID, equal},
		{"GITHUB_REF", c.Ref, equal},
		{"GITHUB_SHA", c.SHA, equal},
		{"GITHUB_EVENT_NAME", c.EventName, equal},
		{"GITHUB_WORKFLOW_REF", c.WorkflowRef, equal},
		{"GITHUB_RUN_ID", c.RunID, equal},
		{"GITHUB_RUN_ATTEMPT", c.RunAttempt, equal},
	} {
		if value := getenv(v.name); value != "" && !v.equal(value, v.claim) {
			differ = append(differ, fmt.Sprintf("%s is %s, the token says %s", v.name, escape.Bounded(value, 200), escape.Bounded(v.claim, 200)))
		}
	}
	if differ == nil {
		return nil
	}
	return fmt.Errorf("ID token and environment disagree: %s", strings.Join(differ, "; "))
}

func equal(a, b string) bool { return a == b }
