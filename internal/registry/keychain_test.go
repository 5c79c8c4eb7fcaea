package registry_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/authn"

	"github.com/taglast/taglast/internal/registry"
)

// dockers is docker's config: one entry.
type dockers struct{ host string }

func (d dockers) Resolve(r authn.Resource) (authn.Authenticator, error) {
	if r.RegistryStr() != d.host {
		return authn.Anonymous, nil
	}
	return authn.FromConfig(authn.AuthConfig{Username: "docker", Password: "docker-secret"}), nil
}

func TestCredentialsAreTakenFromTheFirstThatMatches(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "auth.json")
	const auths = `{"auths":{"quay.io":{"auth":"cG9kbWFuOnBvZG1hbi1zZWNyZXQ="},"quay.io/acme/app":{"auth":"ZXhhY3Q6ZXhhY3Qtc2VjcmV0"},"https://index.docker.io/v1/":{"auth":"cG9kbWFuOnBvZG1hbi1zZWNyZXQ="}}}`
	if err := os.WriteFile(file, []byte(auths), 0o600); err != nil {
		t.Fatal(err)
	}
	const own = "- {registry: docker.io, username: own, password: 0123}\n- registry: own.example:5000\n  username: yes\n  password: \"a: b\"\n"
	for title, c := range map[string]struct {
		repo, registryAuth, docker string
		podman                     bool
		want                       string
	}{
		"registry-auth for Docker Hub":            {"docker.io/acme/app", own, "", false, "own:0123"},
		"registry-auth for its API's name":        {"registry-1.docker.io/acme/app", own, "", false, "own:0123"},
		"registry-auth under its third name":      {"acme/app", "[{registry: index.docker.io, username: u, password: p}]", "", false, "u:p"},
		"registry-auth is the text as written":    {"own.example:5000/app", own, "", false, "yes:a: b"},
		"registry-auth before docker":             {"docker.io/acme/app", own, "index.docker.io", true, "own:0123"},
		"docker before podman":                    {"quay.io/acme/app", own, "quay.io", true, "docker:docker-secret"},
		"docker before GITHUB_TOKEN":              {"ghcr.io/acme/app", own, "ghcr.io", true, "docker:docker-secret"},
		"podman where docker has none":            {"quay.io/acme/other", own, "ghcr.io", true, "podman:podman-secret"},
		"podman, the closest entry":               {"quay.io/acme/app", own, "", true, "exact:exact-secret"},
		"podman for Docker Hub":                   {"docker.io/acme/app", "", "", true, "podman:podman-secret"},
		"GITHUB_TOKEN for ghcr.io":                {"ghcr.io/acme/app", own, "", true, "x-access-token:github-secret"},
		"GITHUB_TOKEN for nothing else":           {"docker.pkg.github.com/acme/app", own, "", true, ":"},
		"GITHUB_TOKEN not for a host like it":     {"ghcr.io.example/acme/app", own, "", true, ":"},
		"GITHUB_TOKEN not for another port of it": {"ghcr.io:8443/acme/app", own, "", true, ":"},
	} {
		t.Run(title, func(t *testing.T) {
			var masked []string
			o := registry.KeychainOptions{
				RegistryAuth: c.registryAuth, Docker: dockers{c.docker}, GitHubToken: "github-secret",
				Mask: func(s string) { masked = append(masked, s) },
			}
			if c.podman {
				o.Getenv = func(k string) string { return map[string]string{"REGISTRY_AUTH_FILE": file}[k] }
			}
			k, err := registry.Keychain(o)
			if err != nil {
				t.Fatal(err)
			}
			auth, err := k.Resolve(repo(t, c.repo))
			if err != nil {
				t.Fatal(err)
			}
			got, err := authn.Authorization(t.Context(), auth)
			if err != nil || got.Username+":"+got.Password != c.want {
				t.Errorf("%s:%s, %v, want %s", got.Username, got.Password, err, c.want)
			}
			if got.Password != "" && !slices.Contains(masked, got.Password) {
				t.Errorf("%q is not masked", got.Password)
			}
		})
	}
}

func TestABrokenRegistryAuthIsRefusedWithoutItsValues(t *testing.T) {
	for title, text := range map[string]string{
		"no YAML":                 "- {registry: a.example, username: u, password: 'hunter2}",
		"an alias":                "- {registry: a.example, username: u, password: *hunter2}",
		"a map":                   "{registry: a.example, username: u, password: hunter2}",
		"a text":                  "hunter2",
		"an unknown key":          "- {registry: a.example, username: u, password: x, hunter2: y}",
		"a repeated key":          "- {registry: a.example, username: u, password: hunter2, password: hunter2}",
		"no password":             "- {registry: a.example, username: hunter2}",
		"an empty password":       "- {registry: a.example, username: hunter2, password: ''}",
		"a list as password":      "- {registry: a.example, username: u, password: [hunter2]}",
		"a URL as registry":       "- {registry: 'https://hunter2', username: u, password: p}",
		"a path as registry":      "- {registry: a.example/hunter2, username: u, password: p}",
		"no host":                 "- {registry: 'hunter2:x:y', username: u, password: p}",
		"one registry twice":      "- {registry: docker.io, username: u, password: hunter2}\n- {registry: index.docker.io, username: u, password: hunter2}",
		"two documents":           "- {registry: a.example, username: u, password: hunter2}\n---\n- {registry: b.example, username: u, password: hunter2}",
		"an entry that is a text": "- hunter2",
		"more than 64 KiB":        "- {registry: a.example, username: u, password: hunter2" + strings.Repeat("x", 64<<10) + "}",
	} {
		_, err := registry.Keychain(registry.KeychainOptions{RegistryAuth: text})
		if err == nil || !strings.HasPrefix(err.Error(), "registry-auth: ") || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", title, err)
		}
	}
}

func TestABrokenPodmanFileIsAnErrorWithoutItsContent(t *testing.T) {
	file := filepath.Join(t.TempDir(), "auth.json")
	if err := os.WriteFile(file, []byte(`{"auths":{"quay.io":{"auth":"hunter2!"}}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	k, err := registry.Keychain(registry.KeychainOptions{Docker: dockers{}, Getenv: func(s string) string {
		return map[string]string{"REGISTRY_AUTH_FILE": file}[s]
	}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := k.Resolve(repo(t, "quay.io/acme/app")); err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("Resolve = %v", err)
	}
}

func FuzzRegistryAuth(f *testing.F) {
	f.Add("- {registry: docker.io, username: u, password: p}")
	f.Add("- registry: a\n  username: &x b\n  password: *x\n")
	f.Fuzz(func(t *testing.T, text string) {
		_, err := registry.Keychain(registry.KeychainOptions{RegistryAuth: text, Docker: dockers{}})
		if err != nil && len(err.Error()) > 200 {
			t.Errorf("a long error: %v", err)
		}
	})
}
