//go:build e2e

package e2e

import (
	"net/http"
	"testing"

	"github.com/taglast/taglast/internal/testkit/registrytest"
)

// What the sandbox's registry promises, real ones keep: on loopback, and behind a proxy that ends TLS, where the
// locations that they give are other ones.
func TestRealRegistriesConform(t *testing.T) {
	for name, port := range map[string]func(*stack) string{
		"distribution": func(s *stack) string { return s.ports.distribution },
		"olareg":       func(s *stack) string { return s.ports.olareg },
	} {
		t.Run(name+" on loopback", func(t *testing.T) {
			s := servers(t)
			registrytest.Test(t, func(*testing.T) (string, http.RoundTripper) {
				return "127.0.0.1:" + port(s), http.DefaultTransport
			})
		})
		t.Run(name+" behind TLS", func(t *testing.T) {
			s := servers(t)
			transport, err := s.transport()
			if err != nil {
				t.Fatal(err)
			}
			s.gateway.route(name+".example.com", forward(port(s)))
			registrytest.Test(t, func(*testing.T) (string, http.RoundTripper) { return name + ".example.com", transport })
		})
	}
}
