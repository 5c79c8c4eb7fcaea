package publish

import (
	"errors"
	"fmt"

	"github.com/taglast/taglast/internal/hint"
	"github.com/taglast/taglast/internal/retry"
	"github.com/taglast/taglast/internal/store"
)

// checkStores refuses a kind of store that there is not.
func (r *run) checkStores() error {
	for _, kind := range r.o.Stores {
		if kind != "github" {
			return usage("", fmt.Errorf("--store %s: this version of taglast keeps bundles in `github` only", kind))
		}
	}
	return nil
}

// checkStoreToken refuses a job that has no token to store attestations with, before one that signs is asked for.
func (r *run) checkStoreToken() error {
	if githubToken(r.env()) == "" {
		return at(StagePlan, "", "", hint.With(errors.New("store github: there is no GITHUB_TOKEN to store attestations with"),
			"set `env: {GITHUB_TOKEN: \"${{ github.token }}\"}` on the step"))
	}
	return nil
}

// openStores opens the stores of the token's repository.
func (r *run) openStores() error {
	s, err := store.NewGitHub(store.GitHubOptions{
		HTTP: r.network, APIURL: or(r.o.Getenv("GITHUB_API_URL"), "https://api.github.com"), ServerURL: r.serverURL,
		Repository: r.claims.Repository, Token: githubToken(r.env()), UserAgent: userAgent(r.o.Version),
		Retry: retry.Policy{Budget: tokenBudget, Report: r.waiting("store github")},
	})
	if err != nil {
		return err
	}
	r.stores, r.openers = []store.Store{s}, []store.Opener{store.Shared(s)}
	return nil
}
