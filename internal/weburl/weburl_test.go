package weburl_test

import (
	"errors"
	"net/url"
	"strings"
	"testing"

	"github.com/taglast/taglast/internal/weburl"
)

func TestOnlyHTTPSAndThisMachineMayBeAsked(t *testing.T) {
	for name, c := range map[string]struct {
		text        string
		whole, base error
	}{
		"https":                             {"https://api.github.com", nil, nil},
		"https with a port and a path":      {"https://host:8443/api/v3", nil, nil},
		"the scheme in capitals":            {"HTTPS://host/", nil, nil},
		"http on localhost":                 {"http://localhost:8080/x", nil, nil},
		"http on localhost in capitals":     {"http://LocalHost", nil, nil},
		"http on localhost and a dot":       {"http://localhost.:80", nil, nil},
		"http on a loopback address":        {"http://127.0.0.1:8080", nil, nil},
		"http on another loopback address":  {"http://127.8.9.10", nil, nil},
		"http on the IPv6 loopback address": {"http://[::1]:8080/", nil, nil},
		"a query":                           {"https://host/x?sig=1", nil, weburl.ErrQuery},
		"an empty query":                    {"https://host/x?", nil, weburl.ErrQuery},
		"http elsewhere":                    {"http://host", weburl.ErrPlain, weburl.ErrPlain},
		"http below localhost":              {"http://app.localhost", weburl.ErrPlain, weburl.ErrPlain},
		"http on a private address":         {"http://10.0.0.1", weburl.ErrPlain, weburl.ErrPlain},
		"http to a host like localhost":     {"http://localhost.example.com", weburl.ErrPlain, weburl.ErrPlain},
		"localhost as user info":            {"http://localhost@example.com", weburl.ErrUserInfo, weburl.ErrUserInfo},
		"localhost and a port as user info": {"http://localhost:80@example.com", weburl.ErrUserInfo, weburl.ErrUserInfo},
		"a user":                            {"https://me@host", weburl.ErrUserInfo, weburl.ErrUserInfo},
		"an empty user":                     {"https://@host", weburl.ErrUserInfo, weburl.ErrUserInfo},
		"a fragment":                        {"https://host/#x", weburl.ErrFragment, weburl.ErrFragment},
		"an empty fragment":                 {"https://host/#", weburl.ErrFragment, weburl.ErrFragment},
		"another scheme":                    {"ftp://host", weburl.ErrNotHTTPS, weburl.ErrNotHTTPS},
		"another scheme on this machine":    {"file://localhost/etc/passwd", weburl.ErrNotHTTPS, weburl.ErrNotHTTPS},
		"no scheme":                         {"//host/x", weburl.ErrNotHTTPS, weburl.ErrNotHTTPS},
		"a host alone":                      {"host", weburl.ErrNotURL, weburl.ErrNotURL},
		"an empty text":                     {"", weburl.ErrNotURL, weburl.ErrNotURL},
		"no host":                           {"https:///x", weburl.ErrNotURL, weburl.ErrNotURL},
		"a port alone":                      {"https://:443", weburl.ErrNotURL, weburl.ErrNotURL},
		"an opaque part":                    {"https:host", weburl.ErrNotURL, weburl.ErrNotURL},
		"a line break":                      {"https://host/\n", weburl.ErrNotURL, weburl.ErrNotURL},
		"a port that is none":               {"https://host:x", weburl.ErrNotURL, weburl.ErrNotURL},
	} {
		t.Run(name, func(t *testing.T) {
			u, err := weburl.Parse(c.text)
			if !errors.Is(err, c.whole) || c.whole == nil && (err != nil || u == nil) || c.whole != nil && u != nil {
				t.Errorf("Parse gives %v and %v, want %v", u, err, c.whole)
			}
			u, err = weburl.ParseBase(c.text)
			if !errors.Is(err, c.base) || c.base == nil && (err != nil || u == nil) || c.base != nil && u != nil {
				t.Errorf("ParseBase gives %v and %v, want %v", u, err, c.base)
			}
		})
	}
}

func TestABaseEndsInNoSlash(t *testing.T) {
	for text, want := range map[string]string{
		"https://host": "https://host", "https://host/": "https://host", "https://host//": "https://host",
		"https://host/api/v3/": "https://host/api/v3", "https://host/a%2Fb/": "https://host/a%2Fb",
	} {
		if u, err := weburl.ParseBase(text); err != nil || u.String() != want {
			t.Errorf("%s is %v (%v), want %s", text, u, err, want)
		}
	}
}

func TestErrorsDoNotQuoteTheURL(t *testing.T) {
	for _, text := range []string{"https://secret@host", "https://host/%zz?secret", "ftp://host/secret", "https://host#secret", "https://host:secret"} {
		for _, parse := range []func(string) (*url.URL, error){weburl.Parse, weburl.ParseBase} {
			if _, err := parse(text); err == nil || strings.Contains(err.Error(), "secret") {
				t.Errorf("%s: %v", text, err)
			}
		}
	}
}

func TestCheckLooksAtSchemeHostAndUser(t *testing.T) {
	for name, c := range map[string]struct {
		u    *url.URL
		want error
	}{
		"nil":                       {nil, weburl.ErrNotURL},
		"the zero URL":              {&url.URL{}, weburl.ErrNotURL},
		"https with a signed query": {&url.URL{Scheme: "https", Host: "host", RawQuery: "sig=1", Fragment: "x"}, nil},
		"https with a user":         {&url.URL{Scheme: "https", Host: "host", User: url.User("me")}, weburl.ErrUserInfo},
		"http elsewhere":            {&url.URL{Scheme: "http", Host: "host:80"}, weburl.ErrPlain},
		"http on this machine":      {&url.URL{Scheme: "http", Host: "[::1]:80"}, nil},
		"a scheme in capitals":      {&url.URL{Scheme: "HTTPS", Host: "host"}, weburl.ErrNotHTTPS},
	} {
		t.Run(name, func(t *testing.T) {
			if err := weburl.Check(c.u); !errors.Is(err, c.want) || c.want == nil && err != nil {
				t.Errorf("Check is %v, want %v", err, c.want)
			}
		})
	}
}
