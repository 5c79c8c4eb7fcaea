package sandbox

import (
	"fmt"
	"net/http"
	"strings"
)

// destination is what answers a request: a handler of the world, or a transport that may pass it on.
type destination struct {
	handler   http.Handler
	transport http.RoundTripper
}

type transportFunc func(*http.Request) (*http.Response, error)

func (f transportFunc) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// find is the destination of a request; a request without one is refused.
func (w *World) find(r *http.Request) (destination, error) {
	host := hostOf(r)
	if s, ok := w.service(host, r.URL.Path); ok {
		if w.gateway != nil && w.isForeignAPI(s, r) {
			return destination{transport: transportFunc(w.gateway.pass)}, nil
		}
		return destination{handler: s}, nil
	}
	isRegistry := r.URL.Path == "/v2" || strings.HasPrefix(r.URL.Path, "/v2/")
	if w.gateway == nil {
		if isRegistry || r.URL.Path == tokenPath {
			if o, ok := w.registry(host); ok {
				return destination{handler: o.registry}, nil
			}
		}
		return destination{}, fmt.Errorf("refusing network access to %s", host)
	}
	if isRegistry {
		if o, ok := w.registry(host); ok {
			return destination{transport: o}, nil
		}
	}
	switch {
	case w.gateway.isRealm(r):
		return destination{transport: transportFunc(w.gateway.token)}, nil
	case w.gateway.isRedirect(r):
		return destination{transport: transportFunc(w.gateway.pass)}, nil
	}
	return destination{}, fmt.Errorf("refusing network access to %s", host)
}

// isForeignAPI says whether a request reads something of GitHub's API that is not the store of attestations.
func (w *World) isForeignAPI(s route, r *http.Request) bool {
	if _, isAPI := s.handler.(*api); !isAPI || r.Method != http.MethodGet && r.Method != http.MethodHead {
		return false
	}
	_, _, _, ours := attestationPath(strings.TrimPrefix(r.URL.Path, s.prefix))
	return !ours
}

// registry is the one on a host, made at its first use where the options let it exist.
func (w *World) registry(host string) (*overlay, bool) {
	host = canonicalHost(host)
	w.mu.Lock()
	defer w.mu.Unlock()
	if g, ok := w.registries[host]; ok {
		return g, true
	}
	o, named := w.options.Registries[host]
	if !named {
		if w.options.Registries != nil {
			return nil, false
		}
		o = w.options.Registry
	}
	if w.gateway != nil { // an overlay lets everyone write: it is not the real registry that they write to
		o.Auth, o.DenyPush = Auth{}, nil
	}
	g := newOverlay(newRegistry(host, o, w.law.check), w.gateway)
	w.registries[host] = g
	return g, true
}

// existing is a registry that was used before.
func (w *World) existing(host string) (*registry, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	g, ok := w.registries[canonicalHost(host)]
	if !ok {
		return nil, false
	}
	return g.registry, true
}

// RoundTrip answers a request inside the world, passes a read on to the base transport, or refuses it.
func (w *World) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := w.roundTrip(req)
	status := 0
	if err == nil {
		status = resp.StatusCode
	}
	w.log(req, status)
	return resp, err
}

func (w *World) roundTrip(req *http.Request) (*http.Response, error) {
	p, err := w.find(req)
	switch {
	case err != nil:
		closeBody(req)
		return nil, err
	case p.handler != nil:
		return answerInProcess(p.handler, req)
	default:
		return p.transport.RoundTrip(req)
	}
}
