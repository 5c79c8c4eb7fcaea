package weburl

import (
	"net/url"

	"github.com/taglast/taglast/internal/escape"
)

// maxShown is how many bytes of a URL a message has.
const maxShown = 1 << 10

// Show is u for a message: without user info, query and fragment, which can hold secrets, on one line, inert and
// bounded. For nil it is empty.
func Show(u *url.URL) string {
	if u == nil {
		return ""
	}
	plain := url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path, RawPath: u.RawPath}
	return escape.Bounded(plain.String(), maxShown)
}

// ShowText is Show for a URL that is still a text, and "(unreadable URL)" for one that cannot be parsed: nobody knows
// then which part of it is secret.
func ShowText(text string) string {
	u, err := url.Parse(text)
	if err != nil || u.Opaque != "" {
		return "(unreadable URL)"
	}
	return Show(u)
}
