package fault

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	retryAfter = "1" // second, of 403 and 429
	staleFor   = 5 * time.Second
)

// Transport numbers every request and lets one of them go wrong. It starts no goroutines and is safe for concurrent use.
type Transport struct {
	Base http.RoundTripper
	At   Key  // the request that goes wrong
	Kind Kind // how; 0 lets all go well

	Before func() // called once, just before that request goes wrong; nil: nothing happens

	mu         sync.Mutex
	count      map[Key]int
	keys       []Key
	reached    bool
	challenges map[string]string // host → the Www-Authenticate that it last sent
	stale      stale
}

// Keys are the requests so far, in order.
func (t *Transport) Keys() []Key {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.keys)
}

// Reached says whether the planned request came.
func (t *Transport) Reached() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.reached
}

// number records a request and says whether it is the planned one, and whether one like it has gone wrong for good.
func (t *Transport) number(req *http.Request) (planned, forGood bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.count == nil {
		t.count = map[Key]int{}
	}
	key := keyOf(req)
	t.count[key]++
	key.N = t.count[key]
	t.keys = append(t.keys, key)
	forGood = t.reached && t.Kind == ServerError && key.kind() == t.At.kind()
	if t.Kind != 0 && key == t.At {
		t.reached, planned = true, true
	}
	return planned, forGood
}

// RoundTrip sends a request, or lets it go wrong.
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	planned, forGood := t.number(req)
	if forGood {
		return t.refuse(req, ServerError)
	}
	if !planned {
		return t.send(req)
	}
	if t.Before != nil {
		t.Before()
	}
	switch t.Kind {
	case ServerError, Unauthorized, Forbidden, TooMany:
		return t.refuse(req, t.Kind)
	case Reset:
		closeBody(req)
		return nil, reset()
	case LostAnswer:
		resp, err := t.send(req)
		if err != nil {
			return nil, err
		}
		_ = resp.Body.Close()
		return nil, reset()
	case StaleReads:
		return t.sendAndHide(req)
	}
	resp, err := t.send(req)
	if err == nil && req.Method != http.MethodHead {
		spoilBody(resp, t.Kind)
	}
	return resp, err
}

// send passes a request on, unless it reads what is still hidden.
func (t *Transport) send(req *http.Request) (*http.Response, error) {
	if resp, ok := t.stale.answer(req); ok {
		closeBody(req)
		return resp, nil
	}
	resp, err := t.Base.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	if challenge := resp.Header.Get("Www-Authenticate"); challenge != "" {
		t.mu.Lock()
		if t.challenges == nil {
			t.challenges = map[string]string{}
		}
		t.challenges[req.URL.Host] = challenge
		t.mu.Unlock()
	}
	return resp, nil
}

// reset is what a client sees of a connection that the other side broke.
func reset() error {
	return &net.OpError{Op: "read", Net: "tcp", Err: os.NewSyscallError("read", syscall.ECONNRESET)}
}

// closeBody does with a request's body what a transport must even when it sends nothing.
func closeBody(req *http.Request) {
	if req.Body != nil {
		_ = req.Body.Close()
	}
}

// refuse answers in the server's stead.
func (t *Transport) refuse(req *http.Request, kind Kind) (*http.Response, error) {
	closeBody(req)
	header := http.Header{"Content-Type": {"application/json"}}
	status, code, text := http.StatusInternalServerError, "UNKNOWN", "injected: internal server error"
	switch kind {
	case Unauthorized:
		status, code, text = http.StatusUnauthorized, "UNAUTHORIZED", "injected: authentication required"
		t.mu.Lock()
		if challenge := t.challenges[req.URL.Host]; challenge != "" {
			header.Set("Www-Authenticate", challenge)
		}
		t.mu.Unlock()
	case Forbidden:
		status, code, text = http.StatusForbidden, "DENIED", "injected: you have exceeded a secondary rate limit"
	case TooMany:
		status, code, text = http.StatusTooManyRequests, "TOOMANYREQUESTS", "injected: too many requests"
	}
	if kind == Forbidden || kind == TooMany {
		header.Set("Retry-After", retryAfter)
	}
	// The error bodies of registries, of GitHub's API and of Sigstore's services in one.
	body := fmt.Sprintf(`{"errors":[{"code":%q,"message":%q}],"code":%d,"message":%q}`, code, text, status, text)
	return response(req, status, header, body), nil
}

func response(req *http.Request, status int, header http.Header, body string) *http.Response {
	header = header.Clone()
	header.Set("Content-Length", fmt.Sprint(len(body)))
	resp := &http.Response{
		Status: fmt.Sprintf("%d %s", status, http.StatusText(status)), StatusCode: status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: header, ContentLength: int64(len(body)), Body: http.NoBody, Request: req,
	}
	if req.Method != http.MethodHead && body != "" {
		resp.Body = io.NopCloser(strings.NewReader(body))
	}
	return resp
}
