// Package memory is a registry for tests: the distribution specification v1.1 without referrers, in memory and without
// a network. It checks what real registries check (digests of blobs and manifests, blobs and children that a manifest
// names), can forget the bytes of large blobs, and lets a test answer any request first.
package memory

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"sync"
)

// Registry is one host.
type Registry struct {
	// Before may answer a request itself (true), or let it pass. It is called without the lock.
	Before func(w http.ResponseWriter, r *http.Request) bool
	// KeepBytes is the largest blob whose bytes are kept; of others only digest and size are. Zero keeps all.
	KeepBytes int64
	// Absolute makes Locations absolute, and puts state into their query.
	Absolute bool

	mu       sync.Mutex
	repos    map[string]*repository
	sessions map[string]*session
	next     int
	log      []string
}

type repository struct {
	blobs     map[string]blob
	manifests map[string]manifest // by digest
	tags      map[string]string
}

type blob struct {
	raw  []byte
	size int64
}

type manifest struct {
	raw       []byte
	mediaType string
}

var route = regexp.MustCompile(`^/v2/(.+?)/(manifests|blobs/uploads|blobs|tags)/(.*)$`)

// ServeHTTP answers as a registry does.
func (g *Registry) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	g.log = append(g.log, r.Method+" "+r.URL.RequestURI())
	g.mu.Unlock()
	if g.Before != nil && g.Before(w, r) {
		return
	}
	if r.URL.Path == "/v2/" {
		w.WriteHeader(http.StatusOK)
		return
	}
	m := route.FindStringSubmatch(r.URL.Path)
	if m == nil {
		Refuse(w, http.StatusNotFound, "NAME_UNKNOWN")
		return
	}
	switch m[2] {
	case "manifests":
		g.manifest(w, r, m[1], m[3])
	case "blobs":
		g.blob(w, r, m[1], m[3])
	case "blobs/uploads":
		g.upload(w, r, m[1], m[3])
	default:
		g.list(w, r, m[1])
	}
}

// Requests are all requests so far, as METHOD path?query.
func (g *Registry) Requests() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return append([]string(nil), g.log...)
}

// Count is the number of requests whose method and path have the prefix.
func (g *Registry) Count(prefix string) int {
	n := 0
	for _, r := range g.Requests() {
		if strings.HasPrefix(r, prefix) {
			n++
		}
	}
	return n
}

// Reset forgets the requests, not the content.
func (g *Registry) Reset() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.log = nil
}

// Tags of a repository.
func (g *Registry) Tags(repo string) map[string]string {
	g.mu.Lock()
	defer g.mu.Unlock()
	tags := map[string]string{}
	for k, v := range g.repo(repo).tags {
		tags[k] = v
	}
	return tags
}

// Delete removes a manifest or a blob.
func (g *Registry) Delete(repo, digest string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.repo(repo).manifests, digest)
	delete(g.repo(repo).blobs, digest)
}

// HasManifest says whether the repository holds it.
func (g *Registry) HasManifest(repo, digest string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	_, ok := g.repo(repo).manifests[digest]
	return ok
}

// HasBlob says whether the repository holds it.
func (g *Registry) HasBlob(repo, digest string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	_, ok := g.repo(repo).blobs[digest]
	return ok
}

// Sessions is the number of uploads that were begun and neither committed nor cancelled.
func (g *Registry) Sessions() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.sessions)
}

func (g *Registry) repo(name string) *repository {
	if g.repos == nil {
		g.repos, g.sessions = map[string]*repository{}, map[string]*session{}
	}
	if g.repos[name] == nil {
		g.repos[name] = &repository{map[string]blob{}, map[string]manifest{}, map[string]string{}}
	}
	return g.repos[name]
}

// Refuse writes an error as the specification wants it.
func Refuse(w http.ResponseWriter, status int, code string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"errors": []map[string]string{{"code": code, "message": strings.ToLower(code)}}})
}
