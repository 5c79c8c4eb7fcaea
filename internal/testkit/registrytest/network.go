package registrytest

import (
	"fmt"
	"net/http"
	"slices"
	"sync"
	"syscall"

	"github.com/taglast/taglast/internal/sandbox"
	"github.com/taglast/taglast/internal/weburl"
)

// Network carries requests to handlers by host, and remembers which credentials each host was sent.
type Network struct {
	// Hosts are those that exist; a request to any other is refused as a connection.
	Hosts map[string]http.Handler
	// Fault may fail a request before (answered false) or after the host has acted on it; nil passes all.
	Fault func(r *http.Request, answered bool) error

	mu          sync.Mutex
	credentials map[string][]string
}

// RoundTrip serves the request in the caller's goroutine. Hosts answer by https; those on loopback answer by plain http
// instead.
func (n *Network) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		defer r.Body.Close()
	}
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	n.remember(r)
	handler, ok := n.Hosts[r.URL.Host]
	if !ok || weburl.Loopback(r.URL.Host) != (r.URL.Scheme == "http") {
		return nil, fmt.Errorf("dial tcp %s: %w", r.URL.Host, syscall.ECONNREFUSED)
	}
	if n.Fault != nil {
		if err := n.Fault(r, false); err != nil {
			return nil, err
		}
	}
	resp, err := sandbox.InProcess(handler).RoundTrip(r)
	if err != nil {
		return nil, err
	}
	if n.Fault != nil {
		if err := n.Fault(r, true); err != nil {
			return nil, err
		}
	}
	return resp, nil
}

// Credentials are the Authorization headers that a host was sent, in their order.
func (n *Network) Credentials(host string) []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.credentials[host])
}

func (n *Network) remember(r *http.Request) {
	sent := r.Header.Get("Authorization")
	if sent == "" {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.credentials == nil {
		n.credentials = map[string][]string{}
	}
	n.credentials[r.URL.Host] = append(n.credentials[r.URL.Host], sent)
}
