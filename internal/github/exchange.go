package github

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/taglast/taglast/internal/bounded"
	"github.com/taglast/taglast/internal/escape"
	"github.com/taglast/taglast/internal/retry"
	"github.com/taglast/taglast/internal/weburl"
)

const (
	apiVersion     = "2022-11-28" // the newest that still carries `bundle` inline
	attemptTimeout = time.Minute  // of one request, its answer read
)

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
	if !weburl.SameOrigin(target, a.base) {
		return answer{}, retry.Permanent(fmt.Errorf("%s %s: not on the API's host %s", method, weburl.Show(target), a.base.Host))
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
		return nil, retry.Permanent(fmt.Errorf("%s %s: not a URL that can be asked", method, weburl.Show(target)))
	}
	return req, nil
}

// exchange sends req within attemptTimeout. Its errors name the URL without its query, which may be a credential.
func (a *API) exchange(c *http.Client, req *http.Request, limit int64, ok ...int) (answer, error) {
	ctx, cancel := context.WithTimeout(req.Context(), attemptTimeout)
	defer cancel()
	if a.agent != "" {
		req.Header.Set("User-Agent", a.agent)
	}
	resp, err := c.Do(req.WithContext(ctx))
	if err != nil {
		return answer{}, exchangeError(req, err)
	}
	defer resp.Body.Close()
	if err := retry.CheckStatus(resp, ok...); err != nil {
		return answer{}, err
	}
	body, err := bounded.ReadBody(resp, limit)
	if errors.Is(err, bounded.ErrTooLarge) {
		return answer{}, retry.Permanent(fmt.Errorf("%s %s: the answer is too large: %w", req.Method, weburl.Show(req.URL), err))
	}
	if err != nil {
		return answer{}, exchangeError(req, err)
	}
	return answer{resp.StatusCode, resp.Header, body, resp.Request.URL}, nil
}

// exchangeError returns the error of an exchange without a whole answer. What the request did is not known, unless a
// redirect was refused.
func exchangeError(req *http.Request, err error) error {
	if u := (*url.Error)(nil); errors.As(err, &u) {
		err = u.Err // the message of u has the URL with its query
	}
	request := req.Method + " " + weburl.Show(req.URL)
	if r := (*redirectError)(nil); errors.As(err, &r) {
		return retry.Permanent(fmt.Errorf("%s: %w", request, r))
	}
	if errors.Is(err, context.DeadlineExceeded) && req.Context().Err() == nil {
		return retry.Transient(fmt.Errorf("%s: no whole answer within %s", request, attemptTimeout), 0)
	}
	return &transportError{request, err}
}

// transportError escapes what a transport says in its error: a text that others may have written.
type transportError struct {
	request string // method and URL
	err     error
}

func (e *transportError) Error() string { return e.request + ": " + escape.Bounded(e.err.Error(), 300) }
func (e *transportError) Unwrap() error { return e.err }
