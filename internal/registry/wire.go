package registry

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"

	"github.com/taglast/taglast/internal/retry"
	"github.com/taglast/taglast/internal/weburl"
)

// wire is the innermost of our transports, under go-containerregistry's authentication. It sees every request of the
// client, the library's own (ping and token) included.
type wire struct {
	endpoint  endpoint
	userAgent string
	base      http.RoundTripper
	host      *hostState
	slots     *slots
}

func (c *client) wire() wire {
	return wire{c.endpoint, c.options.UserAgent, c.options.Transport, c.host, c.slots}
}

// ownKey is the key of the context value by which a request that this package sends itself is told from the library's.
type ownKey struct{}

type ownRequest struct {
	req      *http.Request
	slots    int64
	attempts int
}

func (w wire) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Scheme != "https" && !(req.URL.Scheme == "http" && weburl.Loopback(req.URL.Host)) {
		closeBody(req)
		return nil, fmt.Errorf("%s: %w", req.URL.Host, errPlain)
	}
	out := req.Clone(req.Context())
	out.Header.Del("Cookie")
	out.Header.Set("User-Agent", w.userAgent)
	m, _ := req.Context().Value(ownKey{}).(*ownRequest)
	ours := m != nil && m.req == req
	if !ours {
		return w.library(req, out)
	}
	if m.attempts > 0 { // by the library, which sends again what has waited for its turn once
		if err := w.wait(req, out); err != nil {
			return nil, err
		}
	}
	if !w.endpoint.owns(out.URL) {
		out.Header.Del("Authorization")
	}
	if m.attempts++; m.attempts > 1 && out.GetBody != nil {
		// After a 401 the library sends the same request once more; its body has been read by then.
		closeBody(req)
		body, err := out.GetBody()
		if err != nil {
			return nil, err
		}
		out.Body = body
	}
	resp, err := w.slots.exchange(w.base, out, m.slots)
	if err != nil {
		return nil, err
	}
	resp.Request = out
	return resp, nil
}

// wait holds a request back until the host's pace lets it go.
func (w wire) wait(req, out *http.Request) error {
	if !w.endpoint.owns(out.URL) {
		return nil
	}
	err := w.host.pace.Wait(req.Context())
	if err != nil {
		closeBody(req)
	}
	return err
}

// library sends a ping or a token request. A refusal becomes our own error here, because the library's has no
// Retry-After; two it must see itself: a ping's challenge, and the 404 that makes it use the older token endpoint.
func (w wire) library(req, out *http.Request) (*http.Response, error) {
	if w.endpoint.host == ghcr && !strings.EqualFold(weburl.Hostname(out.URL.Host), ghcr) {
		closeBody(req)
		return nil, retry.Permanent(fmt.Errorf("%s sends us to %s for a token: refused, GITHUB_TOKEN goes only to %[1]s", ghcr, out.URL.Host))
	}
	isPing := req.Method == http.MethodGet && req.URL.Path == "/v2/" && req.URL.RawQuery == ""
	if !isPing {
		return w.libraryExchange(req, out, false)
	}
	resp, err := w.host.ping(req, func() (*http.Response, error) { return w.libraryExchange(req, out, true) })
	if ping, _ := req.Context().Value(pingsKey{}).(*pings); ping != nil {
		ping.record(req.URL.Scheme, err)
	}
	return resp, err
}

func (w wire) libraryExchange(req, out *http.Request, ping bool) (*http.Response, error) {
	if err := w.wait(req, out); err != nil {
		return nil, err
	}
	resp, err := w.slots.exchange(w.base, out, 1)
	if err != nil {
		return nil, err
	}
	resp.Request = out
	tokenGone := resp.StatusCode == http.StatusNotFound && req.Method == http.MethodPost
	if resp.StatusCode >= 400 && !tokenGone && !(ping && resp.StatusCode == http.StatusUnauthorized) {
		return nil, retry.CheckStatus(resp)
	}
	return resp, nil
}

func closeBody(req *http.Request) {
	if req.Body != nil {
		_ = req.Body.Close()
	}
}

// pings keeps how the ping went by each scheme.
type pings struct {
	mu     sync.Mutex
	failed map[string]error
	passed bool
}

type pingsKey struct{}

func (p *pings) record(scheme string, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err == nil {
		p.passed = true
		return
	}
	if p.failed == nil {
		p.failed = map[string]error{}
	}
	p.failed[scheme] = err
}

// cause is why no ping passed; nil if one did, or none was answered.
func (p *pings) cause(local bool) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.passed {
		return nil
	}
	if err := p.failed["http"]; local && err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	return p.failed["https"]
}
