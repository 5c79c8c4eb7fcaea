package sandbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"
)

// Handler serves the world to other processes: requests find their service by host and path, as RoundTrip's do.
func (w *World) Handler() http.Handler { return http.HandlerFunc(w.serve) }

func (w *World) serve(rw http.ResponseWriter, r *http.Request) {
	p, err := w.find(r)
	status := &statusWriter{ResponseWriter: rw}
	switch {
	case err != nil:
		refuse(status, http.StatusBadGateway, "DENIED", err.Error())
	case p.handler != nil:
		p.handler.ServeHTTP(status, r)
	default:
		relay(status, r, p.transport)
	}
	w.log(r, status.status)
}

// statusWriter remembers the status for the log.
type statusWriter struct {
	http.ResponseWriter
	status int
}

func (s *statusWriter) WriteHeader(status int) {
	if s.status == 0 {
		s.status = status
	}
	s.ResponseWriter.WriteHeader(status)
}

func (s *statusWriter) Write(p []byte) (int, error) {
	if s.status == 0 {
		s.status = http.StatusOK
	}
	return s.ResponseWriter.Write(p)
}

// relay makes a client's request of a server's and copies the answer.
func relay(w http.ResponseWriter, r *http.Request, through http.RoundTripper) {
	out := r.Clone(r.Context())
	out.RequestURI = ""
	out.URL.Scheme, out.URL.Host = requestScheme(r), r.Host
	resp, err := through.RoundTrip(out)
	if err != nil {
		refuse(w, http.StatusBadGateway, "UNAVAILABLE", err.Error())
		return
	}
	defer func() { _ = resp.Body.Close() }()
	for name, values := range resp.Header {
		w.Header()[name] = values
	}
	w.WriteHeader(resp.StatusCode)
	_, _ = io.Copy(w, resp.Body) // a broken body breaks off here too
}

// Server is a World on loopback.
type Server struct {
	World *World
	URL   string // http://127.0.0.1:port; the services lie under it

	handler http.Handler
	mu      sync.Mutex
	servers []*http.Server
	serving sync.WaitGroup
}

// Listen makes a world whose services and first registry are one loopback listener, without TLS. wrap, if not nil, goes
// around everything that is served: a fault, a counter, a kill.
func Listen(o Options, wrap func(http.Handler) http.Handler) (*Server, error) {
	s := &Server{}
	l, err := listen()
	if err != nil {
		return nil, err
	}
	s.URL = "http://" + l.Addr().String()
	o.APIURL = s.URL + "/api"
	urls := serviceURLs{
		token: s.URL + "/idtoken", issuer: s.URL + "/issuer", fulcio: s.URL + "/fulcio", ctLog: s.URL + "/ctlog",
		rekor: s.URL + "/rekor", tsa: s.URL + "/tsa", bundles: s.URL + "/bundles",
	}
	if s.World, err = newWorldAt(urls, o); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	s.handler = s.World.Handler()
	if wrap != nil {
		s.handler = wrap(s.handler)
	}
	s.serve(l)
	return s, nil
}

func listen() (net.Listener, error) {
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen on loopback: %w", err)
	}
	return l, nil
}

// Registry opens another listener, on which the world has another registry, and gives its host:port.
func (s *Server) Registry() (string, error) {
	l, err := listen()
	if err != nil {
		return "", err
	}
	s.serve(l)
	return l.Addr().String(), nil
}

func (s *Server) serve(l net.Listener) {
	server := &http.Server{Handler: s.handler, ReadHeaderTimeout: time.Minute}
	s.mu.Lock()
	s.servers = append(s.servers, server)
	s.mu.Unlock()
	s.serving.Go(func() { _ = server.Serve(l) }) // ends with Close
}

// Close ends all listeners and waits for them.
func (s *Server) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []error
	for _, server := range s.servers {
		all = append(all, server.Close())
	}
	s.serving.Wait()
	return errors.Join(all...)
}
