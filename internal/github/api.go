// Package github is GitHub's REST API as this program needs it: documents of the repository, and the attestations of a
// digest, listed, fetched and created. It does not decide what an answer means for a release.
package github

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/taglast/taglast/internal/pace"
	"github.com/taglast/taglast/internal/retry"
	"github.com/taglast/taglast/internal/weburl"
)

const (
	defaultURL      = "https://api.github.com"
	defaultBudget   = 5 * time.Minute
	maxUnauthorized = 4 // GitHub answers 401 to good tokens now and then: only so many in a row mean a bad token
)

// Options say how GitHub's REST API is reached.
type Options struct {
	HTTP      http.RoundTripper // required
	URL       string            // GITHUB_API_URL; empty means https://api.github.com
	Token     string            // a secret; empty reads public repositories, at a low rate
	Retry     retry.Policy      // a zero budget means 5 minutes
	UserAgent string            // empty means the transport's own
}

// API is GitHub's REST API. The token goes to the host of URL and to no other. It is safe for concurrent use.
type API struct {
	base     *url.URL
	token    string
	agent    string
	policy   retry.Policy
	creation *pace.Pace
	client   *http.Client // redirects stay on the API's host
	blobs    *http.Client // for bundle_url: sends no credentials
}

// New checks the options. It sends nothing.
func New(o Options) (*API, error) {
	if o.HTTP == nil {
		return nil, errors.New("attestations API: no transport")
	}
	if o.URL == "" {
		o.URL = defaultURL
	}
	base, err := weburl.ParseBase(o.URL)
	if err != nil {
		return nil, fmt.Errorf("attestations API: %q is not an https URL", weburl.ShowText(o.URL))
	}
	if strings.ContainsFunc(o.Token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return nil, errors.New("attestations API: the token has characters that no token has")
	}
	if o.Retry.Budget == 0 {
		o.Retry.Budget = defaultBudget
	}
	a := &API{base: base, token: o.Token, agent: o.UserAgent, policy: o.Retry, creation: creationPace()}
	a.client = &http.Client{Transport: o.HTTP, CheckRedirect: a.checkRedirect}
	a.blobs = &http.Client{Transport: o.HTTP, CheckRedirect: checkBlobRedirect}
	return a, nil
}

// creationPace keeps GitHub's limit: it allows 80 requests a minute that create content (GitHub, "Rate limits for the
// REST API", secondary rate limits). The second beyond the minute is for requests that travel at different speeds.
func creationPace() *pace.Pace { return pace.New(80, time.Minute+time.Second) }

// WithBudget returns the same API with a budget that is at most budget. Both share the pace of creations.
func (a *API) WithBudget(budget time.Duration) *API {
	if a.policy.Budget <= budget {
		return a
	}
	short := *a
	short.policy.Budget = budget
	return &short
}

// Retry repeats op until it succeeds, fails for good, or the budget is spent. A 401 is tried again, too, up to four
// times in a row.
func (a *API) Retry(ctx context.Context, op func(context.Context) error) error {
	unauthorized := 0
	return retry.Do(ctx, a.policy, func(ctx context.Context) error {
		err := op(ctx)
		if s := (*retry.StatusError)(nil); !errors.As(err, &s) || s.Status != http.StatusUnauthorized {
			unauthorized = 0
			return err
		}
		if unauthorized++; a.token != "" && unauthorized < maxUnauthorized {
			return retry.Transient(err, 0)
		}
		return err
	})
}
