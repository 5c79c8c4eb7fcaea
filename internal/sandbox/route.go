package sandbox

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// route is a service: every request to the host whose path lies under the prefix.
type route struct {
	host, prefix string
	handler      http.Handler
}

func (w *World) addRoute(base string, h http.Handler) error {
	u, err := url.Parse(base)
	if err != nil || u.Host == "" {
		return fmt.Errorf("service URL %q: it needs a scheme and a host", base)
	}
	w.routes = append(w.routes, route{host: canonicalHost(u.Host), prefix: strings.TrimSuffix(u.Path, "/"), handler: h})
	return nil
}

// service finds the handler with the longest prefix for a request.
func (w *World) service(host, path string) (route, bool) {
	best, found := route{}, false
	for _, s := range w.routes {
		under := s.prefix == "" || path == s.prefix || strings.HasPrefix(path, s.prefix+"/")
		if s.host == host && under && (!found || len(s.prefix) > len(best.prefix)) {
			best, found = s, true
		}
	}
	return best, found
}

// ServeHTTP calls the service with the prefix taken off, as the service itself would see the request.
func (s route) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.prefix != "" {
		full := r.URL.Path
		r = r.Clone(context.WithValue(r.Context(), pathKey{}, full))
		r.URL.Path, r.URL.RawPath = strings.TrimPrefix(full, s.prefix), ""
	}
	s.handler.ServeHTTP(w, r)
}

type pathKey struct{}

// originalPath is the path that the client asked for.
func originalPath(r *http.Request) string {
	if full, ok := r.Context().Value(pathKey{}).(string); ok {
		return full
	}
	return r.URL.Path
}

// requestScheme is the scheme that the client used: known to the transport, plain http on a listener.
func requestScheme(r *http.Request) string {
	if r.URL.Scheme != "" {
		return r.URL.Scheme
	}
	if r.TLS != nil {
		return "https"
	}
	return "http"
}

func canonicalHost(host string) string {
	host = strings.ToLower(host)
	return strings.TrimSuffix(strings.TrimSuffix(host, ":443"), ":80")
}
