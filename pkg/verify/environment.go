package verify

import (
	"cmp"
	"net/url"
	"os"
	"strings"

	"github.com/taglast/taglast/internal/registry"
)

// WithEnvironment fills in what the options leave open from the environment, as the command does, and checks them
// (Validate). A nil getenv is os.Getenv.
//
//   - Policy.Hostname is GH_HOST, else the host of GITHUB_SERVER_URL, else github.com.
//   - APIURL is GITHUB_API_URL and Token is GH_TOKEN or GITHUB_TOKEN, where Hostname is the host of GITHUB_SERVER_URL and
//     neither APIURL nor Token was given: they belong to that server, and go to no other.
//   - Keychain finds credentials in TAGLAST_REGISTRY_AUTH, docker's config and credential helpers, podman's auth file,
//     and GITHUB_TOKEN for ghcr.io, in this order.
//
// Errors wrap ErrUsage, or are about TAGLAST_REGISTRY_AUTH, of which they quote nothing.
func (o Options) WithEnvironment(getenv func(string) string) (Options, error) {
	if getenv == nil {
		getenv = os.Getenv
	}
	server := "github.com"
	if u, err := url.Parse(getenv("GITHUB_SERVER_URL")); err == nil && u.Host != "" {
		server = u.Host
	}
	o.Policy.Hostname = cmp.Or(o.Policy.Hostname, getenv("GH_HOST"), server)
	if strings.EqualFold(o.Policy.Hostname, server) && o.APIURL == "" && o.Token == "" {
		o.APIURL, o.Token = getenv("GITHUB_API_URL"), cmp.Or(getenv("GH_TOKEN"), getenv("GITHUB_TOKEN"))
	}
	if err := o.Validate(); err != nil {
		return o, err
	}
	if o.Keychain != nil {
		return o, nil
	}
	var err error
	o.Keychain, err = registry.Keychain(registry.KeychainOptions{
		RegistryAuth: getenv("TAGLAST_REGISTRY_AUTH"), Getenv: getenv, GitHubToken: getenv("GITHUB_TOKEN"),
	})
	return o, err
}
