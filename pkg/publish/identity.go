package publish

import (
	"context"
	"io"
	"net/http"
	"slices"

	"github.com/taglast/taglast/internal/actions"
	"github.com/taglast/taglast/internal/event"
	"github.com/taglast/taglast/internal/retry"
	"github.com/taglast/taglast/internal/sandbox"
)

// withJob completes the environment of a plan or dry run outside of Actions by the git checkout.
func (o Options) withJob(ctx context.Context) Options {
	var getenv event.Getenv
	getenv, o.branch, o.fromCheckout = event.Getenv(o.Getenv).OrCheckout(ctx, o.workDir())
	o.Getenv = getenv
	return o
}

func (o Options) workDir() string { return or(o.WorkDir, ".") }

// overlay answers with env before the environment.
func (o Options) overlay(env map[string]string) Options {
	under := o.Getenv
	o.Getenv = func(key string) string {
		if v, ok := env[key]; ok {
			return v
		}
		return under(key)
	}
	return o
}

// jobIdentity is what a dry run's ID token says: the job's environment, and the visibility that the event tells. Where no
// event does, as outside of Actions, it is public: the certificate then shows what a public release's would.
func jobIdentity(getenv func(string) string, payload event.Payload) sandbox.Identity {
	visibility := payload.Repository.Visibility
	if !slices.Contains([]string{"public", "private", "internal"}, visibility) {
		visibility = ""
	}
	return sandbox.Identity{
		Repository:           getenv("GITHUB_REPOSITORY"),
		RepositoryID:         getenv("GITHUB_REPOSITORY_ID"),
		RepositoryOwner:      getenv("GITHUB_REPOSITORY_OWNER"),
		RepositoryOwnerID:    getenv("GITHUB_REPOSITORY_OWNER_ID"),
		RepositoryVisibility: visibility,
		Ref:                  getenv("GITHUB_REF"),
		HeadRef:              getenv("GITHUB_HEAD_REF"),
		BaseRef:              getenv("GITHUB_BASE_REF"),
		SHA:                  getenv("GITHUB_SHA"),
		EventName:            getenv("GITHUB_EVENT_NAME"),
		Workflow:             getenv("GITHUB_WORKFLOW"),
		WorkflowRef:          getenv("GITHUB_WORKFLOW_REF"),
		WorkflowSHA:          getenv("GITHUB_WORKFLOW_SHA"),
		RunID:                getenv("GITHUB_RUN_ID"),
		RunNumber:            getenv("GITHUB_RUN_NUMBER"),
		RunAttempt:           getenv("GITHUB_RUN_ATTEMPT"),
		RunnerEnvironment:    getenv("RUNNER_ENVIRONMENT"),
		Actor:                getenv("GITHUB_ACTOR"),
		ActorID:              getenv("GITHUB_ACTOR_ID"),
	}
}

// runnerToken asks the runner of this environment for an ID token; without an IDToken in the options it is what asks. It
// masks nothing: a library has no log.
func (o Options) runnerToken(ctx context.Context, client *http.Client, audience string) (string, error) {
	return actions.New(o.Getenv, io.Discard).IDToken(ctx, client, audience, retry.Policy{Budget: tokenBudget, AttemptTimeout: tokenTimeout})
}
