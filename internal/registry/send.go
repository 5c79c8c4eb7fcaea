package registry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"github.com/taglast/taglast/internal/bounded"
	"github.com/taglast/taglast/internal/escape"
	"github.com/taglast/taglast/internal/retry"
)

// maxRedirects is how many redirects of one read are followed, as docker does.
const maxRedirects = 5

// send makes one attempt of a request. The answer's status is the caller's to check.
func (c *client) send(ctx context.Context, r request) (*http.Response, error) {
	u := r.url
	for hop := 0; ; hop++ {
		resp, err := c.hop(ctx, r, u)
		if err != nil {
			return nil, err
		}
		if r.method != http.MethodGet && r.method != http.MethodHead || !isRedirect(resp.StatusCode) {
			return resp, nil
		}
		drain(resp)
		if hop == maxRedirects {
			return nil, fmt.Errorf("%s: more than %d redirects", describeRequest(r.method, r.url), maxRedirects)
		}
		if u, err = c.endpoint.resolveLocation(resp.Request.URL, resp.Header.Get("Location")); err != nil {
			return nil, fmt.Errorf("%s: %w", describeRequest(r.method, r.url), err)
		}
	}
}

func isRedirect(status int) bool {
	switch status {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return true
	}
	return false
}

// hop sends one request. The bearer transport answers an expired token with a new one by itself; a 401 that still comes
// back (a password that expired, a login that another replica does not know yet) is tried once more with a new login,
// and then final.
func (c *client) hop(ctx context.Context, r request, u *url.URL) (*http.Response, error) {
	for again := false; ; again = true {
		resp, s, err := c.sendOnce(ctx, r, u)
		if again || s == nil {
			return resp, err
		}
		switch {
		case err == nil && resp.StatusCode == http.StatusUnauthorized:
			drain(resp)
		case err == nil || !hasStatus(err, http.StatusUnauthorized): // of the token endpoint, in mid-run
			return resp, err
		}
		c.dropSession(ctx, s)
	}
}

// sendOnce sends one request: to the registry's own host with the session's credentials, elsewhere without any.
func (c *client) sendOnce(ctx context.Context, r request, u *url.URL) (*http.Response, *session, error) {
	var (
		s    *session
		next http.RoundTripper = c.wire()
	)
	if c.endpoint.owns(u) {
		var err error
		if s, err = c.openSession(ctx); err != nil {
			return nil, nil, err
		}
		next = s.auth
		// Before the body is opened: its source may not wait.
		if err := c.host.pace.Wait(ctx); err != nil {
			return nil, s, err
		}
	}
	req, err := r.build(ctx, u)
	if err != nil {
		return nil, s, err
	}
	resp, err := guard{c.repo, ownMarker{next, r.remote}}.RoundTrip(req)
	if err != nil {
		return nil, s, requestError(r.method, u, err)
	}
	if resp.Request == nil {
		resp.Request = req
	}
	if s != nil { // the registry's own host
		c.host.recordQuota(resp.Header)
	}
	return resp, s, nil
}

// ownMarker tells the wire which requests this package sends itself.
type ownMarker struct {
	next   http.RoundTripper
	remote bool
}

func (m ownMarker) RoundTrip(req *http.Request) (*http.Response, error) {
	mark := &ownRequest{slots: 1}
	if m.remote {
		mark.slots = 2
	}
	mark.req = req.WithContext(context.WithValue(req.Context(), ownKey{}, mark))
	return m.next.RoundTrip(mark.req)
}

// requestError is the error of a request that got no answer. A token request made on its behalf may have been
// refused: that says so itself.
func requestError(method string, u *url.URL, err error) error {
	if errors.Is(err, ErrGuard) {
		return retry.Permanent(err)
	}
	var status *retry.StatusError
	if errors.As(err, &status) {
		return &loginError{status}
	}
	return fmt.Errorf("%s: %w", describeRequest(method, u), tokenFailure(err))
}

// describeRequest is a request for an error: method and URL without user info and query, which can hold secrets.
func describeRequest(method string, u *url.URL) string {
	return method + " " + escape.Bounded(u.Scheme+"://"+u.Host+u.EscapedPath(), 512)
}

// drain reads the little that is left of an answer, so that its connection can be used again.
func drain(resp *http.Response) {
	_, _ = io.CopyN(io.Discard, resp.Body, 4<<10)
	_ = resp.Body.Close()
}

// readBody reads all of a body that must not have more than limit bytes, and closes it.
func readBody(resp *http.Response, limit int64) ([]byte, error) {
	defer resp.Body.Close()
	body, err := bounded.ReadBody(resp, limit)
	if errors.Is(err, bounded.ErrTooLarge) {
		return nil, fmt.Errorf("the answer has %w", err)
	}
	return body, err
}
