package registry

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"

	"github.com/taglast/taglast/internal/escape"
	"github.com/taglast/taglast/internal/weburl"
)

// errPlain is returned for a plain http request to a host that is not this machine.
var errPlain = errors.New("plain http is refused: only localhost and loopback addresses may be spoken to without TLS")

// endpoint is the registry's own host: the only one that is given credentials.
type endpoint struct {
	host   string // as in the reference, with its port
	scheme string // the first guess; the ping decides on loopback
	local  bool
}

func endpointOf(r name.Repository) endpoint {
	e := endpoint{host: r.RegistryStr(), scheme: "https"}
	if e.local = weburl.Loopback(e.host); e.local {
		e.scheme = "http"
	}
	return e
}

// registry is the name with the scheme that this program allows: go-containerregistry takes private addresses and
// every *.localhost for plain http hosts, and 127.0.0.2 for none.
func (e endpoint) registry() (name.Registry, error) {
	if e.local {
		return name.NewRegistry(e.host, name.Insecure)
	}
	return name.NewRegistry(e.host)
}

// isPrivate tells whether host is an address literal that only this machine or its network can mean.
func isPrivate(host string) bool {
	if weburl.Loopback(host) {
		return true
	}
	ip, err := netip.ParseAddr(weburl.Hostname(host))
	if err != nil {
		return false
	}
	ip = ip.Unmap().WithZone("")
	return ip.IsLoopback() || ip.IsPrivate() || ip.IsLinkLocalUnicast() || ip.IsUnspecified() || ip.IsMulticast() ||
		ip.IsInterfaceLocalMulticast()
}

// owns tells whether u is on the registry's own host. The scheme may differ where the host and port are written alike:
// registries behind a proxy that ends TLS name themselves with http; what is sent keeps the registry's scheme.
func (e endpoint) owns(u *url.URL) bool {
	return strings.EqualFold(u.Host, e.host) || weburl.HostPort(u.Scheme, u.Host) == weburl.HostPort(e.scheme, e.host)
}

// resolveLocation resolves a Location that the registry gave in answer to a request to base. On the registry's own host the
// result has the registry's host and scheme. Another host must be spoken to by https and, unless the registry itself is
// on this machine or on a private address, be no private address; user info and fragment are dropped.
func (e endpoint) resolveLocation(base *url.URL, location string) (*url.URL, error) {
	if location == "" {
		return nil, errors.New("the answer has no Location")
	}
	if len(location) > 16<<10 {
		return nil, errors.New("the answer's Location is longer than 16 KiB")
	}
	ref, err := url.Parse(location)
	if err != nil {
		return nil, fmt.Errorf("the answer's Location %s is no URL", escape.Bounded(location, 256))
	}
	u := base.ResolveReference(ref)
	u.User, u.Fragment, u.RawFragment = nil, "", ""
	if u.Opaque != "" || u.Host == "" {
		return nil, fmt.Errorf("the answer's Location %s names no host", escape.Bounded(location, 256))
	}
	if e.owns(u) {
		u.Host, u.Scheme = e.host, base.Scheme
		if !e.owns(base) {
			u.Scheme = e.scheme
		}
		return u, nil
	}
	local := e.local && weburl.Loopback(u.Host)
	if u.Scheme != "https" && !(local && u.Scheme == "http") {
		return nil, fmt.Errorf("the registry sends us to %s://%s: only https is followed", escape.Bounded(u.Scheme, 32), escape.Bounded(u.Host, 256))
	}
	if isPrivate(u.Host) && !e.local && !isPrivate(e.host) {
		return nil, fmt.Errorf("the registry sends us to the private address %s: refused", escape.Bounded(u.Host, 256))
	}
	return u, nil
}
