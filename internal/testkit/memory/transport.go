package memory

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"syscall"
)

// Transport carries requests to handlers by host, and remembers who was sent credentials.
type Transport struct {
	Hosts map[string]http.Handler
	// Fault may fail a request before (answered false) or after the host has seen it; nil passes all.
	Fault func(r *http.Request, answered bool) error

	mu   sync.Mutex
	auth map[string][]string
}

// RoundTrip serves the request in the caller's goroutine. Hosts answer by https and, on loopback, by plain http alone.
func (t *Transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		defer r.Body.Close()
	}
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	t.mu.Lock()
	if t.auth == nil {
		t.auth = map[string][]string{}
	}
	if a := r.Header.Get("Authorization"); a != "" {
		t.auth[r.URL.Host] = append(t.auth[r.URL.Host], a)
	}
	t.mu.Unlock()
	host, _, err := net.SplitHostPort(r.URL.Host)
	if err != nil {
		host = r.URL.Host
	}
	local := host == "localhost" || net.ParseIP(host).IsLoopback()
	h, ok := t.Hosts[r.URL.Host]
	if !ok || local != (r.URL.Scheme == "http") {
		return nil, fmt.Errorf("dial tcp %s: %w", r.URL.Host, syscall.ECONNREFUSED)
	}
	if t.Fault != nil {
		if err := t.Fault(r, false); err != nil {
			return nil, err
		}
	}
	in := r.Clone(r.Context())
	in.RequestURI, in.Host = r.URL.RequestURI(), r.URL.Host
	body := &failing{ReadCloser: r.Body}
	if r.Body != nil {
		in.Body = body
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, in)
	if body.err != nil { // as net/http: a body that cannot be read fails the request
		return nil, body.err
	}
	if t.Fault != nil {
		if err := t.Fault(r, true); err != nil {
			return nil, err
		}
	}
	resp := w.Result()
	if r.Method == http.MethodHead {
		resp.Body = http.NoBody
	}
	return resp, nil
}

// Credentials that a host was sent.
func (t *Transport) Credentials(host string) []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return append([]string(nil), t.auth[host]...)
}
