package registry

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/google/go-containerregistry/pkg/authn"

	"github.com/taglast/taglast/internal/bounded"
	"github.com/taglast/taglast/internal/ociref"
)

const maxAuthFile = 1 << 20

// podmanCredentials looks the target up in podman's auth file (containers-auth.json(5)): REGISTRY_AUTH_FILE, else
// $XDG_RUNTIME_DIR/containers/auth.json, else $XDG_CONFIG_HOME or ~/.config. Its keys are hosts or, more exact,
// namespaces and repositories. The configuration is nil where there is no entry; file is where it was looked for. Its
// credential helpers are not asked: docker's config names those of the run.
func podmanCredentials(getenv func(string) string, target authn.Resource) (config *authn.AuthConfig, file string, err error) {
	if getenv == nil {
		return nil, "", nil
	}
	for _, path := range podmanFiles(getenv) {
		raw, err := readAuthFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, "", fmt.Errorf("podman's auth file: %w", err)
		}
		var parsed struct {
			Auths map[string]authn.AuthConfig `json:"auths"`
		}
		if json.Unmarshal(raw, &parsed) != nil { // its error could quote a secret
			return nil, "", fmt.Errorf("podman's auth file: %s: not the JSON of an auth file", path)
		}
		return closestEntry(parsed.Auths, target), path, nil
	}
	return nil, "", nil
}

func podmanFiles(getenv func(string) string) []string {
	if path := getenv("REGISTRY_AUTH_FILE"); path != "" {
		return []string{path}
	}
	var files []string
	if dir := getenv("XDG_RUNTIME_DIR"); dir != "" {
		files = append(files, filepath.Join(dir, "containers", "auth.json"))
	}
	if dir := getenv("XDG_CONFIG_HOME"); dir != "" {
		files = append(files, filepath.Join(dir, "containers", "auth.json"))
	} else if home := getenv("HOME"); home != "" {
		files = append(files, filepath.Join(home, ".config", "containers", "auth.json"))
	}
	return files
}

func readAuthFile(path string) ([]byte, error) {
	raw, err := bounded.ReadFile(path, maxAuthFile)
	if errors.Is(err, bounded.ErrTooLarge) {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return raw, err
}

// closestEntry is the entry with the longest key that is the target or a parent of it.
func closestEntry(auths map[string]authn.AuthConfig, target authn.Resource) *authn.AuthConfig {
	key := target.String()
	if rest, ok := strings.CutPrefix(key, target.RegistryStr()); ok {
		key = ociref.WireHost(target.RegistryStr()) + rest
	}
	byKey := map[string]authn.AuthConfig{}
	for k, c := range auths {
		k = strings.TrimSuffix(strings.TrimPrefix(strings.TrimPrefix(k, "https://"), "http://"), "/")
		host, rest, _ := strings.Cut(k, "/")
		if host = ociref.WireHost(host); rest == "v1" || rest == "v2" || rest == "" {
			byKey[host] = c
		} else {
			byKey[host+"/"+rest] = c
		}
	}
	for {
		if c, ok := byKey[key]; ok && c != (authn.AuthConfig{}) {
			return &c
		}
		i := strings.LastIndexByte(key, '/')
		if i < 0 {
			return nil
		}
		key = key[:i]
	}
}
