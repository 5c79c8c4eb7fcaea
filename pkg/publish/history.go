package publish

import (
	"errors"
	"time"

	"github.com/taglast/taglast/internal/commits"
	"github.com/taglast/taglast/internal/event"
	"github.com/taglast/taglast/internal/github"
	"github.com/taglast/taglast/internal/retry"
)

// history is where this run learns of the repository's commits.
func (r *run) history(payload event.Payload) *commits.History {
	return commits.New(commits.Options{
		Dir: r.o.WorkDir, Payload: payload, Repository: r.o.Getenv("GITHUB_REPOSITORY"),
		API: r.githubAPI, Lenient: r.mode.readOnly(), Warn: r.o.Observer.Warn,
	})
}

// githubAPI is GitHub's REST API, tried for so long; an error where a run has none to ask.
func (r *run) githubAPI(budget time.Duration) (*github.API, error) {
	if r.mode.offline() {
		return nil, errors.New("offline")
	}
	if r.mode.readOnly() {
		budget = min(budget, dryBudget)
	}
	return github.New(github.Options{
		HTTP: r.network, URL: r.o.Getenv("GITHUB_API_URL"), Token: r.token(), UserAgent: r.userAgent(),
		Retry: retry.Policy{Budget: budget, Report: r.waiting("GitHub")},
	})
}
