//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/golang/snappy"
)

// A record is an attestation in the store.
type record struct {
	id            int
	repository    string
	subjects      []string // sha256:hex
	predicateType string
	bundle        []byte
	since         time.Time
}

// api answers for api.github.com (GitHub, "REST API endpoints for artifact attestations" and "… for commits").
func (g *github) api() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /repos/{owner}/{repo}/attestations", g.create)
	mux.HandleFunc("GET /repos/{owner}/{repo}/attestations/{digest}", g.list)
	mux.HandleFunc("GET /orgs/{owner}/attestations/{digest}", g.list)
	mux.HandleFunc("GET /users/{owner}/attestations/{digest}", g.list)
	mux.HandleFunc("GET /repos/{owner}/{repo}/commits/{sha}", g.commit)
	mux.HandleFunc("GET /repos/{owner}/{repo}/compare/{pair}", g.compare)
	mux.HandleFunc("GET /meta", func(w http.ResponseWriter, _ *http.Request) {
		reply(w, http.StatusOK, map[string]any{"domains": map[string]any{"artifact_attestations": map[string]any{"trust_domain": ""}}})
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		reply(w, http.StatusNotFound, map[string]string{"message": "Not Found"})
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if auth := r.Header.Get("Authorization"); auth != "" && !strings.HasSuffix(auth, " "+readerToken) {
			if _, ok := g.caller(r); !ok {
				reply(w, http.StatusUnauthorized, map[string]string{"message": "Bad credentials"})
				return
			}
		}
		mux.ServeHTTP(w, r)
	})
}

func (g *github) create(w http.ResponseWriter, r *http.Request) {
	j, ok := g.caller(r)
	repository := r.PathValue("owner") + "/" + r.PathValue("repo")
	switch {
	case !ok:
		reply(w, http.StatusUnauthorized, map[string]string{"message": "Requires authentication"})
		return
	case j.NoAttestation || !strings.EqualFold(j.Repository, repository):
		reply(w, http.StatusForbidden, map[string]string{"message": "Resource not accessible by integration"})
		return
	case j.Visibility != "public" && j.OwnerType == "User":
		reply(w, http.StatusForbidden, map[string]string{"message": "Feature not available for user-owned private " +
			"repositories. To enable this feature, please make this repository public."})
		return
	}
	rec, err := parse(r.Body)
	if err != nil {
		reply(w, http.StatusUnprocessableEntity, map[string]string{"message": "Invalid Argument - " + err.Error()})
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	rec.id, rec.repository, rec.since = 4242+len(g.records), repository, time.Now().Add(g.lag)
	g.records = append(g.records, rec)
	reply(w, http.StatusCreated, map[string]int{"id": rec.id})
}

// parse reads a request to create, as far as the store looks at it.
func parse(body io.Reader) (record, error) {
	var in struct {
		Bundle json.RawMessage `json:"bundle"`
	}
	var bundle struct {
		MediaType string `json:"mediaType"`
		Envelope  *struct {
			Payload []byte `json:"payload"`
		} `json:"dsseEnvelope"`
	}
	var statement struct {
		Subject []struct {
			Name   string            `json:"name"`
			Digest map[string]string `json:"digest"`
		} `json:"subject"`
		PredicateType string `json:"predicateType"`
	}
	if err := json.NewDecoder(body).Decode(&in); err != nil {
		return record{}, fmt.Errorf("body is not JSON")
	}
	if err := json.Unmarshal(in.Bundle, &bundle); err != nil || bundle.Envelope == nil {
		return record{}, fmt.Errorf("bundle is missing or has no DSSE envelope")
	}
	if err := json.Unmarshal(bundle.Envelope.Payload, &statement); err != nil || len(statement.Subject) == 0 {
		return record{}, fmt.Errorf("no subject in statement")
	}
	rec := record{predicateType: statement.PredicateType, bundle: in.Bundle}
	pairs := map[string]bool{}
	for _, s := range statement.Subject {
		d := "sha256:" + s.Digest["sha256"]
		if pairs[s.Name+"@"+d] {
			return record{}, fmt.Errorf("duplicate subject in statement")
		}
		pairs[s.Name+"@"+d] = true
		if !slices.Contains(rec.subjects, d) {
			rec.subjects = append(rec.subjects, d)
		}
	}
	return rec, nil
}

// list answers newest first, a page at a time; 404 where there is none. The bundle itself is behind bundle_url.
func (g *github) list(w http.ResponseWriter, r *http.Request) {
	owner, repo, query := r.PathValue("owner"), r.PathValue("repo"), r.URL.Query()
	page, err := strconv.Atoi(query.Get("per_page"))
	if err != nil || page < 1 || page > 100 {
		page = 30
	}
	after, err := strconv.Atoi(query.Get("after"))
	if err != nil {
		after = 1 << 30
	}
	kind := query.Get("predicate_type")
	if kind == "provenance" {
		kind = "https://slsa.dev/provenance/v1"
	}
	var found []map[string]any
	next := 0
	g.mu.Lock()
	for _, rec := range slices.Backward(g.records) {
		o, n, _ := strings.Cut(rec.repository, "/")
		if rec.id >= after || time.Now().Before(rec.since) || !strings.EqualFold(o, owner) ||
			(repo != "" && !strings.EqualFold(n, repo)) || (kind != "" && rec.predicateType != kind) ||
			!slices.Contains(rec.subjects, r.PathValue("digest")) {
			continue
		}
		if len(found) == page {
			next = found[page-1]["id"].(int)
			break
		}
		found = append(found, map[string]any{
			"id": rec.id, "repository_id": 1001, "bundle": nil, "initiator": "user",
			"bundle_url": fmt.Sprintf("https://%s/attestations/1001/%d.json.sn?se=2030-01-01&sig=e2e", blobHost, rec.id),
		})
	}
	g.mu.Unlock()
	if len(found) == 0 {
		reply(w, http.StatusNotFound, map[string]string{"message": "Not Found"})
		return
	}
	for _, f := range found {
		delete(f, "id")
	}
	if next > 0 {
		query.Set("after", strconv.Itoa(next))
		link := url.URL{Scheme: "https", Host: r.Host, Path: r.URL.Path, RawQuery: query.Encode()}
		w.Header().Set("Link", fmt.Sprintf(`<%s>; rel="next"`, link.String()))
	}
	reply(w, http.StatusOK, map[string]any{"attestations": found})
}

// blob serves a bundle as a Snappy block. A request that carries GitHub's credentials to this foreign host is refused.
func (g *github) blob(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Authorization") != "" {
		g.fault("credentials sent to the blob store: " + r.URL.Path)
		http.Error(w, "InvalidAuthenticationInfo", http.StatusBadRequest)
		return
	}
	name := r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]
	id, err := strconv.Atoi(strings.TrimSuffix(name, ".json.sn"))
	g.mu.Lock()
	defer g.mu.Unlock()
	if at := id - 4242; err == nil && at >= 0 && at < len(g.records) && r.URL.Query().Get("sig") == "e2e" {
		_, _ = w.Write(snappy.Encode(nil, g.records[at].bundle))
		return
	}
	http.NotFound(w, r)
}
