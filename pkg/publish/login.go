package publish

import (
	"context"

	"github.com/google/go-containerregistry/pkg/name"

	"github.com/taglast/taglast/internal/ociref"
	"github.com/taglast/taglast/internal/registry"
)

// logins names the source of the credentials for each registry that the release reads or writes. Credentials that cannot
// be looked up are named with the reason: a run would fail with it.
func (r *run) logins(ctx context.Context) []Login {
	var out []Login
	known := make(map[string]bool)
	add := func(repo name.Repository) {
		host := ociref.Host(repo.RegistryStr())
		if known[host] {
			return
		}
		known[host] = true
		source, err := registry.CredentialSource(ctx, r.o.Keychain, repo)
		if err != nil {
			source = "cannot be looked up: " + err.Error()
		}
		out = append(out, Login{Registry: host, Source: source})
	}
	for _, im := range r.plan.images {
		for _, repo := range im.repos {
			add(repo)
		}
		for _, repo := range im.source.Repositories() {
			add(repo)
		}
	}
	return out
}
