// Package weburl decides which URLs this program may ask: https ones, and plain http where nothing leaves the machine,
// whatever a library thinks. It also compares URLs by origin and writes them for messages.
//
// No error of this package quotes the URL, which may hold a secret: callers name what it is of, and Show it if they can.
package weburl

import (
	"errors"
	"net/url"
	"strings"
)

// The errors of Check, Parse and ParseBase.
var (
	ErrNotURL   = errors.New("not a URL of a host")
	ErrUserInfo = errors.New("a URL with user info")
	ErrFragment = errors.New("a URL with a fragment")
	ErrQuery    = errors.New("a URL with a query")
	ErrNotHTTPS = errors.New("not an https URL")
	ErrPlain    = errors.New("plain http is for localhost and loopback addresses only")
)

// Check is nil for a URL that a request or a redirect may go to: it has a host, is https, or http if the host is this
// machine (Loopback), and has no user info. Otherwise it is ErrNotURL (for nil, too), ErrUserInfo, ErrNotHTTPS or
// ErrPlain. Query and fragment do not matter.
func Check(u *url.URL) error {
	if u != nil && u.User != nil {
		return ErrUserInfo
	}
	return scheme(u)
}

func scheme(u *url.URL) error {
	switch {
	case u == nil || u.Opaque != "" || u.Hostname() == "":
		return ErrNotURL
	case u.Scheme == "https":
		return nil
	case u.Scheme != "http":
		return ErrNotHTTPS
	case !Loopback(u.Hostname()):
		return ErrPlain
	}
	return nil
}

// Parse reads a URL that passes Check and has no fragment; it may have a query.
func Parse(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil { // which quotes the text
		return nil, ErrNotURL
	}
	if err := Check(u); err != nil {
		return nil, err
	}
	if strings.Contains(text, "#") {
		return nil, ErrFragment
	}
	return u, nil
}

// ParseBase reads the URL of a service, to which paths are joined: as Parse, but without a query. Slashes at its end are
// cut, so that https://host/ and https://host are the same base.
func ParseBase(text string) (*url.URL, error) {
	u, err := Parse(strings.TrimRight(text, "/"))
	if err != nil {
		return nil, err
	}
	if u.RawQuery != "" || u.ForceQuery {
		return nil, ErrQuery
	}
	return u, nil
}
