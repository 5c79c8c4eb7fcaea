package sandbox

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// listedAttestation is an attestation as the API lists it.
type listedAttestation struct {
	RepositoryID json.Number     `json:"repository_id"`
	Bundle       json.RawMessage `json:"bundle"`
	BundleURL    string          `json:"bundle_url"`
	Initiator    string          `json:"initiator"`
}

// list gives the attestations of a digest, newest first, in pages with a cursor. None at all is a 404, as GitHub's is.
func (a *attestations) list(w http.ResponseWriter, r *http.Request, kind, owner, digest string) {
	query := r.URL.Query()
	size, err := strconv.Atoi(query.Get("per_page"))
	if err != nil || size < 1 {
		size = 30
	}
	size = min(size, 100)
	found := a.find(kind, owner, digest, query.Get("predicate_type"))
	if len(found) == 0 {
		notFound(w)
		return
	}
	start := 0
	if after := cursorID(query.Get("after")); after > 0 {
		start = slices.IndexFunc(found, func(s record) bool { return s.id < after })
		if start < 0 {
			start = len(found)
		}
	}
	end := min(start+size, len(found))
	page := make([]listedAttestation, 0, end-start)
	for _, s := range found[start:end] {
		page = append(page, a.listEntry(s))
	}
	if end < len(found) {
		w.Header().Set("Link", fmt.Sprintf(`<%s>; rel="next"`, nextURL(r, found[end-1].id)))
	}
	writeJSON(w, http.StatusOK, map[string]any{"attestations": page})
}

// find is every visible record for a digest, newest first.
func (a *attestations) find(kind, owner, digest, predicate string) []record {
	a.mu.Lock()
	defer a.mu.Unlock()
	var found []record
	for _, s := range slices.Backward(a.records) {
		here := s.repository
		if kind != "repos" {
			here, _, _ = strings.Cut(here, "/")
		}
		if strings.EqualFold(here, owner) && slices.Contains(s.digests, digest) &&
			predicateMatches(s.predicate, predicate) && time.Since(s.created) >= a.lag {
			found = append(found, s)
		}
	}
	return found
}

// predicateMatches knows GitHub's short names for predicate types; anything else is the type itself.
func predicateMatches(predicate, filter string) bool {
	switch filter {
	case "":
		return true
	case "provenance":
		return strings.HasPrefix(predicate, "https://slsa.dev/provenance/")
	case "sbom":
		return strings.HasPrefix(predicate, "https://spdx.dev/Document") || predicate == "https://cyclonedx.org/bom"
	case "release":
		return strings.HasPrefix(predicate, "https://in-toto.io/attestation/release/")
	default:
		return predicate == filter
	}
}

func (a *attestations) listEntry(s record) listedAttestation {
	out := listedAttestation{
		RepositoryID: json.Number(a.identity().RepositoryID), Initiator: "user",
		BundleURL: fmt.Sprintf("%s/attestations/%s/%s/%d.json.sn?se=%s&sig=%s", a.blobs, a.identity().RepositoryID,
			s.created.UTC().Format("2006/01/02"), s.id,
			url.QueryEscape(s.created.Add(24*time.Hour).UTC().Format(time.RFC3339)), s.signature),
	}
	if a.inline {
		out.Bundle = s.bundle
	}
	return out
}

func cursor(id int) string {
	return base64.RawURLEncoding.EncodeToString([]byte("attestation:" + strconv.Itoa(id)))
}

func cursorID(text string) int {
	raw, _ := base64.RawURLEncoding.DecodeString(text)
	id, _ := strconv.Atoi(strings.TrimPrefix(string(raw), "attestation:"))
	return id
}

// nextURL is the request's own URL with the cursor behind the last record of this page.
func nextURL(r *http.Request, last int) string {
	u := *r.URL
	u.Host, u.Scheme = r.Host, requestScheme(r)
	u.Path = originalPath(r)
	q := u.Query()
	q.Set("after", cursor(last))
	u.RawPath, u.RawQuery = "", q.Encode()
	return u.String()
}
