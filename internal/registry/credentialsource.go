package registry

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"

	"github.com/taglast/taglast/internal/escape"
)

// Anonymous is what CredentialSource gives where there are no credentials.
const Anonymous = "none: anonymous"

// CredentialSource names where the credentials for a repository or registry come from, and never a part of them:
// "TAGLAST_REGISTRY_AUTH", "~/.docker/config.json", "docker-credential-desktop, by ~/.docker/config.json", "podman's
// auth file PATH", "GITHUB_TOKEN", or Anonymous. A nil keychain is Anonymous; one that Keychain did not make is "the
// program's own keychain". The error is that of looking them up.
func CredentialSource(ctx context.Context, k authn.Keychain, target authn.Resource) (string, error) {
	if k == nil {
		return Anonymous, nil
	}
	if own, ok := k.(*keychain); ok {
		_, source, err := own.find(ctx, target)
		return source, err
	}
	found, err := authn.Resolve(ctx, k, target)
	switch {
	case err != nil:
		return "", err
	case found == authn.Anonymous:
		return Anonymous, nil
	}
	return "the program's own keychain", nil
}

// dockerSource names what go-containerregistry's keychain has found credentials in. It reads the files in that keychain's
// order: docker's config where there is one (DOCKER_CONFIG, else the home directory), else podman's auth file. Where
// the file cannot be read, it is named without a helper.
func dockerSource(target authn.Resource) string {
	home, _ := os.UserHomeDir()
	dir := os.Getenv("DOCKER_CONFIG")
	file := filepath.Join(dir, "config.json")
	if dir == "" {
		file = filepath.Join(home, ".docker", "config.json")
	}
	if !isFile(filepath.Join(home, ".docker", "config.json")) && !isFile(file) {
		for _, path := range podmanFiles(os.Getenv) {
			if isFile(path) {
				return podmanSource(path)
			}
		}
		return "docker's config"
	}
	keys := []string{target.String(), target.RegistryStr()}
	for i, key := range keys {
		if key == name.DefaultRegistry {
			keys[i] = authn.DefaultAuthKey
		}
	}
	var config struct {
		Auths       map[string]json.RawMessage `json:"auths"`
		CredsStore  string                     `json:"credsStore"`
		CredHelpers map[string]string          `json:"credHelpers"`
	}
	if json.Unmarshal([]byte(os.Getenv("DOCKER_AUTH_CONFIG")), &config) == nil {
		for _, key := range keys {
			if _, ok := config.Auths[key]; ok {
				return "DOCKER_AUTH_CONFIG"
			}
		}
	}
	config.Auths = nil
	shown := shownPath(file, home)
	raw, err := readAuthFile(file)
	if err != nil || json.Unmarshal(raw, &config) != nil {
		return shown
	}
	for _, key := range keys {
		if helper := config.CredHelpers[key]; helper != "" {
			return helperSource(helper, shown)
		}
	}
	if config.CredsStore != "" {
		return helperSource(config.CredsStore, shown)
	}
	return shown
}

func helperSource(helper, file string) string {
	return "docker-credential-" + escape.Bounded(helper, 64) + ", by " + file
}

func podmanSource(path string) string { return "podman's auth file " + escape.Text(path) }

// shownPath is a path with ~ for the home directory.
func shownPath(path, home string) string {
	if rest, ok := strings.CutPrefix(path, home+string(filepath.Separator)); ok && home != "" {
		path = "~/" + filepath.ToSlash(rest)
	}
	return escape.Text(path)
}

func isFile(path string) bool {
	info, err := os.Stat(path) //nolint:gosec // the path is the one that docker or podman reads for this user
	return err == nil && !info.IsDir()
}
