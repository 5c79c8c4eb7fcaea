//go:build e2e

package e2e

import (
	"encoding/json"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// actionsIssuer is GitHub's real one. Fulcio reaches it through the gateway.
const actionsIssuer = "https://token.actions.githubusercontent.com"

// A job is a workflow's job as GitHub sees it: what its ID tokens claim and what its environment says.
type job struct {
	Repository    string // OWNER/REPO
	RepositoryID  string
	OwnerID       string
	OwnerType     string
	Visibility    string
	Ref, SHA      string
	Event         string
	Workflow      string
	WorkflowPath  string // .github/workflows/release.yml
	SignerRef     string // job_workflow_ref; the workflow itself where empty
	SignerSHA     string
	RunID         string
	RunAttempt    string
	RunnerKind    string // github-hosted or self-hosted
	Enterprise    string // a slug that customises the issuer
	NoAttestation bool   // the job lacks attestations: write
	NoPackages    bool   // the job lacks packages: write
}

// release is a job of acme/app that a push of the git tag v1.2.3 started.
func release() job {
	return job{
		Repository: "acme/app", RepositoryID: "1001", OwnerID: "2002", OwnerType: "Organization", Visibility: "public",
		Ref: "refs/tags/v1.2.3", SHA: strings.Repeat("ab12", 10), Event: "push",
		Workflow: "release", WorkflowPath: ".github/workflows/release.yml",
		RunID: "4711", RunAttempt: "1", RunnerKind: "github-hosted",
	}
}

func (j job) owner() string       { return strings.Split(j.Repository, "/")[0] }
func (j job) workflowRef() string { return j.Repository + "/" + j.WorkflowPath + "@" + j.Ref }

func (j job) signerRef() string {
	if j.SignerRef != "" {
		return j.SignerRef
	}
	return j.workflowRef()
}

func (j job) signerSHA() string {
	if j.SignerSHA != "" {
		return j.SignerSHA
	}
	return j.SHA
}

func (j job) issuer() string {
	if j.Enterprise != "" {
		return actionsIssuer + "/" + j.Enterprise
	}
	return actionsIssuer
}

// identity is what the certificate's subject alternative name will be.
func (j job) identity() string { return "https://github.com/" + j.signerRef() }

// claims are those of GitHub's ID tokens (GitHub, "OpenID Connect reference"), without the times.
func (j job) claims() map[string]any {
	refType := "branch"
	if strings.HasPrefix(j.Ref, "refs/tags/") {
		refType = "tag"
	}
	return map[string]any{
		"iss": j.issuer(), "sub": "repo:" + j.Repository + ":ref:" + j.Ref,
		"ref": j.Ref, "ref_type": refType, "ref_protected": "false", "sha": j.SHA,
		"repository": j.Repository, "repository_id": j.RepositoryID, "repository_visibility": j.Visibility,
		"repository_owner": j.owner(), "repository_owner_id": j.OwnerID,
		"event_name": j.Event, "head_ref": "", "base_ref": "", "actor": "octocat", "actor_id": "1",
		"workflow": j.Workflow, "workflow_ref": j.workflowRef(), "workflow_sha": j.SHA,
		"job_workflow_ref": j.signerRef(), "job_workflow_sha": j.signerSHA(),
		"run_id": j.RunID, "run_number": "7", "run_attempt": j.RunAttempt, "runner_environment": j.RunnerKind,
	}
}

// environ is the environment of the job's steps. The tokens in it are good until the test ends.
func (j job) environ(t testing.TB, s *stack) []string {
	t.Helper()
	return j.environWith(t, s, nil)
}

// environWith is environ, of an event whose payload has more.
func (j job) environWith(t testing.TB, s *stack, payload map[string]any) []string {
	t.Helper()
	dir := t.TempDir()
	event := map[string]any{
		"ref": j.Ref,
		"repository": map[string]any{
			"id": json.Number(j.RepositoryID), "full_name": j.Repository, "name": strings.Split(j.Repository, "/")[1],
			"visibility": j.Visibility, "private": j.Visibility != "public", "default_branch": "main",
			"html_url": "https://github.com/" + j.Repository,
			"owner":    map[string]any{"login": j.owner(), "id": json.Number(j.OwnerID), "type": j.OwnerType},
		},
	}
	if j.Event == "push" { // a dispatch, for one, tells nothing of the commit
		event["after"], event["deleted"], event["head_commit"] = j.SHA, false, map[string]any{"id": j.SHA, "timestamp": "2026-03-04T05:06:07Z"}
	}
	maps.Copy(event, payload)
	raw, err := json.Marshal(event)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "event.json")
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	requestToken, githubToken := s.github.admit(t, j)
	kind, name, _ := strings.Cut(strings.TrimPrefix(j.Ref, "refs/"), "/")
	if kind = strings.TrimSuffix(kind, "s"); kind == "head" {
		kind = "branch"
	}
	return append(append(base(t.TempDir()), s.proxied()...),
		"CI=true", "GITHUB_ACTIONS=true", "RUNNER_TEMP="+dir, "RUNNER_ENVIRONMENT="+j.RunnerKind,
		"GITHUB_SERVER_URL=https://github.com", "GITHUB_API_URL=https://api.github.com",
		"GITHUB_REPOSITORY="+j.Repository, "GITHUB_REPOSITORY_ID="+j.RepositoryID,
		"GITHUB_REPOSITORY_OWNER="+j.owner(), "GITHUB_REPOSITORY_OWNER_ID="+j.OwnerID,
		"GITHUB_REF="+j.Ref, "GITHUB_REF_TYPE="+kind, "GITHUB_REF_NAME="+name, "GITHUB_SHA="+j.SHA,
		"GITHUB_EVENT_NAME="+j.Event, "GITHUB_EVENT_PATH="+path,
		"GITHUB_WORKFLOW="+j.Workflow, "GITHUB_WORKFLOW_REF="+j.workflowRef(), "GITHUB_WORKFLOW_SHA="+j.SHA,
		"GITHUB_RUN_ID="+j.RunID, "GITHUB_RUN_NUMBER=7", "GITHUB_RUN_ATTEMPT="+j.RunAttempt, "GITHUB_ACTOR=octocat",
		"GITHUB_TOKEN="+githubToken,
		"ACTIONS_ID_TOKEN_REQUEST_URL=https://"+runnerHost+"/oidc/idtoken/"+url.PathEscape(j.RunID)+"?api-version=2.0",
		"ACTIONS_ID_TOKEN_REQUEST_TOKEN="+requestToken,
	)
}
