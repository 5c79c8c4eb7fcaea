package provenance_test

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/taglast/taglast/internal/identity"
	"github.com/taglast/taglast/internal/provenance"
)

func Example() {
	claims := identity.Claims{ // of a verified token: identity.Verifier makes them
		Ref: "refs/tags/v1.2.3", SHA: strings.Repeat("4", 40), Repository: "acme/app", RepositoryID: "1", RepositoryOwnerID: "2",
		EventName: "push", WorkflowRef: "acme/app/.github/workflows/image.yml@refs/tags/v1.2.3",
		JobWorkflowRef: "acme/app/.github/workflows/image.yml@refs/tags/v1.2.3", RunID: "7", RunAttempt: "1", RunnerEnvironment: "github-hosted",
	}
	index, amd64 := "sha256:"+strings.Repeat("a", 64), "sha256:"+strings.Repeat("b", 64)
	statement, err := provenance.Statement(provenance.Input{
		Claims:   claims,
		Subjects: provenance.Subjects([]string{"ghcr.io/acme/app"}, index, []string{amd64}),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	var shown struct {
		Subject   []struct{ Name string }
		Predicate struct {
			RunDetails struct {
				Builder struct{ ID string }
			}
		}
	}
	if err := json.Unmarshal(statement, &shown); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(shown.Subject)
	fmt.Println(shown.Predicate.RunDetails.Builder.ID)
	// Output:
	// [{ghcr.io/acme/app} {ghcr.io/acme/app}]
	// https://github.com/acme/app/.github/workflows/image.yml@refs/tags/v1.2.3
}
