package sandbox

import (
	"fmt"
	"net/http"
	"strings"
)

// Request is one request that the world answered, refused or let through.
type Request struct {
	Method string
	Host   string
	Path   string
	Query  string
	Status int  // 0 where there was no answer
	Passed bool // to the base transport
}

// Requests is the log so far, in the order of the answers.
func (w *World) Requests() []Request {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]Request(nil), w.requests...)
}

func (w *World) log(r *http.Request, status int, passed bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.requests = append(w.requests, Request{
		Method: r.Method, Host: hostOf(r), Path: r.URL.Path, Query: r.URL.RawQuery, Status: status, Passed: passed,
	})
}

func hostOf(r *http.Request) string {
	if r.URL.Host != "" {
		return canonicalHost(r.URL.Host)
	}
	return canonicalHost(r.Host)
}

// find is the handler that answers a request inside the world.
func (w *World) find(r *http.Request) (http.Handler, error) {
	host := hostOf(r)
	if s, ok := w.service(host, r.URL.Path); ok {
		return s, nil
	}
	if r.URL.Path == "/v2" || strings.HasPrefix(r.URL.Path, "/v2/") || r.URL.Path == tokenPath {
		if g, ok := w.registry(host); ok {
			return g, nil
		}
	}
	return nil, fmt.Errorf("refusing network access to %s", host)
}

// registry is the one on a host, made at its first use where the options let it exist.
func (w *World) registry(host string) (*registry, bool) {
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
	g := newRegistry(host, o, w.law.ask)
	w.registries[host] = g
	return g, true
}

// existing is a registry that was used before.
func (w *World) existing(host string) (*registry, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	g, ok := w.registries[canonicalHost(host)]
	return g, ok
}

// RoundTrip answers a request inside the world, or refuses it.
func (w *World) RoundTrip(req *http.Request) (*http.Response, error) {
	h, err := w.find(req)
	if err != nil {
		closeBody(req)
		w.log(req, 0, false)
		return nil, err
	}
	resp, err := answerInProcess(h, req)
	if err != nil {
		w.log(req, 0, false)
		return nil, err
	}
	w.log(req, resp.StatusCode, false)
	return resp, nil
}
