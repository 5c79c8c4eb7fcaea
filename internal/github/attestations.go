package github

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"github.com/taglast/taglast/internal/bundle"
	"github.com/taglast/taglast/internal/link"
	"github.com/taglast/taglast/internal/ociref"
	"github.com/taglast/taglast/internal/retry"
	"github.com/taglast/taglast/internal/weburl"
)

const (
	maxListBytes  = 64 << 20 // bytes of one list answer, which holds up to 100 bundles
	maxPages      = 50
	perPage       = 100
	maxRecords    = maxPages * perPage
	userInitiator = "user" // initiator of what workflows posted; GitHub's own release attestations say "github"
)

// Record is an attestation as the API lists it, with its bundle fetched.
type Record struct {
	Bundle    *bundle.Bundle // nil where Err is set
	BundleURL string         // without its query, which is a credential
	Initiator string         // who posted it, in GitHub's words
	Err       error          // why there is no bundle
}

// Attestations lists the attestations of a subject digest (sha256:hex) under scope ("repos/OWNER/NAME", "orgs/NAME" or
// "users/NAME") that have that predicate type and were posted by workflows, and fetches their bundles, eight at a time.
// An empty predicateType means any. At most limit records are returned; zero means all, of which more than 5000 are an
// error. A digest without attestations is an empty list; so is an unknown scope, which the API does not tell apart.
func (a *API) Attestations(ctx context.Context, scope, digest, predicateType string, limit int) ([]Record, error) {
	if err := ociref.CheckDigest(digest); err != nil {
		return nil, err
	}
	listed, err := a.list(ctx, scope, digest, predicateType, limit)
	if err != nil {
		return nil, err
	}
	return a.fetchAll(ctx, listed)
}

// listedRecord is a record as the API writes it.
type listedRecord struct {
	Bundle    json.RawMessage `json:"bundle"`
	BundleURL string          `json:"bundle_url"`
	Initiator string          `json:"initiator"`
}

func (a *API) list(ctx context.Context, scope, digest, predicateType string, limit int) ([]listedRecord, error) {
	size := perPage
	if limit > 0 {
		size = min(limit, perPage)
	}
	query := url.Values{"per_page": {strconv.Itoa(size)}}
	if predicateType != "" {
		query.Set("predicate_type", predicateType)
	}
	page := a.base.JoinPath(scope, "attestations", digest)
	page.RawQuery = query.Encode()
	var all []listedRecord
	for n := 0; page != nil; n++ {
		if n == maxPages {
			return nil, fmt.Errorf("list attestations of %s: more than %d pages", digest, maxPages)
		}
		records, next, err := a.page(ctx, page)
		if err != nil {
			return nil, err
		}
		for _, r := range records {
			if r.Initiator != "" && r.Initiator != userInitiator {
				continue
			}
			if all = append(all, r); limit > 0 && len(all) == limit {
				return all, nil
			}
		}
		page = next
	}
	return all, nil
}

// page gets one page and the URL of the next, nil after the last. 404 is an empty list.
func (a *API) page(ctx context.Context, page *url.URL) (records []listedRecord, next *url.URL, err error) {
	err = a.Retry(ctx, func(ctx context.Context) error {
		records, next = nil, nil
		got, err := a.call(ctx, http.MethodGet, page, nil, maxListBytes)
		if s := (*retry.StatusError)(nil); errors.As(err, &s) && s.Status == http.StatusNotFound {
			return nil
		}
		if err != nil || got.status == http.StatusNoContent { // the users endpoint documents 204, too
			return err
		}
		if records, err = parseRecords(got.body); err != nil {
			return retry.Transient(fmt.Errorf("GET %s: %w", weburl.Show(page), err), 0)
		}
		next = link.Next(got.header, got.url)
		return nil
	})
	return records, next, err
}

func parseRecords(body []byte) ([]listedRecord, error) {
	var list struct {
		Attestations *[]listedRecord `json:"attestations"`
	}
	if err := json.Unmarshal(body, &list); err != nil || list.Attestations == nil {
		return nil, errors.New("the answer is not a list of attestations")
	}
	if len(*list.Attestations) > maxRecords {
		return nil, fmt.Errorf("the answer lists more than %d attestations", maxRecords)
	}
	return *list.Attestations, nil
}
