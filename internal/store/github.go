package store

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"

	"github.com/taglast/taglast/internal/escape"
	"github.com/taglast/taglast/internal/github"
	"github.com/taglast/taglast/internal/retry"
	"github.com/taglast/taglast/internal/weburl"
)

const defaultServerURL = "https://github.com"

// GitHubOptions say which repository keeps the bundles.
type GitHubOptions struct {
	HTTP       http.RoundTripper // required
	APIURL     string            // GITHUB_API_URL; empty means https://api.github.com
	ServerURL  string            // GITHUB_SERVER_URL; empty means https://github.com
	Repository string            // OWNER/NAME
	Token      string            // a secret, with attestations: write
	Retry      retry.Policy      // a zero budget means 5 minutes
	UserAgent  string            // empty means the transport's own
}

// GitHub keeps bundles in a repository's attestations, through GitHub's API. It is safe for concurrent use.
type GitHub struct {
	api    *github.API
	scope  string // repos/OWNER/NAME
	server string // https://github.com/OWNER/NAME
}

// repositoryName matches the names that GitHub allows for an owner and a repository.
var repositoryName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_-]*/[A-Za-z0-9._-]+$`)

// NewGitHub checks the options. It sends nothing.
func NewGitHub(o GitHubOptions) (*GitHub, error) {
	if _, name, _ := strings.Cut(o.Repository, "/"); !repositoryName.MatchString(o.Repository) || name == "." || name == ".." {
		return nil, fmt.Errorf("attestations API: %q is not OWNER/NAME", escape.Bounded(o.Repository, 200))
	}
	if o.Token == "" {
		return nil, errors.New("attestations API: no token: GITHUB_TOKEN is not set")
	}
	if o.ServerURL == "" {
		o.ServerURL = defaultServerURL
	}
	server, err := weburl.ParseBase(o.ServerURL)
	if err != nil {
		return nil, fmt.Errorf("attestations API: %q is not an https URL", weburl.ShowText(o.ServerURL))
	}
	api, err := github.New(github.Options{HTTP: o.HTTP, URL: o.APIURL, Token: o.Token, Retry: o.Retry, UserAgent: o.UserAgent})
	if err != nil {
		return nil, err
	}
	return &GitHub{api: api, scope: "repos/" + o.Repository, server: server.JoinPath(o.Repository).String()}, nil
}

// Name is "github".
func (g *GitHub) Name() string { return "github" }

// List returns the bundles of digest that workflows posted with that predicate type, of all pages.
func (g *GitHub) List(ctx context.Context, digest, predicateType string) ([]Stored, error) {
	return g.list(ctx, g.api, digest, predicateType)
}

func (g *GitHub) list(ctx context.Context, api *github.API, digest, predicateType string) ([]Stored, error) {
	records, err := api.Attestations(ctx, g.scope, digest, predicateType, 0)
	if err != nil {
		return nil, err
	}
	var found []Stored
	var errs []error
	for i, r := range records {
		err := r.Err
		if err == nil {
			_, err = r.Bundle.Statement()
		}
		if err == nil && !r.Bundle.HasSubject(digest) {
			err = errors.New("its statement does not name this digest")
		}
		switch {
		case err != nil:
			errs = append(errs, &unreadableError{fmt.Sprintf("%d of %d", i+1, len(records)), err})
		case predicateType == "" || r.Bundle.PredicateType() == predicateType:
			found = append(found, Stored{Bundle: r.Bundle})
		}
	}
	return found, errors.Join(errs...)
}
