package buildcontext_test

import (
	"testing"

	"github.com/taglast/taglast/internal/buildcontext"
)

func TestIsAddress(t *testing.T) {
	for text, want := range map[string]bool{
		"https://github.com/acme/app.git#main:web": true, "HTTPS://example.com/a.tgz": true, "http://example.com/a.tgz": true,
		"git://example.com/a": true, "ssh://git@example.com/a": true, "git@github.com:acme/app.git": true, "github.com/acme/app": true,
		"": false, ".": false, "web": false, "./github.com/acme/app": false, "docker-image://alpine": false, "oci-layout://x": false,
		"gitlab.com/acme/app": false, "a@b": false, "C:\\web": false,
	} {
		if got := buildcontext.IsAddress(text); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}
