package registrytest_test

import (
	"net/http"
	"testing"

	"github.com/taglast/taglast/internal/sandbox"
	"github.com/taglast/taglast/internal/testkit/registrytest"
)

// A Host on a Network, with which the tests of the clients disturb a registry, is a registry as long as they do not.
func TestTheRegistryOfTheTests(t *testing.T) {
	for name, absolute := range map[string]bool{"with relative locations": false, "with absolute locations": true} {
		t.Run(name, func(t *testing.T) {
			registrytest.Test(t, func(t *testing.T) (string, http.RoundTripper) {
				const host = "127.0.0.1:5000"
				h := registrytest.NewHost(t, host, sandbox.RegistryOptions{AbsoluteURLs: absolute})
				return host, &registrytest.Network{Hosts: map[string]http.Handler{host: h}}
			})
		})
	}
}

func TestTheSandboxsRegistry(t *testing.T) {
	for name, o := range map[string]sandbox.Options{
		"under the law": {},
		"without a law": {Law: registrytest.AnyTag},
	} {
		t.Run(name, func(t *testing.T) {
			registrytest.Test(t, func(t *testing.T) (string, http.RoundTripper) {
				w, err := sandbox.New(o)
				if err != nil {
					t.Fatal(err)
				}
				return "ghcr.io", w
			})
		})
	}
}
