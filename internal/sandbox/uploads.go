package sandbox

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"hash"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"

	"github.com/taglast/taglast/internal/ociref"
)

// upload is one session: its content is hashed as it comes, and kept as far as the registry keeps blobs of that size.
type upload struct {
	repo string
	keep int64 // 0: all

	mu             sync.Mutex
	hash           hash.Hash
	size           int64
	content        bytes.Buffer
	contentDropped bool
}

func (u *upload) Write(p []byte) (int, error) {
	u.hash.Write(p)
	u.size += int64(len(p))
	if u.keep > 0 && u.size > u.keep && !u.contentDropped {
		u.contentDropped, u.content = true, bytes.Buffer{}
	}
	if !u.contentDropped {
		u.content.Write(p)
	}
	return len(p), nil
}

func (u *upload) digest() string { return ociref.FromSum([sha256.Size]byte(u.hash.Sum(nil))).String() }

func (u *upload) blob() *blob {
	return &blob{size: u.size, data: u.content.Bytes(), hasContent: !u.contentDropped}
}

// serveUpload is the life of an upload: POST begins one (or mounts, or does all at once), PATCH adds, PUT ends, GET tells
// how far it is, DELETE cancels.
func (g *registry) serveUpload(w http.ResponseWriter, r *http.Request, t target) {
	if t.ref == "" {
		if r.Method != http.MethodPost {
			unsupported(w)
			return
		}
		g.beginUpload(w, r, t.repo)
		return
	}
	g.mu.Lock()
	u, ok := g.uploads[t.ref]
	g.mu.Unlock()
	if !ok || u.repo != t.repo {
		refuse(w, http.StatusNotFound, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry")
		return
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	switch r.Method {
	case http.MethodGet:
		g.progress(w, r, t, u, http.StatusNoContent)
	case http.MethodDelete:
		g.endUpload(t.ref)
		w.WriteHeader(http.StatusNoContent)
	case http.MethodPatch:
		if first, _, ok := strings.Cut(r.Header.Get("Content-Range"), "-"); ok && first != strconv.FormatInt(u.size, 10) {
			g.progress(w, r, t, u, http.StatusRequestedRangeNotSatisfiable)
			return
		}
		if _, err := io.Copy(u, r.Body); err != nil {
			refuse(w, http.StatusBadRequest, "BLOB_UPLOAD_INVALID", "the content broke off")
			return
		}
		g.progress(w, r, t, u, http.StatusAccepted)
	case http.MethodPut:
		if _, err := io.Copy(u, r.Body); err != nil {
			refuse(w, http.StatusBadRequest, "BLOB_UPLOAD_INVALID", "the content broke off")
			return
		}
		g.endUpload(t.ref)
		g.commit(w, r, t.repo, u)
	default:
		unsupported(w)
	}
}

func (g *registry) beginUpload(w http.ResponseWriter, r *http.Request, repo string) {
	query := r.URL.Query()
	if digest := query.Get("mount"); digest != "" && g.auth.mayRead(r, query.Get("from")) && g.mount(repo, query.Get("from"), digest) {
		g.created(w, r, repo, "blobs", digest)
		return
	}
	u := &upload{repo: repo, keep: g.options.KeepBlobs, hash: sha256.New()}
	if digest := query.Get("digest"); digest != "" {
		if _, err := io.Copy(u, r.Body); err != nil {
			refuse(w, http.StatusBadRequest, "BLOB_UPLOAD_INVALID", "the content broke off")
			return
		}
		g.commit(w, r, repo, u)
		return
	}
	var id [16]byte
	if _, err := rand.Read(id[:]); err != nil {
		refuse(w, http.StatusInternalServerError, "UNKNOWN", err.Error())
		return
	}
	name := fmt.Sprintf("%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:])
	g.mu.Lock()
	g.uploads[name] = u
	g.mu.Unlock()
	g.progress(w, r, target{repo: repo, ref: name}, u, http.StatusAccepted)
}

func (g *registry) endUpload(id string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.uploads, id)
}

// progress tells where the upload goes on and how much is there.
func (g *registry) progress(w http.ResponseWriter, r *http.Request, t target, u *upload, status int) {
	location := g.address(r, "/v2/"+t.repo+"/blobs/uploads/"+t.ref)
	if g.options.AbsoluteURLs {
		location += "?" + url.Values{"_state": {uploadState}}.Encode()
	}
	w.Header().Set("Location", location)
	w.Header().Set("Docker-Upload-Uuid", t.ref)
	w.Header().Set("Range", fmt.Sprintf("0-%d", max(u.size-1, 0)))
	w.Header().Set("Content-Length", "0")
	w.WriteHeader(status)
}

// uploadState is what a commit must bring back where Locations have a state; it is a text that a careless client spoils.
const uploadState = "a/b=="

// commit keeps the content, if it has the digest that the client names.
func (g *registry) commit(w http.ResponseWriter, r *http.Request, repo string, u *upload) {
	query := r.URL.Query()
	if r.Method == http.MethodPut && g.options.AbsoluteURLs && query.Get("_state") != uploadState {
		refuse(w, http.StatusBadRequest, "BLOB_UPLOAD_INVALID", "the upload's state is not the one that was given out")
		return
	}
	digest := query.Get("digest")
	if got := u.digest(); got != digest {
		refuse(w, http.StatusBadRequest, "DIGEST_INVALID", "the content has digest "+got)
		return
	}
	g.link(repo, digest, u.blob())
	g.created(w, r, repo, "blobs", digest)
}

func (g *registry) created(w http.ResponseWriter, r *http.Request, repo, kind, digest string) {
	w.Header().Set("Location", g.address(r, "/v2/"+repo+"/"+kind+"/"+digest))
	w.Header().Set("Docker-Content-Digest", digest)
	w.Header().Set("Content-Length", "0")
	w.WriteHeader(http.StatusCreated)
}

// address is a path as the registry writes it into Location and Link.
func (g *registry) address(r *http.Request, path string) string {
	if g.options.AbsoluteURLs {
		return "http://" + r.Host + path
	}
	return path
}
