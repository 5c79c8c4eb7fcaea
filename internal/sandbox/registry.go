package sandbox

import (
	"net/http"
	"strings"
	"sync"

	"github.com/taglast/taglast/internal/ociref"
)

// RegistryOptions say how a registry behaves. The zero value takes everything from everyone, has no Referrers API (as
// GHCR), keeps untagged manifests and lets tags move.
type RegistryOptions struct {
	Auth Auth
	// DenyPush are the repositories that nobody may write; "*" is every one.
	DenyPush []string
	// DenyList are the repositories whose tag list nobody may read; "*" is every one.
	DenyList []string
	// ImmutableTags refuses every write of a tag that exists, of the same digest too (as Amazon ECR).
	ImmutableTags bool
	// Referrers serves the Referrers API and answers OCI-Subject.
	Referrers bool
	// KeepBlobs is the size up to which a blob's content is kept; of a larger one only digest and size are, and it
	// cannot be read. 0 keeps all.
	KeepBlobs int64
	// TrustBase lets an overlay take mounts and manifests whose blobs it has never seen: those of a base that was
	// counted and not read.
	TrustBase bool
	// AbsoluteURLs makes every Location and Link absolute and plain http, and puts a state into an upload's that must come
	// back with the commit: what the distribution project's registry does behind a proxy that ends TLS.
	AbsoluteURLs bool
}

// registry is one OCI registry in memory (OCI distribution specification v1.1).
type registry struct {
	host    string
	options RegistryOptions
	law     func(Tag) error
	auth    *auth

	mu      sync.Mutex
	blobs   map[string]*blob // by digest, one for all repositories
	repos   map[string]*repository
	uploads map[string]*upload
}

// blob is content, or only the size of what was not kept.
type blob struct {
	size       int64
	data       []byte
	hasContent bool
}

// repository has links to blobs, and its own manifests and tags.
type repository struct {
	blobs     map[string]bool
	manifests map[string]*manifest
	order     []string // of the manifests' first PUT
	tags      map[string]string
	onBase    map[string]bool // digests that an overlay saw on the real registry
}

func newRegistry(host string, o RegistryOptions, law func(Tag) error) *registry {
	return &registry{
		host: host, options: o, law: law, auth: newAuth(host, o),
		blobs: map[string]*blob{}, repos: map[string]*repository{}, uploads: map[string]*upload{},
	}
}

// repo is the repository of that name, made at its first use. g.mu is held.
func (g *registry) repo(name string) *repository {
	r, ok := g.repos[name]
	if !ok {
		r = &repository{
			blobs: map[string]bool{}, manifests: map[string]*manifest{}, tags: map[string]string{}, onBase: map[string]bool{},
		}
		g.repos[name] = r
	}
	return r
}

// target is what a /v2/ path names.
type target struct {
	kind string // "", uploads, blobs, manifests, tags, referrers
	repo string
	ref  string // a digest, a tag, an upload's id
}

// parseTarget reads a path; ok is false where it names nothing that a registry has.
func parseTarget(path string) (t target, ok bool) {
	rest, ok := strings.CutPrefix(path, "/v2")
	if !ok {
		return target{}, false
	}
	rest = strings.TrimPrefix(rest, "/")
	if rest == "" {
		return target{}, true
	}
	if name, ok := strings.CutSuffix(rest, "/tags/list"); ok {
		return target{kind: "tags", repo: name}, ociref.IsPath(name)
	}
	for _, kind := range []string{"blobs/uploads", "blobs", "manifests", "referrers"} {
		if i := strings.LastIndex(rest, "/"+kind+"/"); i >= 0 {
			t := target{kind: strings.TrimPrefix(kind, "blobs/"), repo: rest[:i], ref: rest[i+len(kind)+2:]}
			return t, ociref.IsPath(t.repo) && !strings.Contains(t.ref, "/")
		}
	}
	return target{}, false
}

func (g *registry) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Docker-Distribution-Api-Version", "registry/2.0")
	if r.URL.Path == tokenPath {
		g.auth.token(w, r)
		return
	}
	t, ok := parseTarget(r.URL.Path)
	if !ok {
		refuse(w, http.StatusNotFound, "NAME_INVALID", "no such path")
		return
	}
	if !g.auth.admit(w, r, t) {
		return
	}
	switch t.kind {
	case "":
		writeJSON(w, http.StatusOK, struct{}{})
	case "uploads":
		g.serveUpload(w, r, t)
	case "blobs":
		g.serveBlob(w, r, t)
	case "manifests":
		g.serveManifest(w, r, t)
	case "tags":
		g.serveTags(w, r, t)
	case "referrers":
		g.serveReferrers(w, r, t)
	}
}

// refuse answers with the error body of the specification.
func refuse(w http.ResponseWriter, status int, code, text string) {
	writeJSON(w, status, map[string]any{"errors": []map[string]string{{"code": code, "message": text}}})
}

// unsupported answers a method that the endpoint does not have.
func unsupported(w http.ResponseWriter) {
	refuse(w, http.StatusMethodNotAllowed, "UNSUPPORTED", "the operation is unsupported")
}

func isDigest(ref string) bool { return ociref.CheckDigest(ref) == nil }

// isReferrersTag reports whether ref is a tag under which a registry without the Referrers API keeps referrers.
func isReferrersTag(ref string) bool {
	_, ok := ociref.ParseFallbackTag(ref)
	return ok
}
