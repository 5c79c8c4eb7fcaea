package weburl

import (
	"net"
	"net/netip"
	"strings"
)

// Loopback reports whether host, with or without a port, is this very machine in any spelling: localhost (letter case
// does not matter, and one dot may follow), an address of 127.0.0.0/8, ::1, bracketed or not, or the IPv6 form of such
// an IPv4 address. Names under localhost, such as app.localhost, are not: a resolver may send them anywhere. Neither are
// addresses in forms that some resolvers read as loopback, such as 127.1.
func Loopback(host string) bool {
	host, ok := hostname(host)
	if !ok {
		return false
	}
	if strings.EqualFold(strings.TrimSuffix(host, "."), "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Zone() == "" && ip.Unmap().IsLoopback()
}

// Hostname is host without port and brackets, otherwise as it is written.
func Hostname(host string) string {
	h, _ := hostname(host)
	return h
}

// hostname is also false where what follows the colon is no port.
func hostname(host string) (string, bool) {
	if h, port, err := net.SplitHostPort(host); err == nil {
		return h, strings.Trim(port, "0123456789") == ""
	}
	if inner, ok := strings.CutPrefix(host, "["); ok {
		return strings.CutSuffix(inner, "]")
	}
	return host, true
}

// HostPort is host in lower case with its port, or with the scheme's port where it has none: ghcr.io:443, [::1]:80. The
// scheme is https or http; with another, a host without a port is an empty text.
func HostPort(scheme, host string) string {
	h, port, err := net.SplitHostPort(host)
	if err != nil {
		h, port = Hostname(host), ""
	}
	if port == "" {
		switch scheme {
		case "https":
			port = "443"
		case "http":
			port = "80"
		default:
			return ""
		}
	}
	return net.JoinHostPort(strings.ToLower(h), port)
}
