package registry_test

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/authn"

	"github.com/taglast/taglast/internal/registry"
)

func TestTheSourceOfCredentialsIsNamedAndNoSecret(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Setenv("PATHEXT", ".BAT")
	}
	const secret = "hunter2"
	auth := base64.StdEncoding.EncodeToString([]byte("user:" + secret))
	entry := `{"auths":{"quay.io":{"auth":"` + auth + `"},"https://index.docker.io/v1/":{"auth":"` + auth + `"}}}`
	for title, c := range map[string]struct {
		repo, docker, podman, env string
		elsewhere                 bool // docker's config is where DOCKER_CONFIG says
		want                      string
	}{
		"registry-auth":               {repo: "own.example/app", docker: entry, want: "TAGLAST_REGISTRY_AUTH"},
		"docker's config":             {repo: "quay.io/acme/app", docker: entry, podman: entry, want: "~/.docker/config.json"},
		"docker's config, elsewhere":  {repo: "quay.io/acme/app", docker: entry, elsewhere: true, want: "DIR/config.json"},
		"docker's config, Docker Hub": {repo: "acme/app", docker: entry, want: "~/.docker/config.json"},
		"a helper for a registry": {
			repo: "quay.io/acme/app", docker: `{"credHelpers":{"quay.io":"taglast-test"}}`,
			want: "docker-credential-taglast-test, by ~/.docker/config.json",
		},
		"a helper for everything": {
			repo: "acme/app", docker: `{"credsStore":"taglast-test"}`,
			want: "docker-credential-taglast-test, by ~/.docker/config.json",
		},
		"docker's config in the environment":   {repo: "quay.io/acme/app", docker: `{}`, env: entry, want: "DOCKER_AUTH_CONFIG"},
		"podman's file":                        {repo: "quay.io/acme/app", docker: `{}`, podman: entry, want: "podman's auth file PODMAN"},
		"podman's file without docker's":       {repo: "quay.io/acme/app", podman: entry, want: "podman's auth file PODMAN"},
		"podman's file has nothing of the job": {repo: "ghcr.io/acme/app", docker: `{}`, podman: entry, want: "GITHUB_TOKEN"},
		"GITHUB_TOKEN":                         {repo: "ghcr.io/acme/app", want: "GITHUB_TOKEN"},
		"nothing":                              {repo: "registry.example/app", docker: entry, podman: entry, want: registry.Anonymous},
	} {
		t.Run(title, func(t *testing.T) {
			home, other, bin := t.TempDir(), t.TempDir(), t.TempDir()
			podman := filepath.Join(t.TempDir(), "auth.json")
			for _, k := range []string{"DOCKER_CONFIG", "REGISTRY_AUTH_FILE", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME"} {
				t.Setenv(k, "")
			}
			t.Setenv("HOME", home)
			t.Setenv("USERPROFILE", home)
			t.Setenv("DOCKER_AUTH_CONFIG", c.env)
			t.Setenv("PATH", bin)
			helper := "#!/bin/sh\necho '{\"Username\":\"user\",\"Secret\":\"" + secret + "\"}'\n"
			name := "docker-credential-taglast-test"
			if runtime.GOOS == "windows" {
				name, helper = name+".bat", "@echo {\"Username\":\"user\",\"Secret\":\""+secret+"\"}\r\n"
			}
			writeFile(t, filepath.Join(bin, name), helper, 0o755)
			switch {
			case c.elsewhere:
				t.Setenv("DOCKER_CONFIG", other)
				writeFile(t, filepath.Join(other, "config.json"), c.docker, 0o600)
			case c.docker != "":
				t.Setenv("DOCKER_CONFIG", filepath.Join(home, ".docker")) // docker's library looks up the home directory once
				writeFile(t, filepath.Join(home, ".docker", "config.json"), c.docker, 0o600)
			}
			if c.podman != "" {
				t.Setenv("REGISTRY_AUTH_FILE", podman)
				writeFile(t, podman, c.podman, 0o600)
			}
			k, err := registry.Keychain(registry.KeychainOptions{
				RegistryAuth: "[{registry: own.example, username: user, password: " + secret + "}]", GitHubToken: secret, Getenv: os.Getenv,
				Docker: authn.NewMultiKeychain(authn.DefaultKeychain),
			})
			if err != nil {
				t.Fatal(err)
			}
			got, err := registry.CredentialSource(t.Context(), k, repo(t, c.repo))
			if want := strings.NewReplacer("DIR", other, "PODMAN", podman).Replace(c.want); err != nil || filepath.ToSlash(got) != filepath.ToSlash(want) {
				t.Errorf("%q, %v; want %q", got, err, want)
			}
			if strings.Contains(got, secret) || strings.Contains(got, auth) {
				t.Errorf("a secret in %q", got)
			}
		})
	}
}

func TestTheSourceOfAnotherKeychain(t *testing.T) {
	for _, c := range []struct {
		keychain authn.Keychain
		want     string
	}{
		{nil, registry.Anonymous}, {authn.NewMultiKeychain(), registry.Anonymous}, {keys{"hunter2"}, "the program's own keychain"},
	} {
		if got, err := registry.CredentialSource(t.Context(), c.keychain, repo(t, "ghcr.io/acme/app")); err != nil || got != c.want {
			t.Errorf("%q, %v; want %q", got, err, c.want)
		}
	}
}

func writeFile(t *testing.T, path, content string, mode os.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), mode); err != nil {
		t.Fatal(err)
	}
}
