package publish

import (
	"os"

	"github.com/google/go-containerregistry/pkg/authn"

	"github.com/taglast/taglast/internal/registry"
)

// Keychain finds registry credentials as the command does, first match wins: TAGLAST_REGISTRY_AUTH, docker's config and
// credential helpers, podman's auth file, GITHUB_TOKEN for ghcr.io. A nil getenv is os.Getenv. mask is called with each
// secret before its first use; nil means that nobody listens. The error is about TAGLAST_REGISTRY_AUTH and quotes
// nothing of it.
func Keychain(getenv func(string) string, mask func(string)) (authn.Keychain, error) {
	if getenv == nil {
		getenv = os.Getenv
	}
	return registry.Keychain(registry.KeychainOptions{
		RegistryAuth: getenv("TAGLAST_REGISTRY_AUTH"), GitHubToken: getenv("GITHUB_TOKEN"), Getenv: getenv, Mask: mask,
	})
}
