//go:build e2e

package e2e

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"time"
)

// A gateway is the world as the programs under test see it: an https proxy that answers every host in its routes with a
// certificate of its own authority. Programs so use their real host names (ghcr.io, api.github.com, …), over TLS, and
// whatever else they ask for is known. It keeps a record of every request.
type gateway struct {
	ca     *authority
	server *http.Server // of what is inside the tunnels
	proxy  *http.Server
	tunnel *tunnels
	url    string

	mu     sync.Mutex
	certs  map[string]*tls.Certificate
	routes map[string]http.Handler
	seen   []exchange
}

// An exchange is a request that went through the gateway.
type exchange struct {
	Method, Host, Path, Query string
	Authorization             string
	Status                    int
}

func (e exchange) String() string {
	return fmt.Sprintf("%d %s https://%s%s", e.Status, e.Method, e.Host, e.Path)
}

// writes says whether the request may change something at the other side.
func (e exchange) writes() bool {
	return e.Method != http.MethodGet && e.Method != http.MethodHead && e.Method != http.MethodConnect
}

func newGateway(ctx context.Context, ca *authority) (*gateway, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	g := &gateway{
		ca: ca, url: "http://" + l.Addr().String(), certs: map[string]*tls.Certificate{}, routes: map[string]http.Handler{},
		tunnel: &tunnels{conns: make(chan net.Conn), done: make(chan struct{}), addr: l.Addr()},
	}
	g.server = &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(g.answer)}
	g.proxy = &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(g.connect)}
	go func() { _ = g.server.Serve(g.tunnel) }()
	go func() { _ = g.proxy.Serve(l) }()
	return g, nil
}

func (g *gateway) close() error {
	return errors.Join(g.proxy.Close(), g.server.Close())
}

// route sends requests for a host to h.
func (g *gateway) route(host string, h http.Handler) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.routes[host] = h
}

// mark is a place in the record; since gives what came after it.
func (g *gateway) mark() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.seen)
}

func (g *gateway) since(mark int) []exchange {
	g.mu.Lock()
	defer g.mu.Unlock()
	return append([]exchange(nil), g.seen[mark:]...)
}

// connect opens a tunnel. A host without a route gets none.
func (g *gateway) connect(w http.ResponseWriter, r *http.Request) {
	host := strings.TrimSuffix(r.Host, ":443")
	g.mu.Lock()
	_, known := g.routes[host]
	if !known || r.Method != http.MethodConnect {
		g.seen = append(g.seen, exchange{Method: r.Method, Host: host, Path: r.URL.Path, Status: http.StatusBadGateway})
	}
	g.mu.Unlock()
	if !known || r.Method != http.MethodConnect {
		http.Error(w, "no route to "+host, http.StatusBadGateway)
		return
	}
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	if _, err := conn.Write([]byte("HTTP/1.1 200 Connection established\r\n\r\n")); err != nil {
		_ = conn.Close()
		return
	}
	secure := tls.Server(conn, &tls.Config{
		MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"},
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return g.certificate(host) },
	})
	select {
	case g.tunnel.conns <- secure:
	case <-g.tunnel.done:
		_ = conn.Close()
	}
}

func (g *gateway) certificate(host string) (*tls.Certificate, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if c, ok := g.certs[host]; ok {
		return c, nil
	}
	c, err := g.ca.server(host)
	if err == nil {
		g.certs[host] = c
	}
	return c, err
}

func (g *gateway) answer(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	h := g.routes[r.Host]
	g.mu.Unlock()
	if h == nil {
		http.Error(w, "no route to "+r.Host, http.StatusMisdirectedRequest)
		return
	}
	rec := &recorder{ResponseWriter: w, status: http.StatusOK}
	defer func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.seen = append(g.seen, exchange{
			r.Method, r.Host, r.URL.Path, r.URL.RawQuery, r.Header.Get("Authorization"), rec.status,
		})
	}()
	h.ServeHTTP(rec, r)
}

// recorder notes the status of an answer.
type recorder struct {
	http.ResponseWriter
	status int
}

func (r *recorder) WriteHeader(status int) {
	if status >= http.StatusOK {
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// tunnels is the listener whose connections come out of CONNECT requests.
type tunnels struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
	addr  net.Addr
}

func (t *tunnels) Accept() (net.Conn, error) {
	select {
	case c := <-t.conns:
		return c, nil
	case <-t.done:
		return nil, net.ErrClosed
	}
}

func (t *tunnels) Close() error {
	t.once.Do(func() { close(t.done) })
	return nil
}

func (t *tunnels) Addr() net.Addr { return t.addr }

// forward passes requests on to a server on loopback, which is told the name it goes by.
func forward(port string) http.Handler {
	target := &url.URL{Scheme: "http", Host: "127.0.0.1:" + port}
	return &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.SetXForwarded()
			r.Out.Header.Set("X-Forwarded-Proto", "https")
			r.Out.Host = r.In.Host
		},
		FlushInterval: -1,
	}
}
