package sandbox

import "net/http"

// Request is one request that the world answered, passed on or refused.
type Request struct {
	Method string
	Host   string
	Path   string
	Query  string
	Status int // 0 where there was no answer
}

// Requests are all requests so far, in the order of their answers.
func (w *World) Requests() []Request {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]Request(nil), w.requests...)
}

func (w *World) log(r *http.Request, status int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.requests = append(w.requests, Request{
		Method: r.Method, Host: hostOf(r), Path: r.URL.Path, Query: r.URL.RawQuery, Status: status,
	})
}

func hostOf(r *http.Request) string {
	if r.URL.Host != "" {
		return canonicalHost(r.URL.Host)
	}
	return canonicalHost(r.Host)
}
