package memory

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// session is one upload.
type session struct {
	repo string
	raw  bytes.Buffer
	hash hash.Hash
	size int64
}

func digestOf(raw []byte) string {
	sum := sha256.Sum256(raw)
	return "sha256:" + hex.EncodeToString(sum[:])
}

func (g *Registry) manifest(w http.ResponseWriter, r *http.Request, name, ref string) {
	var raw []byte
	if r.Method == http.MethodPut {
		raw, _ = io.ReadAll(io.LimitReader(r.Body, 5<<20))
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	repo := g.repo(name)
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		digest := ref
		if tagged, ok := repo.tags[ref]; ok {
			digest = tagged
		}
		m, ok := repo.manifests[digest]
		if !ok {
			Refuse(w, http.StatusNotFound, "MANIFEST_UNKNOWN")
			return
		}
		w.Header().Set("Content-Type", m.mediaType)
		w.Header().Set("Docker-Content-Digest", digest)
		w.Header().Set("Content-Length", strconv.Itoa(len(m.raw)))
		if r.Method == http.MethodGet {
			_, _ = w.Write(m.raw)
		}
	case http.MethodPut:
		digest := digestOf(raw)
		switch {
		case strings.Contains(ref, ":") && ref != digest:
			Refuse(w, http.StatusBadRequest, "DIGEST_INVALID")
			return
		case !repo.knows(raw):
			Refuse(w, http.StatusBadRequest, "MANIFEST_BLOB_UNKNOWN")
			return
		}
		repo.manifests[digest] = manifest{raw, r.Header.Get("Content-Type")}
		if ref != digest {
			repo.tags[ref] = digest
		}
		w.Header().Set("Docker-Content-Digest", digest)
		w.WriteHeader(http.StatusCreated)
	default:
		Refuse(w, http.StatusMethodNotAllowed, "UNSUPPORTED")
	}
}

// knows says whether everything that a manifest names is there.
func (repo *repository) knows(raw []byte) bool {
	type descriptor struct {
		Digest string `json:"digest"`
	}
	var doc struct {
		Config    *descriptor  `json:"config"`
		Layers    []descriptor `json:"layers"`
		Manifests []descriptor `json:"manifests"`
	}
	if json.Unmarshal(raw, &doc) != nil {
		return false
	}
	if doc.Config != nil {
		doc.Layers = append(doc.Layers, *doc.Config)
	}
	for _, d := range doc.Layers {
		if _, ok := repo.blobs[d.Digest]; !ok {
			return false
		}
	}
	for _, d := range doc.Manifests {
		if _, ok := repo.manifests[d.Digest]; !ok {
			return false
		}
	}
	return true
}

func (g *Registry) blob(w http.ResponseWriter, r *http.Request, name, digest string) {
	g.mu.Lock()
	b, ok := g.repo(name).blobs[digest]
	g.mu.Unlock()
	switch {
	case !ok:
		Refuse(w, http.StatusNotFound, "BLOB_UNKNOWN")
	case r.Method == http.MethodHead, b.size > 0 && b.raw == nil:
		w.Header().Set("Content-Length", strconv.FormatInt(b.size, 10))
		w.Header().Set("Docker-Content-Digest", digest)
		w.WriteHeader(http.StatusOK)
	default:
		w.Header().Set("Content-Length", strconv.FormatInt(b.size, 10))
		_, _ = w.Write(b.raw)
	}
}

func (g *Registry) upload(w http.ResponseWriter, r *http.Request, name, id string) {
	switch r.Method {
	case http.MethodPost:
		g.begin(w, r, name)
		return
	case http.MethodPatch, http.MethodPut, http.MethodDelete:
	default:
		Refuse(w, http.StatusMethodNotAllowed, "UNSUPPORTED")
		return
	}
	g.mu.Lock()
	s, ok := g.sessions[id]
	g.mu.Unlock()
	if !ok || s.repo != name {
		Refuse(w, http.StatusNotFound, "BLOB_UPLOAD_UNKNOWN")
		return
	}
	if r.Method == http.MethodDelete {
		g.end(id)
		w.WriteHeader(http.StatusNoContent)
		return
	}
	if r.Body != nil {
		if err := g.take(s, r); err != nil {
			Refuse(w, http.StatusBadRequest, "BLOB_UPLOAD_INVALID")
			return
		}
	}
	if r.Method == http.MethodPatch {
		g.location(w, r, name, id)
		w.Header().Set("Range", fmt.Sprintf("0-%d", s.size-1))
		w.WriteHeader(http.StatusAccepted)
		return
	}
	g.commit(w, r, name, id, s)
}

func (g *Registry) begin(w http.ResponseWriter, r *http.Request, name string) {
	q := r.URL.Query()
	g.mu.Lock()
	defer g.mu.Unlock()
	repo := g.repo(name)
	if b, ok := g.repo(q.Get("from")).blobs[q.Get("mount")]; ok && q.Has("from") {
		repo.blobs[q.Get("mount")] = b
		w.Header().Set("Location", "/v2/"+name+"/blobs/"+q.Get("mount"))
		w.WriteHeader(http.StatusCreated)
		return
	}
	g.next++
	id := strconv.Itoa(g.next)
	g.sessions[id] = &session{repo: name, hash: sha256.New()}
	g.location(w, r, name, id)
	w.WriteHeader(http.StatusAccepted)
}

func (g *Registry) location(w http.ResponseWriter, r *http.Request, name, id string) {
	location := "/v2/" + name + "/blobs/uploads/" + id
	if g.Absolute {
		location = "http://" + r.Host + location + "?_state=a%2Fb%3D%3D"
	}
	w.Header().Set("Location", location)
}

func (g *Registry) take(s *session, r *http.Request) error {
	var to io.Writer = s.hash
	if g.KeepBytes == 0 || r.ContentLength <= g.KeepBytes {
		to = io.MultiWriter(s.hash, &s.raw)
	}
	n, err := io.Copy(to, r.Body)
	s.size += n
	return err
}

func (g *Registry) commit(w http.ResponseWriter, r *http.Request, name, id string, s *session) {
	g.end(id)
	digest := "sha256:" + hex.EncodeToString(s.hash.Sum(nil))
	if r.URL.Query().Get("digest") != digest || g.Absolute && r.URL.Query().Get("_state") != "a/b==" {
		Refuse(w, http.StatusBadRequest, "DIGEST_INVALID")
		return
	}
	g.mu.Lock()
	g.repo(name).blobs[digest] = blob{raw: s.raw.Bytes(), size: s.size}
	g.mu.Unlock()
	w.Header().Set("Location", "/v2/"+name+"/blobs/"+digest)
	w.Header().Set("Docker-Content-Digest", digest)
	w.WriteHeader(http.StatusCreated)
}

func (g *Registry) end(id string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.sessions, id)
}
