package registrytest

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/taglast/taglast/internal/sandbox"
)

// Host is one registry of a sandbox's world for tests of its client: it remembers the requests, and a test may answer any
// of them in the registry's place.
type Host struct {
	// World has the registry and whatever it holds.
	World *sandbox.World
	// Name is the registry's host or host:port.
	Name string
	// Before may answer a request itself (true), or let it pass. nil lets all pass.
	Before func(w http.ResponseWriter, r *http.Request) bool

	tb  testing.TB
	mu  sync.Mutex
	log []string
}

// NewHost is the registry with that name in a new world. Every tag may be written there: the client under test does not
// know of attestations.
func NewHost(tb testing.TB, name string, o sandbox.RegistryOptions) *Host {
	tb.Helper()
	world, err := sandbox.New(sandbox.Options{Registry: o, Law: AnyTag})
	if err != nil {
		tb.Fatal(err)
	}
	return &Host{World: world, Name: name, tb: tb}
}

// AnyTag is a law that allows every tag.
func AnyTag(sandbox.Tag) error { return nil }

// ServeHTTP answers as the registry does, or as Before does.
func (h *Host) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	h.log = append(h.log, r.Method+" "+r.URL.RequestURI())
	h.mu.Unlock()
	if h.Before != nil && h.Before(w, r) {
		return
	}
	h.World.Handler().ServeHTTP(w, r)
}

// Requests are all requests so far, as METHOD path?query.
func (h *Host) Requests() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.log)
}

// Count is the number of requests whose method and path have the prefix.
func (h *Host) Count(prefix string) int {
	n := 0
	for _, r := range h.Requests() {
		if strings.HasPrefix(r, prefix) {
			n++
		}
	}
	return n
}

// Reset empties the list of requests; the content stays.
func (h *Host) Reset() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.log = nil
}

// Tags are a repository's tags with the digests that they name.
func (h *Host) Tags(repo string) map[string]string { return h.World.State().Tags[h.Name+"/"+repo] }

// HasManifest reports whether the repository holds the manifest.
func (h *Host) HasManifest(repo, digest string) bool {
	return slices.Contains(h.World.State().Manifests[h.Name+"/"+repo], digest)
}

// HasBlob asks the world itself, past Before and unseen by Requests, whether the repository holds the blob.
func (h *Host) HasBlob(repo, digest string) bool {
	h.tb.Helper()
	req, err := http.NewRequestWithContext(h.tb.Context(), http.MethodHead, "https://"+h.Name+"/v2/"+repo+"/blobs/"+digest, nil)
	if err != nil {
		h.tb.Fatal(err)
	}
	resp, err := h.World.RoundTrip(req)
	if err != nil {
		h.tb.Fatal(err)
	}
	defer resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}

// Uploads is the number of uploads that were begun and neither committed nor cancelled.
func (h *Host) Uploads() int {
	n := 0
	for repo, open := range h.World.State().Uploads {
		if strings.HasPrefix(repo, h.Name+"/") {
			n += open
		}
	}
	return n
}

// Refuse writes an error as the specification wants it.
func Refuse(w http.ResponseWriter, status int, code string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"errors": []map[string]string{{"code": code, "message": strings.ToLower(code)}}})
}
