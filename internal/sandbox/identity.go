package sandbox

import (
	"encoding/json"
	"strings"
	"time"
)

// Identity is what the runner's ID tokens say of the job: GitHub's claims (GitHub, "OpenID Connect reference").
// Empty fields get the values of a tag push of acme/app, derived from the fields that are set.
type Identity struct {
	Repository           string // owner/name
	RepositoryID         string
	RepositoryOwner      string
	RepositoryOwnerID    string
	RepositoryVisibility string // public, private or internal
	Ref                  string
	RefType              string // branch or tag
	HeadRef              string
	BaseRef              string
	SHA                  string
	EventName            string
	Workflow             string // the workflow's name
	WorkflowRef          string // owner/name/.github/workflows/file.yml@ref
	WorkflowSHA          string
	JobWorkflowRef       string // the called workflow of a reusable one, else WorkflowRef
	JobWorkflowSHA       string
	RunID                string
	RunNumber            string
	RunAttempt           string
	RunnerEnvironment    string // github-hosted or self-hosted
	Environment          string // the deployment environment, if any
	Actor                string
	ActorID              string
	Subject              string
	OwnerType            string // Organization or User: no claim, but in the event
}

// withDefaults fills what is empty.
func (i Identity) withDefaults() Identity {
	set := func(field *string, value string) {
		if *field == "" {
			*field = value
		}
	}
	set(&i.Repository, "acme/app")
	owner, _, _ := strings.Cut(i.Repository, "/")
	set(&i.RepositoryID, "1001")
	set(&i.RepositoryOwner, owner)
	set(&i.RepositoryOwnerID, "2002")
	set(&i.RepositoryVisibility, "public")
	set(&i.Ref, "refs/tags/v1.2.3")
	set(&i.RefType, refType(i.Ref))
	set(&i.SHA, strings.Repeat("a", 40))
	set(&i.EventName, "push")
	set(&i.Workflow, "release")
	set(&i.WorkflowRef, i.Repository+"/.github/workflows/release.yml@"+i.Ref)
	set(&i.WorkflowSHA, i.SHA)
	set(&i.JobWorkflowRef, i.WorkflowRef)
	set(&i.JobWorkflowSHA, i.WorkflowSHA)
	set(&i.RunID, "3003")
	set(&i.RunNumber, "1")
	set(&i.RunAttempt, "1")
	set(&i.RunnerEnvironment, "github-hosted")
	set(&i.Actor, i.RepositoryOwner)
	set(&i.ActorID, i.RepositoryOwnerID)
	set(&i.Subject, i.subject())
	set(&i.OwnerType, "Organization")
	return i
}

func refType(ref string) string {
	if strings.HasPrefix(ref, "refs/tags/") {
		return "tag"
	}
	return "branch"
}

// subject is GitHub's default form of the sub claim.
func (i Identity) subject() string {
	switch {
	case i.Environment != "":
		return "repo:" + i.Repository + ":environment:" + i.Environment
	case i.EventName == "pull_request":
		return "repo:" + i.Repository + ":pull_request"
	default:
		return "repo:" + i.Repository + ":ref:" + i.Ref
	}
}

// claims are the token's claims for an audience, valid for five minutes as GitHub's are.
func (i Identity) claims(issuer, audience, id string, now time.Time) map[string]any {
	c := map[string]any{
		"iss": issuer, "aud": audience, "sub": i.Subject, "jti": id,
		"iat": now.Unix(), "nbf": now.Add(-5 * time.Minute).Unix(), "exp": now.Add(tokenLife).Unix(),
		"ref": i.Ref, "ref_type": i.RefType, "ref_protected": "false", "head_ref": i.HeadRef, "base_ref": i.BaseRef,
		"sha": i.SHA, "event_name": i.EventName,
		"repository": i.Repository, "repository_id": i.RepositoryID, "repository_visibility": i.RepositoryVisibility,
		"repository_owner": i.RepositoryOwner, "repository_owner_id": i.RepositoryOwnerID,
		"workflow": i.Workflow, "workflow_ref": i.WorkflowRef, "workflow_sha": i.WorkflowSHA,
		"job_workflow_ref": i.JobWorkflowRef, "job_workflow_sha": i.JobWorkflowSHA,
		"run_id": i.RunID, "run_number": i.RunNumber, "run_attempt": i.RunAttempt,
		"runner_environment": i.RunnerEnvironment, "actor": i.Actor, "actor_id": i.ActorID,
	}
	if i.Environment != "" {
		c["environment"] = i.Environment
	}
	return c
}

// event is the payload of the webhook that started the job, as far as a publisher reads it. That of a push names the
// commit, and its committer's date (GitHub, "Webhook events and payloads").
func (i Identity) event(server string, committed time.Time) ([]byte, error) {
	owner, name, _ := strings.Cut(i.Repository, "/")
	payload := map[string]any{
		"ref": i.Ref,
		"repository": map[string]any{
			"id": json.Number(i.RepositoryID), "name": name, "full_name": i.Repository,
			"html_url": server + "/" + i.Repository, "visibility": i.RepositoryVisibility,
			"private": i.RepositoryVisibility != "public", "default_branch": "main", "description": "",
			"owner":   map[string]any{"login": owner, "id": json.Number(i.RepositoryOwnerID), "type": i.OwnerType},
			"license": map[string]any{"key": "apache-2.0", "name": "Apache License 2.0", "spdx_id": "Apache-2.0"},
		},
	}
	if i.EventName == "push" {
		if committed.IsZero() {
			committed = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
		}
		payload["head_commit"] = map[string]any{"id": i.SHA, "timestamp": committed.UTC().Format(time.RFC3339)}
	}
	return json.Marshal(payload)
}
