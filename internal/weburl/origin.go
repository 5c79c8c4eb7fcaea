package weburl

import "net/url"

// SameOrigin reports whether a and b are URLs of one https or http origin: the same scheme, the same host, whose letter
// case does not matter, and the same port, given or the scheme's. It is false where one of them is nil or has user info.
// Two spellings of this machine (localhost, 127.0.0.1) are two origins, because two services may listen on them.
func SameOrigin(a, b *url.URL) bool {
	if a == nil || b == nil || a.User != nil || b.User != nil || a.Scheme != b.Scheme || a.Hostname() == "" {
		return false
	}
	if a.Scheme != "https" && a.Scheme != "http" {
		return false
	}
	return HostPort(a.Scheme, a.Host) == HostPort(b.Scheme, b.Host)
}
