package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/taglast/taglast/internal/escape"
	"github.com/taglast/taglast/internal/retry"
)

const (
	defaultAPIURL = "https://api.github.com"
	apiVersion    = "2022-11-28" // the newest that still carries `bundle` inline
	budget        = 5 * time.Minute
	attemptLimit  = time.Minute // of one request, its answer read
	maxRedirects  = 5
	maxUnauthd    = 4 // GitHub answers 401 to good tokens now and then: so many in a row are believed
)

// APIOptions say how GitHub's REST API is reached.
type APIOptions struct {
	HTTP      http.RoundTripper // never nil
	URL       string            // GITHUB_API_URL; empty means https://api.github.com
	Token     string            // a secret; empty reads public repositories, at a low rate
	Retry     retry.Policy      // a zero budget means 5 minutes
	UserAgent string
}

// API is GitHub's attestations API (GitHub, "REST API endpoints for artifact attestations"). The token goes to the host
// of URL and to no other. It is safe for concurrent use.
type API struct {
	base   *url.URL
	token  string
	agent  string
	policy retry.Policy
	client *http.Client // redirects stay on the API's host
	blobs  *http.Client // for bundle_url: sends no credentials
}

// NewAPI checks the options. It sends nothing.
func NewAPI(o APIOptions) (*API, error) {
	if o.HTTP == nil {
		return nil, errors.New("attestations API: no transport")
	}
	if o.URL == "" {
		o.URL = defaultAPIURL
	}
	base, err := url.Parse(strings.TrimSuffix(o.URL, "/"))
	if err != nil || base.Host == "" || base.User != nil || base.RawQuery != "" || base.Fragment != "" || !secure(base) {
		return nil, fmt.Errorf("attestations API: %q is not an https URL", escape.Bounded(o.URL, 200))
	}
	if strings.ContainsFunc(o.Token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return nil, errors.New("attestations API: the token has characters that no token has")
	}
	if o.Retry.Budget == 0 {
		o.Retry.Budget = budget
	}
	a := &API{base: base, token: o.Token, agent: o.UserAgent, policy: o.Retry}
	a.client = &http.Client{Transport: o.HTTP, CheckRedirect: a.checkRedirect}
	a.blobs = &http.Client{Transport: o.HTTP, CheckRedirect: checkBlobRedirect}
	return a, nil
}

// try repeats op by the policy p. A 401 is believed only when it is repeated.
func (a *API) try(ctx context.Context, p retry.Policy, op func(context.Context) error) error {
	refused := 0
	return retry.Do(ctx, p, func(ctx context.Context) error {
		err := op(ctx)
		if s := (*retry.StatusError)(nil); !errors.As(err, &s) || s.Status != http.StatusUnauthorized {
			refused = 0
			return err
		}
		if refused++; a.token != "" && refused < maxUnauthd {
			return retry.Transient(err, 0)
		}
		return err
	})
}

// answer is a response of an expected status, read whole.
type answer struct {
	status int
	header http.Header
	body   []byte
	url    *url.URL // where it came from, after redirects
}

// call sends one request to the API and reads its answer, at most limit bytes. A status that is not one of ok (any 2xx
// where ok is empty) is a *retry.StatusError.
func (a *API) call(ctx context.Context, method string, target *url.URL, body []byte, limit int64, ok ...int) (answer, error) {
	if !sameOrigin(target, a.base) {
		return answer{}, retry.Permanent(fmt.Errorf("%s %s: not on the API's host %s", method, bare(target), a.base.Host))
	}
	req, err := request(ctx, method, target, body)
	if err != nil {
		return answer{}, err
	}
	req.Header.Set("Accept", "application/vnd.github+json")
	req.Header.Set("X-GitHub-Api-Version", apiVersion)
	if body != nil {
		req.Header.Set("Content-Type", "application/json; charset=utf-8")
	}
	if a.token != "" {
		req.Header.Set("Authorization", "Bearer "+a.token)
	}
	return a.exchange(a.client, req, limit, ok...)
}

func request(ctx context.Context, method string, target *url.URL, body []byte) (*http.Request, error) {
	var r io.Reader
	if body != nil {
		r = bytes.NewReader(body)
	}
	req, err := http.NewRequestWithContext(ctx, method, target.String(), r)
	if err != nil {
		return nil, retry.Permanent(fmt.Errorf("%s %s: not a URL that can be asked", method, bare(target)))
	}
	return req, nil
}

// exchange sends req within attemptLimit. Its errors name the URL without its query, which may be a credential.
func (a *API) exchange(c *http.Client, req *http.Request, limit int64, ok ...int) (answer, error) {
	ctx, cancel := context.WithTimeout(req.Context(), attemptLimit)
	defer cancel()
	if a.agent != "" {
		req.Header.Set("User-Agent", a.agent)
	}
	resp, err := c.Do(req.WithContext(ctx))
	if err != nil {
		return answer{}, lost(req, err)
	}
	defer resp.Body.Close()
	if err := retry.CheckStatus(resp, ok...); err != nil {
		return answer{}, err
	}
	body, err := readBounded(resp.Body, limit)
	if errors.Is(err, errTooLarge) {
		return answer{}, retry.Permanent(fmt.Errorf("%s %s: the answer is %w", req.Method, bare(req.URL), err))
	}
	if err != nil {
		return answer{}, lost(req, err)
	}
	return answer{resp.StatusCode, resp.Header, body, resp.Request.URL}, nil
}

// lost is the error of an exchange without a whole answer. What the request did is not known, unless it was a redirect
// that was refused.
func lost(req *http.Request, err error) error {
	if u := (*url.Error)(nil); errors.As(err, &u) {
		err = u.Err // the message names method and URL, with its query
	}
	what := req.Method + " " + bare(req.URL)
	if r := (*redirectError)(nil); errors.As(err, &r) {
		return retry.Permanent(fmt.Errorf("%s: %w", what, r))
	}
	if errors.Is(err, context.DeadlineExceeded) && req.Context().Err() == nil {
		return retry.Transient(fmt.Errorf("%s: no whole answer within %s", what, attemptLimit), 0)
	}
	return &lostError{what, err}
}

// lostError hides what a transport may say in its error: text that was not made here.
type lostError struct {
	what string
	err  error
}

func (e *lostError) Error() string { return e.what + ": " + escape.Bounded(e.err.Error(), 300) }
func (e *lostError) Unwrap() error { return e.err }
