package sandbox

import (
	"bytes"
	"fmt"
	"net/http"
	"time"
)

// serveBlob is HEAD and GET of a blob that the repository has; GET knows ranges.
func (g *registry) serveBlob(w http.ResponseWriter, r *http.Request, t target) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		unsupported(w)
		return
	}
	if !isDigest(t.ref) {
		refuse(w, http.StatusBadRequest, "DIGEST_INVALID", "a blob's name is a sha256 digest")
		return
	}
	b, ok := g.blob(t.repo, t.ref)
	if !ok || r.Method == http.MethodGet && !b.hasContent {
		refuse(w, http.StatusNotFound, "BLOB_UNKNOWN", "blob unknown to registry")
		return
	}
	w.Header().Set("Docker-Content-Digest", t.ref)
	w.Header().Set("Content-Type", "application/octet-stream")
	if !b.hasContent {
		if b.size >= 0 { // the real registry may not have told
			w.Header().Set("Content-Length", fmt.Sprint(b.size))
		}
		w.WriteHeader(http.StatusOK)
		return
	}
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(b.data))
}

// blob is what the repository has under that digest.
func (g *registry) blob(repo, digest string) (*blob, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if r, ok := g.repos[repo]; !ok || !r.blobs[digest] {
		return nil, false
	}
	b, ok := g.blobs[digest]
	return b, ok
}

// link makes a blob the repository's own; content that is there is not replaced.
func (g *registry) link(repo, digest string, b *blob) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if old, ok := g.blobs[digest]; !ok || b.hasContent && !old.hasContent {
		g.blobs[digest] = b
	}
	g.repo(repo).blobs[digest] = true
}

// mount links a blob of another repository; an overlay that trusts its base takes one that it never saw.
func (g *registry) mount(repo, from, digest string) bool {
	if !isDigest(digest) {
		return false
	}
	if b, ok := g.blob(from, digest); ok {
		g.link(repo, digest, b)
		return true
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	source, ok := g.repos[from]
	if g.options.TrustBase || ok && source.onBase[digest] {
		g.repo(repo).onBase[digest] = true
		return true
	}
	return false
}
