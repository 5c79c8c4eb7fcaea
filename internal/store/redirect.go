package store

import (
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/taglast/taglast/internal/escape"
)

// redirectError says that a redirect was refused.
type redirectError struct {
	to  *url.URL
	why string
}

func (e *redirectError) Error() string {
	return fmt.Sprintf("redirect to %s refused: %s", bare(e.to), e.why)
}

// checkRedirect keeps requests that may carry the token on the API's host, and a POST a POST: GitHub answers 307 and 301
// for a repository that was renamed.
func (a *API) checkRedirect(req *http.Request, via []*http.Request) error {
	switch {
	case len(via) > maxRedirects:
		return &redirectError{req.URL, "too many redirects"}
	case !sameOrigin(req.URL, a.base):
		return &redirectError{req.URL, "another host"}
	case req.Method != via[0].Method:
		return &redirectError{req.URL, "it would turn " + via[0].Method + " into " + req.Method}
	}
	return nil
}

// checkBlobRedirect follows to https alone, and tells no host which signed URL it came from.
func checkBlobRedirect(req *http.Request, via []*http.Request) error {
	req.Header.Del("Referer")
	switch {
	case len(via) > maxRedirects:
		return &redirectError{req.URL, "too many redirects"}
	case !secure(req.URL) || req.URL.User != nil:
		return &redirectError{req.URL, "not https"}
	}
	return nil
}

// secure is https, or http on this very machine.
func secure(u *url.URL) bool {
	if u.Scheme == "https" {
		return u.Host != ""
	}
	return u.Scheme == "http" && loopback(u.Hostname())
}

func loopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

func sameOrigin(a, b *url.URL) bool {
	return a.Scheme == b.Scheme && strings.EqualFold(a.Hostname(), b.Hostname()) && port(a) == port(b) && a.User == nil
}

func port(u *url.URL) string {
	if p := u.Port(); p != "" {
		return p
	}
	return map[string]string{"https": "443", "http": "80"}[u.Scheme]
}

// bare is u for a message: without user, query and fragment.
func bare(u *url.URL) string {
	b := url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path, RawPath: u.RawPath}
	return escape.Bounded(b.String(), 300)
}
