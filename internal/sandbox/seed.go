package sandbox

import (
	"fmt"
	"slices"

	"github.com/taglast/taglast/internal/ociref"
)

// SeedBlob puts content into a repository, as if it had always been there, and gives its digest.
func (w *World) SeedBlob(host, repo string, content []byte) (string, error) {
	g, ok := w.registry(host)
	if !ok {
		return "", fmt.Errorf("seed %s/%s: no such registry", host, repo)
	}
	digest := ociref.Sum(content).String()
	g.link(repo, digest, &blob{size: int64(len(content)), data: content, hasContent: true})
	return digest, nil
}

// SeedManifest puts a manifest into a repository, under a tag too where tag is not empty, and gives its digest. No law is
// asked and nothing that it names need be there: seeds are the world as the publisher finds it.
func (w *World) SeedManifest(host, repo, tag, mediaType string, raw []byte) (string, error) {
	g, ok := w.registry(host)
	if !ok {
		return "", fmt.Errorf("seed %s/%s: no such registry", host, repo)
	}
	m, err := parseManifest(mediaType, raw)
	if err != nil {
		return "", fmt.Errorf("seed %s/%s: %w", host, repo, err)
	}
	if tag == "" {
		tag = m.digest
	}
	g.storeManifest(repo, tag, m)
	return m.digest, nil
}

// SeedTag puts a tag on a manifest that the repository holds, as if it had always been there. No law is asked.
func (w *World) SeedTag(host, repo, tag, digest string) error {
	g, ok := w.existing(host)
	if !ok {
		return fmt.Errorf("seed %s/%s:%s: no such registry", host, repo, tag)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	r := g.repos[repo]
	if r == nil || r.manifests[digest] == nil || !ociref.IsTag(tag) {
		return fmt.Errorf("seed %s/%s:%s: no such manifest, or no tag", host, repo, tag)
	}
	r.tags[tag] = digest
	return nil
}

// Delete removes a manifest with the tags that name it, or a blob, from one repository, as a registry's garbage collection
// or another job would.
func (w *World) Delete(host, repo, digest string) {
	g, ok := w.existing(host)
	if !ok {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	r, ok := g.repos[repo]
	if !ok {
		return
	}
	delete(r.blobs, digest)
	delete(r.manifests, digest)
	r.order = slices.DeleteFunc(r.order, func(d string) bool { return d == digest })
	for tag, d := range r.tags {
		if d == digest {
			delete(r.tags, tag)
		}
	}
}
