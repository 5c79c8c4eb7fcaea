package publish

import (
	"context"
	"slices"

	"github.com/google/go-containerregistry/pkg/name"

	"github.com/taglast/taglast/internal/ociref"
	"github.com/taglast/taglast/internal/registry"
)

// checkQuotas compares what the release reads of registries that count pulls with what they still give: a run that cannot
// finish does not begin. A plan warns of it, and a dry run of what itself reads.
func (r *run) checkQuotas(ctx context.Context) error {
	for _, use := range r.pulls() {
		host := use.repo.RegistryStr()
		remaining, window, known := r.clients.PullsRemaining(host)
		if !known { // any answer about a manifest tells, and a HEAD is not counted
			client := r.clients.Repository(use.repo)
			_, _ = client.Head(ctx, use.reference) // that it is not there tells as well
			if remaining, window, known = r.clients.PullsRemaining(host); !known {
				continue
			}
		}
		warning, err := registry.Quota(host, use.need, remaining, window)
		switch {
		case err == nil && warning != "":
			r.o.Observer.Warn(warning)
		case err != nil && r.mode.readOnly():
			r.o.Observer.Warn(err.Error())
		case err != nil:
			return at(StagePlan, "", ociref.DisplayName(use.repo), err)
		}
	}
	return nil
}

// pullUse is what a release reads at one host, and a manifest of it that can be asked about.
type pullUse struct {
	need      registry.Need
	repo      name.Repository
	reference string
}

// pulls are the hosts that count pulls, in the order of the file, with what the release needs there. A source has an index and a manifest for each
// platform, or more: what it really has is known only once it is read.
func (r *run) pulls() []*pullUse {
	var out []*pullUse
	known := make(map[string]*pullUse)
	useAt := func(repo name.Repository) *pullUse {
		if !r.clients.Repository(repo).CountsPulls() {
			return nil
		}
		host := repo.RegistryStr()
		if known[host] == nil {
			known[host] = &pullUse{repo: repo, reference: "latest"}
			if list := r.current.lists[repo.Name()]; list != nil && len(list.tags) > 0 {
				known[host].reference = list.tags[0]
			}
			out = append(out, known[host])
		}
		return known[host]
	}
	for _, im := range r.plan.images {
		if im.unbuilt {
			continue
		}
		from := im.source.Repositories()
		for _, repo := range from {
			if use := useAt(repo); use != nil {
				use.need.Sources += 1 + max(1, len(im.file.Platforms))
			}
		}
		if r.mode.dryRun() { // nothing is pushed there and read back
			continue
		}
		for _, repo := range im.repos {
			use := useAt(repo)
			if use == nil {
				continue
			}
			if !slices.ContainsFunc(from, func(f name.Repository) bool { return f.Name() == repo.Name() }) {
				use.need.Roots++
			}
			if slices.ContainsFunc(im.tags, func(t plannedTag) bool { return !t.leftOut && t.repo.Name() == repo.Name() }) {
				use.need.Looks++
			}
		}
	}
	return out
}
