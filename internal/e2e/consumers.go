//go:build e2e

package e2e

import (
	"context"
	"testing"
	"time"
)

// consume runs one of the consumers' programs as a user without any login would.
func (s *stack) consume(t *testing.T, tl tool, args ...string) outcome {
	t.Helper()
	file, err := tl.file()
	if err != nil {
		t.Fatal(err)
	}
	home := t.TempDir()
	environ := append(append(base(home), s.proxied()...), "GH_CONFIG_DIR="+home, "GH_NO_UPDATE_NOTIFIER=1", "GH_FORCE_TTY=100", "GH_TOKEN="+readerToken)
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	out, err := run(ctx, home, file, environ, args...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// gh runs `gh attestation verify` with the stack's trusted root.
func (s *stack) gh(t *testing.T, args ...string) outcome {
	t.Helper()
	return s.consume(t, ghTool, append([]string{"attestation", "verify", "--custom-trusted-root", s.trustedRoot}, args...)...)
}

// cosign checks the bundle of a provenance against the bytes of a manifest.
func (s *stack) cosign(t *testing.T, bundle, identity, manifest string) outcome {
	t.Helper()
	return s.cosignType(t, "slsaprovenance1", bundle, identity, manifest)
}

// cosignType does it for a kind of statement by cosign's name of it.
func (s *stack) cosignType(t *testing.T, kind, bundle, identity, manifest string) outcome {
	t.Helper()
	return s.consume(t, cosignTool, "verify-blob-attestation", "--bundle", bundle, "--trusted-root", s.trustedRoot,
		"--type", kind, "--certificate-identity", identity, "--certificate-oidc-issuer", actionsIssuer, manifest)
}
