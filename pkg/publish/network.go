package publish

import (
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

// Network is the transport of real runs: deadlines for dialing, TLS and answers, proxies from the environment, no
// cookies.
func Network() http.RoundTripper {
	return &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSHandshakeTimeout:   10 * time.Second,
		ResponseHeaderTimeout: 2 * time.Minute, // a registry may take long to commit a large blob
		ExpectContinueTimeout: time.Second,
		IdleConnTimeout:       90 * time.Second,
		MaxIdleConnsPerHost:   32,
		ForceAttemptHTTP2:     true,
		// A connection on which nothing comes any more is given up, body or not.
		HTTP2: &http.HTTP2Config{SendPingTimeout: 30 * time.Second, PingTimeout: 15 * time.Second},
	}
}

// counter counts what leaves the program.
type counter struct {
	base          http.RoundTripper
	reads, writes atomic.Int64
}

// RoundTrip counts GET and HEAD as reads, everything else as writes.
func (c *counter) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		c.reads.Add(1)
	} else {
		c.writes.Add(1)
	}
	return c.base.RoundTrip(r)
}
