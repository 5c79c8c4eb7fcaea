package publish

import (
	"errors"
	"net/http"
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
		API: func(budget time.Duration) (*github.API, error) {
			if r.mode.offline() {
				return nil, errors.New("offline")
			}
			if r.mode.readOnly() {
				budget = min(budget, dryBudget)
			}
			return githubAPI(r.network, r.env(), r.o.Version, retry.Policy{Budget: budget, Report: r.waiting("GitHub")})
		},
		Lenient: r.mode.readOnly(), Warn: r.o.Observer.Warn,
	})
}

// githubAPI is the REST API of the environment's GitHub, with the job's token where there is one.
func githubAPI(transport http.RoundTripper, getenv event.Getenv, version string, policy retry.Policy) (*github.API, error) {
	return github.New(github.Options{
		HTTP: transport, URL: getenv("GITHUB_API_URL"), Token: githubToken(getenv), UserAgent: userAgent(version), Retry: policy,
	})
}

// githubToken is the job's, for GitHub's API.
func githubToken(getenv event.Getenv) string { return or(getenv("GITHUB_TOKEN"), getenv("GH_TOKEN")) }

func userAgent(version string) string { return "taglast/" + or(version, "devel") }
