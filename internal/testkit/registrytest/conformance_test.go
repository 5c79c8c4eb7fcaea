package registrytest_test

import (
	"net/http"
	"testing"

	"github.com/taglast/taglast/internal/sandbox"
	"github.com/taglast/taglast/internal/testkit/memory"
	"github.com/taglast/taglast/internal/testkit/registrytest"
)

func TestTheRegistryOfTheTests(t *testing.T) {
	for name, absolute := range map[string]bool{"with relative locations": false, "with absolute locations": true} {
		t.Run(name, func(t *testing.T) {
			registrytest.Test(t, func(*testing.T) (string, http.RoundTripper) {
				g := &memory.Registry{Absolute: absolute}
				return "127.0.0.1:5000", &memory.Transport{Hosts: map[string]http.Handler{"127.0.0.1:5000": g}}
			})
		})
	}
}

func TestTheSandboxsRegistry(t *testing.T) {
	for name, o := range map[string]sandbox.Options{
		"under the law": {},
		"without a law": {Law: func(sandbox.Tag) error { return nil }},
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
