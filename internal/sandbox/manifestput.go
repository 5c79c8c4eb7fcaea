package sandbox

import (
	"errors"
	"net/http"

	"github.com/taglast/taglast/internal/bounded"
)

// putManifest stores a manifest under its digest, and under a tag where the law allows. What a manifest names must be
// there, its subject excepted (distribution specification, "Pushing Manifests with Subject").
func (g *registry) putManifest(w http.ResponseWriter, r *http.Request, t target) {
	raw, err := readBody(r, maxManifest)
	if errors.Is(err, bounded.ErrTooLarge) {
		refuse(w, http.StatusRequestEntityTooLarge, "SIZE_INVALID", "a manifest has at most 4 MiB")
		return
	}
	if err != nil {
		refuse(w, http.StatusBadRequest, "MANIFEST_INVALID", "the content broke off")
		return
	}
	m, err := parseManifest(r.Header.Get("Content-Type"), raw)
	if err != nil {
		refuse(w, http.StatusBadRequest, "MANIFEST_INVALID", err.Error())
		return
	}
	byDigest := isDigest(t.ref)
	if byDigest && m.digest != t.ref {
		refuse(w, http.StatusBadRequest, "DIGEST_INVALID", "the manifest has digest "+m.digest)
		return
	}
	if digest, ok := g.missing(t.repo, m); ok {
		refuse(w, http.StatusNotFound, "MANIFEST_BLOB_UNKNOWN", "manifest references a manifest or blob unknown to registry: "+digest)
		return
	}
	if !byDigest && !g.checkTag(w, t, m) {
		return
	}
	g.storeManifest(t.repo, t.ref, m)
	if m.content.Subject != nil && g.options.Referrers {
		w.Header().Set("Oci-Subject", m.content.Subject.Digest)
	}
	g.created(w, r, t.repo, "manifests", m.digest)
}

// checkTag asks the law and the registry's own rule, and answers where one says no.
func (g *registry) checkTag(w http.ResponseWriter, t target, m *manifest) bool {
	if !isReferrersTag(t.ref) || !m.artifactsOnly() {
		tag := Tag{Host: g.host, Repository: t.repo, Tag: t.ref, Digest: m.digest, MediaType: m.mediaType}
		if err := g.law(tag); err != nil {
			refuse(w, http.StatusForbidden, "DENIED", "law: "+err.Error())
			return false
		}
	}
	g.mu.Lock()
	_, exists := g.repo(t.repo).tags[t.ref]
	g.mu.Unlock()
	if exists && g.options.ImmutableTags {
		refuse(w, http.StatusBadRequest, "TAG_INVALID", "ImageTagAlreadyExistsException: the tag "+t.ref+" exists and is immutable")
		return false
	}
	return true
}

// storeManifest keeps a manifest, and the tag where ref is one.
func (g *registry) storeManifest(repo, ref string, m *manifest) {
	g.mu.Lock()
	defer g.mu.Unlock()
	r := g.repo(repo)
	if _, ok := r.manifests[m.digest]; !ok {
		r.manifests[m.digest] = m
		r.order = append(r.order, m.digest)
	}
	if ref != m.digest {
		r.tags[ref] = m.digest
	}
}
