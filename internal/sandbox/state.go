package sandbox

import (
	"fmt"
	"maps"
	"slices"
)

// State is a snapshot of what a release leaves behind. Repositories are named host/repository.
type State struct {
	Tags      map[string]map[string]string // repository → tag → digest
	Manifests map[string][]string          // repository → digests, sorted
	Uploads   map[string]int               // repository → uploads that were begun and neither committed nor cancelled
	// Attested are, by digest, the stored attestations that pass the world's own check.
	Attested map[string]int
}

// State looks at everything; it asks no law and leaves no trace in the request log.
func (w *World) State() State {
	s := State{
		Tags: map[string]map[string]string{}, Manifests: map[string][]string{}, Uploads: map[string]int{}, Attested: map[string]int{},
	}
	w.mu.Lock()
	registries := maps.Clone(w.registries)
	w.mu.Unlock()
	for host, g := range registries {
		g.registry.mu.Lock()
		for name, r := range g.repos {
			if len(r.manifests) == 0 {
				continue
			}
			s.Tags[host+"/"+name] = maps.Clone(r.tags)
			s.Manifests[host+"/"+name] = slices.Sorted(maps.Keys(r.manifests))
		}
		for _, u := range g.uploads {
			s.Uploads[host+"/"+u.repo]++
		}
		g.registry.mu.Unlock()
	}
	w.api.mu.Lock()
	records := slices.Clone(w.api.records)
	w.api.mu.Unlock()
	for _, stored := range records {
		for _, digest := range stored.digests {
			if w.verify(stored.bundle, digest) == nil {
				s.Attested[digest]++
			}
		}
	}
	return s
}

// Published is what two runs must agree on to have ended in the same state: each tag with its digest, the manifests that
// tags reach, and for each digest that a tag names whether an attestation passes. Log entries, ids, orphans and the
// number of attestations do not count. Lines are sorted.
func (w *World) Published() []string {
	s := w.State()
	var lines []string
	for repo, tags := range s.Tags {
		for tag, digest := range tags {
			lines = append(lines, fmt.Sprintf("%s:%s %s attested=%t", repo, tag, digest, s.Attested[digest] > 0))
		}
	}
	w.mu.Lock()
	registries := maps.Clone(w.registries)
	w.mu.Unlock()
	for host, g := range registries {
		for repo, digests := range g.reachable() {
			for _, digest := range digests {
				lines = append(lines, host+"/"+repo+"@"+digest)
			}
		}
	}
	slices.Sort(lines)
	return lines
}

// reachable are the manifests that tags name, and those that these name, by repository.
func (g *registry) reachable() map[string][]string {
	g.mu.Lock()
	defer g.mu.Unlock()
	out := map[string][]string{}
	for name, r := range g.repos {
		seen := map[string]bool{}
		var walk func(digest string)
		walk = func(digest string) {
			m, ok := r.manifests[digest]
			if !ok || seen[digest] {
				return
			}
			seen[digest] = true
			for _, d := range m.content.Manifests {
				walk(d.Digest)
			}
		}
		for _, digest := range r.tags {
			walk(digest)
		}
		out[name] = slices.Sorted(maps.Keys(seen))
	}
	return out
}
