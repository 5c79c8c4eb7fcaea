// Package network has the transport to the real network, for every client that is given no other.
package network

import (
	"net"
	"net/http"
	"time"
)

// Transport returns a new transport with deadlines for dialing, TLS and answers, proxies from the environment and no
// cookies. Its connections are its own: a caller that needs it for one call closes the idle ones afterwards
// (CloseIdleConnections).
func Transport() *http.Transport {
	return &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSHandshakeTimeout:   10 * time.Second,
		ResponseHeaderTimeout: 2 * time.Minute, // a registry may take long to commit a large blob
		ExpectContinueTimeout: time.Second,
		IdleConnTimeout:       90 * time.Second,
		MaxIdleConnsPerHost:   32,
		ForceAttemptHTTP2:     true,
		// A connection on which nothing arrives any more is closed, even while a body is read.
		HTTP2: &http.HTTP2Config{SendPingTimeout: 30 * time.Second, PingTimeout: 15 * time.Second},
	}
}
