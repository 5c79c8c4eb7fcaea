package weburl_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/taglast/taglast/internal/weburl"
)

func TestLoopbackKnowsEverySpellingOfThisMachineAndNoOther(t *testing.T) {
	for host, want := range map[string]bool{
		"localhost": true, "LOCALHOST": true, "localhost.": true, "localhost:5000": true, "LocalHost.:5000": true, "localhost:": true,
		"127.0.0.1": true, "127.0.0.1:5000": true, "127.0.0.2": true, "127.255.255.254:1": true,
		"::1": true, "[::1]": true, "[::1]:5000": true, "0:0:0:0:0:0:0:1": true, "::ffff:127.0.0.1": true, "[::ffff:127.1.2.3]:80": true,
		"": false, ".": false, ":5000": false, "localhost..": false, "app.localhost": false, "localhost.localdomain": false,
		"localhost.example.com": false, "example.com": false, "127.0.0.1.example.com": false, "127.0.0.1.nip.io:80": false,
		"128.0.0.1": false, "126.255.255.255": false, "0.0.0.0": false, "::": false, "10.0.0.1": false, "192.168.0.1:5000": false,
		"127.1": false, "2130706433": false, "0177.0.0.1": false, "0x7f.0.0.1": false, "127.0.0.1.": false, "127.0.0.01": false,
		"::1%lo": false, "[::1%25lo]": false, "[::1": false, "localhost:x": false, "localhost:80@example.com": false, "localhost:80:90": false,
		"localhost/x": false, "\x20localhost": false, "ghcr.io": false, "lo\u0441alhost": false,
	} {
		if got := weburl.Loopback(host); got != want {
			t.Errorf("%q is %v, want %v", host, got, want)
		}
	}
}

func TestHostPortGivesOneSpelling(t *testing.T) {
	for name, c := range map[string]struct{ scheme, host, want string }{
		"https has port 443":                 {"https", "ghcr.io", "ghcr.io:443"},
		"http has port 80":                   {"http", "localhost", "localhost:80"},
		"a port stays":                       {"https", "ghcr.io:8443", "ghcr.io:8443"},
		"an empty port is the scheme's":      {"https", "ghcr.io:", "ghcr.io:443"},
		"case does not matter":               {"https", "GHCR.io", "ghcr.io:443"},
		"an IPv6 address keeps its brackets": {"http", "[::1]:5000", "[::1]:5000"},
		"an IPv6 address gets a port":        {"http", "[::1]", "[::1]:80"},
		"another scheme has no port":         {"ftp", "ghcr.io", ""},
	} {
		t.Run(name, func(t *testing.T) {
			if got := weburl.HostPort(c.scheme, c.host); got != c.want {
				t.Errorf("it is %q, want %q", got, c.want)
			}
		})
	}
}

func TestHostnameHasNeitherPortNorBrackets(t *testing.T) {
	for host, want := range map[string]string{
		"ghcr.io": "ghcr.io", "GHCR.io:443": "GHCR.io", "[::1]:5000": "::1", "[::1]": "::1", "::1": "::1", "": "",
	} {
		if got := weburl.Hostname(host); got != want {
			t.Errorf("%q is %q, want %q", host, got, want)
		}
	}
}

func TestSameOriginComparesSchemeHostAndPort(t *testing.T) {
	for name, c := range map[string]struct {
		a, b string
		want bool
	}{
		"the same host":                             {"https://host/a", "https://host/b?c", true},
		"the scheme's port, given or not":           {"https://host", "https://host:443", true},
		"http's port, given or not":                 {"http://localhost:80", "http://localhost", true},
		"letter case":                               {"https://Host", "https://hOST", true},
		"another scheme":                            {"https://host", "http://host", false},
		"another scheme with the same port":         {"https://host:80", "http://host:80", false},
		"another port":                              {"https://host", "https://host:8443", false},
		"another host":                              {"https://host", "https://host.example.com", false},
		"a dot at the end":                          {"https://host", "https://host.", false},
		"two addresses of this machine":             {"http://localhost", "http://127.0.0.1", false},
		"a user on one side":                        {"https://host", "https://me@host", false},
		"schemes without a known port":              {"ftp://host", "ftp://host", false},
		"schemes without a known port do not count": {"ftp://host:21", "ftp://host:21", false},
		"addresses that have no host at all":        {"https:///a", "https:///a", false},
	} {
		t.Run(name, func(t *testing.T) {
			a, b := parse(t, c.a), parse(t, c.b)
			if weburl.SameOrigin(a, b) != c.want || weburl.SameOrigin(b, a) != c.want {
				t.Errorf("%s and %s: want %v", a, b, c.want)
			}
			if weburl.SameOrigin(a, nil) || weburl.SameOrigin(nil, b) {
				t.Error("no URL has an origin")
			}
		})
	}
}

func TestShowHasNoSecret(t *testing.T) {
	u := parse(t, "https://user:secret@host:8443/a%2Fb/c?token=secret#secret")
	u.Path, u.RawPath = u.Path+"\u202e", ""
	for _, got := range []string{weburl.Show(u), weburl.ShowText("https://user:secret@host:8443/a?secret#secret"), weburl.ShowText("https://host:secret"), weburl.ShowText("https:secret")} {
		if strings.Contains(got, "secret") || strings.Contains(got, "\u202e") {
			t.Errorf("it shows %s", got)
		}
	}
	if got, want := weburl.Show(parse(t, "https://u:p@host:8443/a%2Fb/c?q#f")), "https://host:8443/a%2Fb/c"; got != want {
		t.Errorf("it shows %s, want %s", got, want)
	}
	if got := weburl.Show(&url.URL{Scheme: "https", Host: "ho\x1bst"}); strings.Contains(got, "\x1b") {
		t.Errorf("it shows %q", got)
	}
	if got := weburl.ShowText("https://host/" + strings.Repeat("a", 1<<16)); len(got) > 1<<10 {
		t.Errorf("it shows %d bytes", len(got))
	}
	if got := weburl.Show(nil); got != "" {
		t.Errorf("nil shows %q", got)
	}
}

func parse(t *testing.T, text string) *url.URL {
	t.Helper()
	u, err := url.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return u
}
