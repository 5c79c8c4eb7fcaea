package sandbox

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
)

// maxPage is the longest answer of tags/list.
const maxPage = 1000

// serveTags is GET tags/list: in lexical order, in pages of n after last, with a Link to the next.
func (g *registry) serveTags(w http.ResponseWriter, r *http.Request, t target) {
	if r.Method != http.MethodGet {
		unsupported(w)
		return
	}
	if deny := g.options.DenyList; slices.Contains(deny, "*") || slices.Contains(deny, t.repo) {
		refuse(w, http.StatusForbidden, "DENIED", "permission_denied: read_package: "+t.repo)
		return
	}
	tags, ok := g.tags(t.repo)
	if !ok {
		refuse(w, http.StatusNotFound, "NAME_UNKNOWN", "repository name not known to registry")
		return
	}
	g.writeTags(w, r, t.repo, tags)
}

// writeTags answers with one page of sorted tags.
func (g *registry) writeTags(w http.ResponseWriter, r *http.Request, repo string, tags []string) {
	size := maxPage
	if n, err := strconv.Atoi(r.URL.Query().Get("n")); err == nil && n >= 0 {
		size = min(n, size)
	}
	if last := r.URL.Query().Get("last"); last != "" {
		at, found := slices.BinarySearch(tags, last)
		if found {
			at++
		}
		tags = tags[at:]
	}
	if len(tags) > size {
		if tags = tags[:size]; size == 0 { // "an empty list", and no Link
			writeJSON(w, http.StatusOK, map[string]any{"name": repo, "tags": tags})
			return
		}
		next := fmt.Sprintf("/v2/%s/tags/list?last=%s&n=%d", repo, url.QueryEscape(tags[size-1]), size)
		w.Header().Set("Link", "<"+g.address(r, next)+`>; rel="next"`)
	}
	if tags == nil {
		tags = []string{}
	}
	writeJSON(w, http.StatusOK, map[string]any{"name": repo, "tags": tags})
}

// tags are a repository's own, sorted; ok is false where nothing was ever written.
func (g *registry) tags(repo string) (tags []string, ok bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	r, ok := g.repos[repo]
	if !ok || len(r.manifests) == 0 && len(r.blobs) == 0 {
		return nil, false
	}
	for tag := range r.tags {
		tags = append(tags, tag)
	}
	slices.Sort(tags)
	return tags, true
}

// serveReferrers is GET referrers/{digest}: every manifest with that subject, or 404 where the API is off.
func (g *registry) serveReferrers(w http.ResponseWriter, r *http.Request, t target) {
	if !g.options.Referrers {
		refuse(w, http.StatusNotFound, "MANIFEST_UNKNOWN", "the Referrers API is not supported")
		return
	}
	if r.Method != http.MethodGet {
		unsupported(w)
		return
	}
	if !isDigest(t.ref) {
		refuse(w, http.StatusBadRequest, "DIGEST_INVALID", "a subject is a sha256 digest")
		return
	}
	filter := r.URL.Query().Get("artifactType")
	entries := []descriptor{}
	for _, m := range g.referrers(t.repo, t.ref) {
		d := m.asReferrer()
		if filter == "" || d.ArtifactType == filter {
			entries = append(entries, d)
		}
	}
	if filter != "" {
		w.Header().Set("Oci-Filters-Applied", "artifactType")
	}
	body, err := json.Marshal(map[string]any{"schemaVersion": 2, "mediaType": mediaOCIIndex, "manifests": entries})
	if err != nil {
		refuse(w, http.StatusInternalServerError, "UNKNOWN", err.Error())
		return
	}
	writeBytes(w, http.StatusOK, mediaOCIIndex, body)
}

// referrers are the manifests whose subject is that digest, in the order of their first PUT.
func (g *registry) referrers(repo, digest string) []*manifest {
	g.mu.Lock()
	defer g.mu.Unlock()
	r, ok := g.repos[repo]
	if !ok {
		return nil
	}
	var out []*manifest
	for _, d := range r.order {
		if m := r.manifests[d]; m.content.Subject != nil && m.content.Subject.Digest == digest {
			out = append(out, m)
		}
	}
	return out
}

// asReferrer is the descriptor of a referrer; without an artifactType the config's media type stands for it.
func (m *manifest) asReferrer() descriptor {
	d := descriptor{
		MediaType: m.mediaType, Digest: m.digest, Size: int64(len(m.raw)),
		ArtifactType: m.content.ArtifactType, Annotations: m.content.Annotations,
	}
	if d.ArtifactType == "" && m.content.Config != nil {
		d.ArtifactType = m.content.Config.MediaType
	}
	return d
}
