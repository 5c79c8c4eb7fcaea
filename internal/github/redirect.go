package github

import (
	"fmt"
	"net/http"
	"net/url"

	"github.com/taglast/taglast/internal/weburl"
)

const maxRedirects = 5

// redirectError says that a redirect was refused.
type redirectError struct {
	to  *url.URL
	why string
}

func (e *redirectError) Error() string {
	return fmt.Sprintf("redirect to %s refused: %s", weburl.Show(e.to), e.why)
}

// checkRedirect keeps requests that may carry the token on the API's host, and a POST a POST: GitHub answers 307 and 301
// for a repository that was renamed.
func (a *API) checkRedirect(req *http.Request, via []*http.Request) error {
	switch {
	case len(via) > maxRedirects:
		return &redirectError{req.URL, "too many redirects"}
	case !weburl.SameOrigin(req.URL, a.base):
		return &redirectError{req.URL, "another host"}
	case req.Method != via[0].Method:
		return &redirectError{req.URL, "it would turn " + via[0].Method + " into " + req.Method}
	}
	return nil
}

// checkBlobRedirect accepts redirects to https alone, and keeps the signed URL from the host that comes next (no
// Referer).
func checkBlobRedirect(req *http.Request, via []*http.Request) error {
	req.Header.Del("Referer")
	switch {
	case len(via) > maxRedirects:
		return &redirectError{req.URL, "too many redirects"}
	case weburl.Check(req.URL) != nil:
		return &redirectError{req.URL, "not https"}
	}
	return nil
}
