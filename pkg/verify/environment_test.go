package verify_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"

	"github.com/taglast/taglast/pkg/verify"
)

func TestEnvironmentFillsInWhatIsOpen(t *testing.T) {
	t.Setenv("DOCKER_CONFIG", t.TempDir())
	tenant := map[string]string{
		"GITHUB_SERVER_URL": "https://acme.ghe.com", "GITHUB_API_URL": "https://api.acme.ghe.com", "GITHUB_TOKEN": "job",
	}
	for _, c := range []struct {
		name            string
		env             map[string]string
		given           verify.Options
		host, api, auth string
	}{
		{"nothing", nil, verify.Options{}, "github.com", "", ""},
		{"a token", map[string]string{"GITHUB_TOKEN": "job"}, verify.Options{}, "github.com", "", "job"},
		{"a user's own token comes first", map[string]string{"GITHUB_TOKEN": "job", "GH_TOKEN": "own"}, verify.Options{}, "github.com", "", "own"},
		{"a job of a tenant", tenant, verify.Options{}, "acme.ghe.com", "https://api.acme.ghe.com", "job"},
		{"another host than the job's", tenant, verify.Options{Policy: verify.Policy{Hostname: "github.com"}}, "github.com", "", ""},
		{"the same host in capitals", tenant, verify.Options{Policy: verify.Policy{Hostname: "ACME.ghe.com"}}, "ACME.ghe.com", "https://api.acme.ghe.com", "job"},
		{"a token of the caller's", tenant, verify.Options{Token: "given"}, "acme.ghe.com", "", "given"},
		{"an API of the caller's gets no token of the environment's", tenant, verify.Options{APIURL: "https://api.example"}, "acme.ghe.com", "https://api.example", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.given.Policy.Repo = "acme/app"
			o, err := c.given.WithEnvironment(func(key string) string { return c.env[key] })
			if err != nil {
				t.Fatal(err)
			}
			if o.Policy.Hostname != c.host || o.APIURL != c.api || o.Token != c.auth || o.Keychain == nil {
				t.Errorf("host %q, API %q, token %q, keychain %v", o.Policy.Hostname, o.APIURL, o.Token, o.Keychain)
			}
		})
	}
}

func TestEnvironmentOfTheProcessIsTheDefault(t *testing.T) {
	t.Setenv("DOCKER_CONFIG", t.TempDir())
	t.Setenv("GH_HOST", "acme.ghe.com")
	t.Setenv("TAGLAST_REGISTRY_AUTH", "- {registry: quay.io, username: me, password: secret}")
	o, err := verify.Options{Policy: verify.Policy{Repo: "acme/app"}}.WithEnvironment(nil)
	if err != nil {
		t.Fatal(err)
	}
	quay, err := name.NewRegistry("quay.io")
	if err != nil {
		t.Fatal(err)
	}
	found, err := o.Keychain.Resolve(quay)
	if err != nil {
		t.Fatal(err)
	}
	config, err := found.Authorization()
	if err != nil || o.Policy.Hostname != "acme.ghe.com" || config.Username != "me" || config.Password != "secret" {
		t.Errorf("host %q, user %q, error %v", o.Policy.Hostname, config.Username, err)
	}
}

func TestEnvironmentThatMakesNoSenseIsRefused(t *testing.T) {
	for _, c := range []struct {
		name, key, value string
		usage            bool
	}{
		{"a host without attestations", "GH_HOST", "github.example.com", true},
		{"credentials that are no list", "TAGLAST_REGISTRY_AUTH", "secret: secret", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := verify.Options{Policy: verify.Policy{Repo: "acme/app"}}.WithEnvironment(func(key string) string {
				if key == c.key {
					return c.value
				}
				return ""
			})
			if err == nil || errors.Is(err, verify.ErrUsage) != c.usage || strings.Contains(err.Error(), "secret") {
				t.Errorf("error %v", err)
			}
		})
	}
}

func TestKeychainThatIsGivenIsKept(t *testing.T) {
	given := authn.NewMultiKeychain()
	o, err := verify.Options{Policy: verify.Policy{Repo: "acme/app"}, Keychain: given}.WithEnvironment(func(string) string { return "" })
	if err != nil || o.Keychain != given {
		t.Errorf("keychain %v, error %v", o.Keychain, err)
	}
}
