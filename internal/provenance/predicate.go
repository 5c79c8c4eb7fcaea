package provenance

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/taglast/taglast/internal/escape"
	"github.com/taglast/taglast/internal/identity"
)

// SLSA provenance v1, as far as it is written here; the order of the fields is the order of the keys.
type (
	predicate struct {
		BuildDefinition buildDefinition `json:"buildDefinition"`
		RunDetails      runDetails      `json:"runDetails"`
	}
	buildDefinition struct {
		BuildType            string             `json:"buildType"`
		ExternalParameters   externalParameters `json:"externalParameters"`
		InternalParameters   internalParameters `json:"internalParameters"`
		ResolvedDependencies []descriptor       `json:"resolvedDependencies"`
	}
	externalParameters struct {
		Workflow workflow `json:"workflow"`
	}
	workflow struct {
		Ref        string `json:"ref"`
		Repository string `json:"repository"`
		Path       string `json:"path"`
	}
	internalParameters struct {
		GitHub github `json:"github"`
	}
	github struct {
		EventName         string `json:"event_name"`
		RepositoryID      string `json:"repository_id"`
		RepositoryOwnerID string `json:"repository_owner_id"`
		RunnerEnvironment string `json:"runner_environment"`
	}
	runDetails struct {
		Builder  builder  `json:"builder"`
		Metadata metadata `json:"metadata"`
	}
	builder struct {
		ID                  string       `json:"id"`
		BuilderDependencies []descriptor `json:"builderDependencies,omitempty"`
	}
	metadata struct {
		InvocationID string `json:"invocationId"`
		FinishedOn   string `json:"finishedOn,omitempty"`
	}
)

var gitCommit = regexp.MustCompile(`^[0-9a-f]{40}$`)

// newPredicate fills in every field that GitHub's action writes, from the same claims, and the additions.
func newPredicate(in Input) (predicate, error) {
	c := in.Claims
	if err := checkClaims(c); err != nil {
		return predicate{}, err
	}
	server, err := serverURL(in.ServerURL)
	if err != nil {
		return predicate{}, err
	}
	dependencies, err := descriptors(in.Dependencies)
	if err != nil {
		return predicate{}, fmt.Errorf("dependency %w", err)
	}
	builderDependencies, err := descriptors(in.BuilderDependencies)
	if err != nil {
		return predicate{}, fmt.Errorf("builder dependency %w", err)
	}
	finished := ""
	if !in.FinishedOn.IsZero() {
		finished = in.FinishedOn.UTC().Truncate(time.Second).Format(time.RFC3339)
	}
	repository := server + "/" + c.Repository
	source := descriptor{URI: "git+" + repository + "@" + c.Ref, Digest: map[string]string{"gitCommit": c.SHA}}
	return predicate{
		BuildDefinition: buildDefinition{
			BuildType:          BuildType,
			ExternalParameters: externalParameters{workflow{Ref: c.Ref, Repository: repository, Path: workflowPath(c)}},
			InternalParameters: internalParameters{github{
				EventName: c.EventName, RepositoryID: c.RepositoryID, RepositoryOwnerID: c.RepositoryOwnerID, RunnerEnvironment: c.RunnerEnvironment,
			}},
			ResolvedDependencies: append([]descriptor{source}, dependencies...),
		},
		RunDetails: runDetails{
			Builder: builder{ID: server + "/" + c.JobWorkflowRef, BuilderDependencies: builderDependencies},
			Metadata: metadata{
				InvocationID: repository + "/actions/runs/" + c.RunID + "/attempts/" + c.RunAttempt,
				FinishedOn:   finished,
			},
		},
	}, nil
}

// workflowPath is the file of workflow_ref (OWNER/REPO/PATH@REF): without the repository, where that is the job's own,
// and up to the first "@", for a tag may hold another.
func workflowPath(c identity.Claims) string {
	path, _, _ := strings.Cut(strings.Replace(c.WorkflowRef, c.Repository+"/", "", 1), "@")
	return path
}

func checkClaims(c identity.Claims) error {
	var missing []string
	for _, claim := range []struct{ name, value string }{
		{"ref", c.Ref},
		{"sha", c.SHA},
		{"repository", c.Repository},
		{"event_name", c.EventName},
		{"job_workflow_ref", c.JobWorkflowRef},
		{"workflow_ref", c.WorkflowRef},
		{"repository_id", c.RepositoryID},
		{"repository_owner_id", c.RepositoryOwnerID},
		{"runner_environment", c.RunnerEnvironment},
		{"run_id", c.RunID},
		{"run_attempt", c.RunAttempt},
	} {
		if claim.value == "" {
			missing = append(missing, claim.name)
		}
		if !printable(claim.value) {
			return fmt.Errorf("control characters in claim %s: %s", claim.name, escape.Bounded(claim.value, 200))
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf("missing claims: %s", strings.Join(missing, ", "))
	}
	if !gitCommit.MatchString(c.SHA) {
		return fmt.Errorf("claim sha is %q, not a git commit", escape.Bounded(c.SHA, 200))
	}
	return nil
}

// serverURL is the server's address as it begins the predicate's URIs.
func serverURL(s string) (string, error) {
	if s == "" {
		return "https://github.com", nil
	}
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return "", errors.New("the server URL is not the plain URL of a host")
	}
	return strings.TrimSuffix(s, "/"), nil
}
