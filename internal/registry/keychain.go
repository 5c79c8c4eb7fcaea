package registry

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"

	"github.com/google/go-containerregistry/pkg/authn"

	"github.com/taglast/taglast/internal/ociref"
)

const ghcr = "ghcr.io"

// KeychainOptions say where credentials come from.
type KeychainOptions struct {
	RegistryAuth string              // TAGLAST_REGISTRY_AUTH: a YAML list of {registry, username, password}; empty: none
	Docker       authn.Keychain      // docker's config and helpers; nil: authn.DefaultKeychain
	Getenv       func(string) string // for podman's auth file; nil: it is not looked for
	GitHubToken  string              // only for ghcr.io; empty: none
	Mask         func(string)        // called with each secret before its first use; nil: nobody listens
}

// Keychain finds credentials, first match wins: RegistryAuth, docker's config and credential helpers, podman's auth
// file, GitHubToken for ghcr.io. No value of RegistryAuth is ever part of an error.
func Keychain(o KeychainOptions) (authn.Keychain, error) {
	if o.Docker == nil {
		o.Docker = authn.DefaultKeychain
	}
	if o.Mask == nil {
		o.Mask = func(string) {}
	}
	entries, err := parseRegistryAuth(o.RegistryAuth)
	if err != nil {
		return nil, err
	}
	k := &keychain{docker: o.Docker, getenv: o.Getenv, mask: o.Mask, registryAuth: map[string]authn.AuthConfig{}}
	for _, e := range entries {
		if _, twice := k.registryAuth[e.registry]; twice {
			return nil, errors.New("registry-auth: two entries for one registry")
		}
		k.registryAuth[e.registry] = authn.AuthConfig{Username: e.username, Password: e.password}
		k.maskSecrets(k.registryAuth[e.registry])
	}
	if o.GitHubToken != "" {
		k.github = &authn.AuthConfig{Username: "x-access-token", Password: o.GitHubToken}
		k.maskSecrets(*k.github)
	}
	return k, nil
}

type keychain struct {
	registryAuth map[string]authn.AuthConfig // by canonical host
	docker       authn.Keychain
	getenv       func(string) string
	github       *authn.AuthConfig
	mask         func(string)
}

// Resolve is ResolveContext without a context.
func (k *keychain) Resolve(target authn.Resource) (authn.Authenticator, error) {
	return k.ResolveContext(context.Background(), target)
}

// ResolveContext finds the credentials for a repository or registry.
func (k *keychain) ResolveContext(ctx context.Context, target authn.Resource) (authn.Authenticator, error) {
	found, _, err := k.find(ctx, target)
	return found, err
}

// find gives the credentials and the name of where they come from.
func (k *keychain) find(ctx context.Context, target authn.Resource) (found authn.Authenticator, source string, err error) {
	host := ociref.WireHost(target.RegistryStr())
	if own, ok := k.registryAuth[host]; ok {
		return authn.FromConfig(own), "TAGLAST_REGISTRY_AUTH", nil
	}
	found, err = authn.Resolve(ctx, k.docker, target)
	if err != nil {
		return nil, "", fmt.Errorf("docker's config: %w", err)
	}
	if found != authn.Anonymous {
		config, err := authn.Authorization(ctx, found)
		if err != nil {
			return nil, "", fmt.Errorf("docker's config: %w", err)
		}
		k.maskSecrets(*config)
		return found, dockerSource(target), nil
	}
	config, path, err := podmanCredentials(k.getenv, target)
	if err != nil {
		return nil, "", err
	}
	source = podmanSource(path)
	if config == nil && host == ghcr {
		config, source = k.github, "GITHUB_TOKEN"
	}
	if config == nil {
		return authn.Anonymous, Anonymous, nil
	}
	k.maskSecrets(*config)
	return authn.FromConfig(*config), source, nil
}

// maskSecrets hides every form in which a credential can appear.
func (k *keychain) maskSecrets(c authn.AuthConfig) {
	secrets := []string{c.Password, c.Auth, c.IdentityToken, c.RegistryToken}
	if c.Password != "" {
		secrets = append(secrets, base64.StdEncoding.EncodeToString([]byte(c.Username+":"+c.Password)))
	}
	for _, s := range secrets {
		if s != "" {
			k.mask(s)
		}
	}
}
