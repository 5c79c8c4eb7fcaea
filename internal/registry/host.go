package registry

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"

	"github.com/taglast/taglast/internal/pace"
)

// hostState is what a run's clients of one host share.
type hostState struct {
	pace *pace.Pace // of requests that begin; nil where the host is not known to count them

	pinging map[string]chan struct{} // by scheme: a lock for whoever pings

	mu    sync.Mutex
	pings map[string]*pingAnswer // by scheme
	quota *pullQuota             // nil: the host has said nothing of a quota
}

// pingAnswer is how the host answered `GET /v2/`: what a login needs of it.
type pingAnswer struct {
	status int
	header http.Header
}

// errOtherScheme is returned for a ping by https of a host on this machine that has answered by http.
var errOtherScheme = errors.New("the host answers by http")

func newHostState(host string) *hostState {
	return &hostState{
		pace:    newPace(host),
		pinging: map[string]chan struct{}{"http": make(chan struct{}, 1), "https": make(chan struct{}, 1)},
		pings:   make(map[string]*pingAnswer),
	}
}

// ping gives the host's answer to the ping that req is: the one that is known, or send's, which is kept where a login can
// go on from it. One ping is under way at a time, so that clients which begin together send one.
func (h *hostState) ping(req *http.Request, send func() (*http.Response, error)) (*http.Response, error) {
	scheme := req.URL.Scheme
	select {
	case h.pinging[scheme] <- struct{}{}:
		defer func() { <-h.pinging[scheme] }()
	case <-req.Context().Done():
		return nil, context.Cause(req.Context())
	}
	h.mu.Lock()
	known, other := h.pings[scheme], h.pings["http"]
	h.mu.Unlock()
	switch {
	case known != nil:
		return known.response(req), nil
	case other != nil:
		return nil, errOtherScheme
	}
	resp, err := send()
	if err == nil {
		h.mu.Lock()
		h.pings[scheme] = &pingAnswer{resp.StatusCode, resp.Header.Clone()}
		h.mu.Unlock()
	}
	return resp, err
}

// forgetPings makes the next login ping again: the host has refused what the last one led to.
func (h *hostState) forgetPings() {
	h.mu.Lock()
	defer h.mu.Unlock()
	clear(h.pings)
}

func (a *pingAnswer) response(req *http.Request) *http.Response {
	return &http.Response{
		Status: http.StatusText(a.status), StatusCode: a.status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: a.header.Clone(), Body: io.NopCloser(strings.NewReader("")), Request: req,
	}
}
