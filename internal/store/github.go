package store

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/taglast/taglast/internal/escape"
	"github.com/taglast/taglast/internal/pace"
	"github.com/taglast/taglast/internal/retry"
)

const defaultServerURL = "https://github.com"

// GitHubOptions say which repository keeps the bundles.
type GitHubOptions struct {
	HTTP       http.RoundTripper // never nil
	APIURL     string            // GITHUB_API_URL; empty means https://api.github.com
	ServerURL  string            // GITHUB_SERVER_URL; empty means https://github.com
	Repository string            // OWNER/NAME
	Token      string            // a secret, with attestations: write
	Retry      retry.Policy      // a zero budget means 5 minutes
	UserAgent  string
}

// GitHub keeps bundles in a repository's attestations, through GitHub's API. It is safe for concurrent use.
type GitHub struct {
	api    *API
	scope  string // repos/OWNER/NAME
	server string // https://github.com/OWNER/NAME
	pace   *pace.Pace
}

// repositoryName is what GitHub lets an owner and a repository be named.
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
	server, err := url.Parse(o.ServerURL)
	if err != nil || !secure(server) {
		return nil, fmt.Errorf("attestations API: %q is not an https URL", escape.Bounded(o.ServerURL, 200))
	}
	api, err := NewAPI(APIOptions{HTTP: o.HTTP, URL: o.APIURL, Token: o.Token, Retry: o.Retry, UserAgent: o.UserAgent})
	if err != nil {
		return nil, err
	}
	return &GitHub{api: api, scope: "repos/" + o.Repository, server: server.JoinPath(o.Repository).String(), pace: newPace()}, nil
}

// Name is "github".
func (g *GitHub) Name() string { return "github" }

// List gives the bundles of digest that workflows posted with that predicate type, all pages.
func (g *GitHub) List(ctx context.Context, digest, predicateType string) ([]Stored, error) {
	return g.list(ctx, g.api.policy, digest, predicateType)
}

func (g *GitHub) list(ctx context.Context, p retry.Policy, digest, predicateType string) ([]Stored, error) {
	if err := checkDigest(digest); err != nil {
		return nil, err
	}
	listed, err := g.api.list(ctx, p, g.scope, digest, predicateType, 0)
	if err != nil {
		return nil, err
	}
	records, err := g.api.fetchAll(ctx, p, listed)
	if err != nil {
		return nil, err
	}
	var found []Stored
	var bad []error
	for i, r := range records {
		where := fmt.Sprintf("%d of %d", i+1, len(records))
		if r.Err != nil {
			bad = append(bad, &unreadableError{where, r.Err})
			continue
		}
		_, err := r.Bundle.Statement()
		if err == nil && !r.Bundle.Names(digest) {
			err = errors.New("its statement does not name this digest")
		}
		switch {
		case err != nil:
			bad = append(bad, &unreadableError{where, err})
		case predicateType == "" || r.Bundle.PredicateType() == predicateType:
			found = append(found, Stored{Bundle: r.Bundle})
		}
	}
	return found, errors.Join(bad...)
}

// create is the URL that bundles are posted to.
func (g *GitHub) create() *url.URL { return g.api.base.JoinPath(g.scope, "attestations") }
