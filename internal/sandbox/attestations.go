package sandbox

import (
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/golang/snappy"
)

const apiDocs = "https://docs.github.com/rest/repos/attestations"

// attestations is GitHub's store of bundles: POST and GET /repos/{owner}/{repo}/attestations, and the lists by owner.
type attestations struct {
	identity     func() Identity
	token        string // the job's GITHUB_TOKEN
	blobs        string // base URL of bundle_url
	refuses      string // a 403 for every create call
	inline       bool   // answer with the bundle as well, as API versions before 2026-03-10 may
	lag          time.Duration
	noPermission bool // the job has no "attestations: write"

	mu      sync.Mutex
	records []record
}

// record is one stored attestation.
type record struct {
	id         int
	repository string
	predicate  string
	digests    []string // of its subjects, sha256:hex
	bundle     []byte   // the JSON that was posted
	signature  string   // of its bundle_url
	created    time.Time
}

// attestationPath says whether an API path belongs to the store, and what stands before and after "attestations".
func attestationPath(path string) (kind, owner, rest string, ok bool) {
	parts := strings.SplitN(strings.TrimPrefix(path, "/"), "/", 4)
	switch {
	case len(parts) < 3:
	case parts[0] == "repos" && len(parts) == 4:
		rest, ok = strings.CutPrefix(parts[3], "attestations")
		owner = parts[1] + "/" + parts[2]
	case parts[0] == "orgs" || parts[0] == "users":
		ok = parts[2] == "attestations"
		owner = parts[1]
		if len(parts) == 4 {
			rest = "/" + parts[3]
		}
	}
	if rest != "" && rest[0] != '/' {
		return "", "", "", false
	}
	return parts[0], owner, strings.TrimPrefix(rest, "/"), ok
}

func (a *attestations) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	kind, owner, digest, ok := attestationPath(r.URL.Path)
	switch {
	case !ok:
		notFound(w)
	case digest == "" && kind == "repos":
		if allow(w, r, http.MethodPost) {
			a.create(w, r, owner)
		}
	case digest == "":
		notFound(w)
	default:
		if allow(w, r, http.MethodGet) {
			a.list(w, r, kind, owner, digest)
		}
	}
}

func notFound(w http.ResponseWriter) {
	writeJSON(w, http.StatusNotFound, message{Message: "Not Found", Docs: apiDocs})
}

// create stores a bundle: {"bundle":{…}} gives 201 {"id":n}. The checks stand in GitHub's order: the token, the
// repository, the permission, the body.
func (a *attestations) create(w http.ResponseWriter, r *http.Request, repository string) {
	if !authorized(w, r, a.token) {
		return
	}
	if !strings.EqualFold(repository, a.identity().Repository) {
		notFound(w)
		return
	}
	if a.noPermission {
		writeJSON(w, http.StatusForbidden, message{Message: "Resource not accessible by integration", Docs: apiDocs})
		return
	}
	if a.refuses != "" {
		writeJSON(w, http.StatusForbidden, message{Message: a.refuses, Docs: apiDocs})
		return
	}
	body, err := readBody(r, maxBody)
	if err != nil {
		writeJSON(w, http.StatusUnprocessableEntity, message{Message: "Invalid request: " + err.Error(), Docs: apiDocs})
		return
	}
	stored, err := parseRecord(body)
	if err != nil {
		writeJSON(w, http.StatusUnprocessableEntity, message{Message: "Invalid request.\n\n" + err.Error(), Docs: apiDocs})
		return
	}
	stored.repository, stored.created = repository, time.Now()
	writeJSON(w, http.StatusCreated, map[string]int{"id": a.add(stored)})
}

// authorized says whether a request carries the job's token; if not, it has answered.
func authorized(w http.ResponseWriter, r *http.Request, want string) bool {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	switch {
	case !strings.EqualFold(scheme, "bearer") && !strings.EqualFold(scheme, "token") || token == "":
		writeJSON(w, http.StatusUnauthorized, message{Message: "Requires authentication", Docs: apiDocs})
	case token != want:
		writeJSON(w, http.StatusUnauthorized, message{Message: "Bad credentials", Docs: apiDocs})
	default:
		return true
	}
	return false
}

func (a *attestations) add(stored record) (id int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	stored.id = len(a.records) + 1
	a.records = append(a.records, stored)
	return stored.id
}

// blob serves a bundle_url as blob storage does: a Snappy block for the signature in the query, and a refusal for
// whoever sends credentials to a host that they are not for.
func (a *attestations) blob(w http.ResponseWriter, r *http.Request) {
	if !allow(w, r, http.MethodGet) {
		return
	}
	if r.Header.Get("Authorization") != "" {
		writeBytes(w, http.StatusBadRequest, "application/xml", []byte("<Error><Code>InvalidAuthenticationInfo</Code></Error>"))
		return
	}
	name, isBlob := strings.CutSuffix(r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:], ".json.sn")
	id, err := strconv.Atoi(name)
	a.mu.Lock()
	defer a.mu.Unlock()
	if !isBlob || err != nil || id < 1 || id > len(a.records) {
		writeBytes(w, http.StatusNotFound, "application/xml", []byte("<Error><Code>BlobNotFound</Code></Error>"))
		return
	}
	stored := a.records[id-1]
	if r.URL.Query().Get("sig") != stored.signature {
		writeBytes(w, http.StatusForbidden, "application/xml", []byte("<Error><Code>AuthenticationFailed</Code></Error>"))
		return
	}
	writeBytes(w, http.StatusOK, "application/x-snappy", snappy.Encode(nil, stored.bundle))
}
