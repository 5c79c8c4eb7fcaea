//go:build e2e

package e2e

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// A stack is everything that runs beside the tests, once for the whole test binary.
type stack struct {
	dir     string
	github  *github
	gateway *gateway
	servers []*process
	builder func() (*builder, error) // that the tests share, started when the first of them asks

	builders []*process // of all builders

	ports                      struct{ trillian, ct, fulcio, rekor, timestamp, distribution, olareg string }
	trustedRoot, signingConfig string // files
	caFile                     string // of the gateway's authority
	issuing                    []*x509.Certificate
	dockerUser, dockerPassword string   // an account of docker.io
	releases                   releases // of taglast itself
}

// organization is the O of the certificate authority. gh takes its strictest rules for this name: a signed certificate
// timestamp, a log entry and a witnessed time.
const organization = "sigstore.dev"

// newStack starts all of it. The caller closes it, also after an error.
func newStack(ctx context.Context, dir string) (s *stack, err error) {
	s = &stack{dir: dir, dockerUser: "acme", dockerPassword: secret("dckr_pat_")}
	s.builder = sync.OnceValues(func() (*builder, error) { return s.startBuilder(context.WithoutCancel(ctx), "buildkit") })
	if s.github, err = newGitHub(); err != nil {
		return s, err
	}
	tlsCA, err := newAuthority(pkix.Name{CommonName: "e2e gateway"}, nil)
	if err != nil {
		return s, err
	}
	s.caFile = s.file("gateway.pem")
	if err := os.WriteFile(s.caFile, certificatePEM(tlsCA.cert), 0o600); err != nil {
		return s, err
	}
	if s.gateway, err = newGateway(ctx, tlsCA); err != nil {
		return s, err
	}
	for _, port := range []*string{&s.ports.ct, &s.ports.fulcio, &s.ports.rekor, &s.ports.timestamp, &s.ports.distribution, &s.ports.olareg} {
		if *port, err = freePort(ctx); err != nil {
			return s, err
		}
	}
	s.routes()

	keys, err := s.keys()
	if err != nil {
		return s, err
	}
	trees, err := s.trillian(ctx)
	if err != nil {
		return s, err
	}
	g, gctx := errgroup.WithContext(ctx)
	var started [5][]*process
	for i, f := range []func(context.Context) ([]*process, error){
		func(ctx context.Context) ([]*process, error) { return s.startCT(ctx, keys.ctConfig, trees["ct"]) },
		s.startFulcio,
		func(ctx context.Context) ([]*process, error) { return s.startTimestampAndRekor(ctx, trees["rekor"]) },
		s.startDistribution, s.startOlareg,
	} {
		g.Go(func() (err error) {
			started[i], err = f(gctx)
			return err
		})
	}
	err = g.Wait()
	for _, p := range started {
		s.servers = append(s.servers, p...)
	}
	if err != nil {
		return s, err
	}
	s.trustedRoot, s.signingConfig = s.file("trusted_root.json"), s.file("signing_config.json")
	return s, errors.Join(trustedRoot(ctx, s.trustedRoot, s.issuing, keys.ct.Public(), s.ports.rekor, s.ports.timestamp), signingConfig(s.signingConfig))
}

func (s *stack) file(name string) string { return filepath.Join(s.dir, name) }

// proxied is the environment of a program that sees the world through the gateway.
func (s *stack) proxied() []string {
	return []string{"HTTPS_PROXY=" + s.gateway.url, "SSL_CERT_FILE=" + s.caFile, "NO_PROXY=127.0.0.1,localhost"}
}

// transport is a library's way through the gateway.
func (s *stack) transport() (*http.Transport, error) {
	proxy, err := url.Parse(s.gateway.url)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	roots.AddCert(s.gateway.ca.cert)
	return &http.Transport{Proxy: http.ProxyURL(proxy), TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}, nil
}

// routes are the hosts there are. Everything else is refused, and recorded.
func (s *stack) routes() {
	for host, port := range map[string]string{
		"fulcio.sigstore.dev": s.ports.fulcio, "rekor.sigstore.dev": s.ports.rekor, "timestamp.sigstore.dev": s.ports.timestamp,
	} {
		s.gateway.route(host, forward(port))
	}
	s.gateway.route("token.actions.githubusercontent.com", http.HandlerFunc(s.github.issuer))
	s.gateway.route(runnerHost, http.HandlerFunc(s.github.runner))
	s.gateway.route("api.github.com", s.github.api())
	s.gateway.route(blobHost, http.HandlerFunc(s.github.blob))

	s.gateway.route("github.com", http.HandlerFunc(s.releases.page))
	s.gateway.route(assetHost, http.HandlerFunc(s.releases.asset))
	s.gateway.route("ghcr.io", newLogin("ghcr.io", "ghcr.io", withoutReferrers(forward(s.ports.distribution)), func(_, password string) (bool, bool) {
		s.github.mu.Lock()
		defer s.github.mu.Unlock()
		j, ok := s.github.tokens[password]
		return !j.NoPackages, ok
	}))
	hub := newLogin("auth.docker.io", "registry.docker.io", forward(s.ports.olareg), func(user, password string) (bool, bool) {
		ok := user == s.dockerUser && password == s.dockerPassword
		return ok, ok
	})
	for _, host := range []string{"auth.docker.io", "index.docker.io", "registry-1.docker.io"} {
		s.gateway.route(host, hub)
	}
}

// trillian starts the log server beneath CT log and Rekor.
func (s *stack) trillian(ctx context.Context) (map[string]int64, error) {
	file, err := trillianFile()
	if err != nil {
		return nil, err
	}
	out, in, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer func() { _ = out.Close() }()
	p, err := start(ctx, s.dir, "trillian", file, nil, in, "ct", "rekor")
	_ = in.Close() // the process has its own
	if err != nil {
		return nil, err
	}
	s.servers = append(s.servers, p)
	var answer struct {
		Address string           `json:"address"`
		Trees   map[string]int64 `json:"trees"`
	}
	if err := out.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
		return nil, err
	}
	line, err := bufio.NewReader(io.LimitReader(out, 4<<10)).ReadBytes('\n')
	if err != nil {
		return nil, fmt.Errorf("trillian said nothing: %w\n%s", err, p.tail(0))
	}
	if err := json.Unmarshal(line, &answer); err != nil {
		return nil, fmt.Errorf("trillian said %q: %w", line, err)
	}
	_, s.ports.trillian, err = net.SplitHostPort(answer.Address)
	return answer.Trees, err
}

// close stops everything, the last started first.
func (s *stack) close() {
	for _, p := range s.builders {
		p.stop()
	}
	for i := len(s.servers) - 1; i >= 0; i-- {
		if s.servers[i] != nil {
			s.servers[i].stop()
		}
	}
	if s.gateway != nil {
		_ = s.gateway.close()
	}
}
