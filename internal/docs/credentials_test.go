package docs

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"

	"github.com/taglast/taglast/internal/registry"
)

// TestTheSourcesOfCredentialsAreDocumentedInTheirOrder takes away the first place of credentials again and again, and
// looks for what the program calls the next one in the rows of the document, from the top down.
func TestTheSourcesOfCredentialsAreDocumentedInTheirOrder(t *testing.T) {
	const doc = "docs/credentials.md"
	dir := t.TempDir()
	entry := []byte(`{"auths":{"ghcr.io":{"auth":"dXNlcjpodW50ZXIy"}}}`)
	podman := filepath.Join(dir, "auth.json")
	if err := os.WriteFile(podman, entry, 0o600); err != nil {
		t.Fatal(err)
	}
	own := `[{registry: ghcr.io, username: user, password: hunter2}]`
	places := []registry.KeychainOptions{
		{RegistryAuth: own, Docker: loggedIn{}, Getenv: os.Getenv, GitHubToken: "hunter2"},
		{Docker: loggedIn{}, Getenv: os.Getenv, GitHubToken: "hunter2"},
		{Docker: authn.NewMultiKeychain(), Getenv: os.Getenv, GitHubToken: "hunter2"},
		{Docker: authn.NewMultiKeychain(), GitHubToken: "hunter2"},
		{Docker: authn.NewMultiKeychain()},
	}
	t.Setenv("REGISTRY_AUTH_FILE", podman)
	t.Setenv("DOCKER_AUTH_CONFIG", "")
	t.Setenv("HOME", dir)
	t.Setenv("USERPROFILE", dir)
	t.Setenv("DOCKER_CONFIG", filepath.Join(dir, ".docker"))
	if err := os.Mkdir(filepath.Join(dir, ".docker"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, ".docker", "config.json"), entry, 0o600); err != nil {
		t.Fatal(err)
	}
	repo, err := name.NewRepository("ghcr.io/acme/app")
	if err != nil {
		t.Fatal(err)
	}
	rest := documents(t)[doc]
	for _, o := range places {
		k, err := registry.Keychain(o)
		if err != nil {
			t.Fatal(err)
		}
		source, err := registry.CredentialSource(t.Context(), k, repo)
		if err != nil {
			t.Fatal(err)
		}
		word := "| `" + strings.ReplaceAll(filepath.ToSlash(source), filepath.ToSlash(podman), "PATH") + "`"
		_, after, ok := strings.Cut(rest, word)
		if !ok {
			t.Errorf("%s: %s does not follow in the last column", doc, word)
			continue
		}
		rest = after
	}
}

// loggedIn is docker's config with an entry for every registry.
type loggedIn struct{}

func (loggedIn) Resolve(authn.Resource) (authn.Authenticator, error) {
	return authn.FromConfig(authn.AuthConfig{Username: "user", Password: "hunter2"}), nil
}
