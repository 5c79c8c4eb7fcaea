package store

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"github.com/golang/snappy"
	"golang.org/x/sync/errgroup"

	"github.com/taglast/taglast/internal/bundle"
	"github.com/taglast/taglast/internal/link"
	"github.com/taglast/taglast/internal/retry"
)

const (
	maxPage    = 64 << 20 // bytes of one list answer, which holds up to 100 bundles
	maxPages   = 50
	perPage    = 100
	maxRecords = maxPages * perPage
	parallel   = 8
	userRecord = "user" // initiator of what workflows posted; GitHub's own release attestations say "github"
)

// Record is an attestation as the API lists it, with its bundle fetched.
type Record struct {
	Bundle    *bundle.Bundle // nil where Err is set
	BundleURL string         // without its query, which is a credential
	Initiator string
	Err       error // why there is no bundle
}

// Records lists the attestations of a subject digest (sha256:hex) under scope ("repos/OWNER/NAME", "orgs/NAME" or
// "users/NAME") that have that predicate type and were posted by workflows, and fetches their bundles, eight at a time.
// An empty predicateType is any; limit is how many records are taken, zero all of them (at most 5000, more is an error).
// A digest without attestations is an empty list; so is an unknown scope, which the API does not tell apart.
func (a *API) Records(ctx context.Context, scope, digest, predicateType string, limit int) ([]Record, error) {
	if err := checkDigest(digest); err != nil {
		return nil, err
	}
	listed, err := a.list(ctx, a.policy, scope, digest, predicateType, limit)
	if err != nil {
		return nil, err
	}
	return a.fetchAll(ctx, a.policy, listed)
}

// listedRecord is a record on the wire.
type listedRecord struct {
	Bundle    json.RawMessage `json:"bundle"`
	BundleURL string          `json:"bundle_url"`
	Initiator string          `json:"initiator"`
}

func (a *API) list(ctx context.Context, p retry.Policy, scope, digest, predicateType string, limit int) ([]listedRecord, error) {
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
		records, next, err := a.page(ctx, p, page)
		if err != nil {
			return nil, err
		}
		for _, r := range records {
			if r.Initiator != "" && r.Initiator != userRecord {
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

// page gets one page and the URL of the next. 404 is an empty list.
func (a *API) page(ctx context.Context, p retry.Policy, page *url.URL) (records []listedRecord, next *url.URL, err error) {
	err = a.try(ctx, p, func(ctx context.Context) error {
		records, next = nil, nil
		got, err := a.call(ctx, http.MethodGet, page, nil, maxPage)
		if s := (*retry.StatusError)(nil); errors.As(err, &s) && s.Status == http.StatusNotFound {
			return nil
		}
		if err != nil || got.status == http.StatusNoContent { // the users endpoint documents 204, too
			return err
		}
		if records, err = parseRecords(got.body); err != nil {
			return retry.Transient(fmt.Errorf("GET %s: %w", bare(page), err), 0)
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

func (a *API) fetchAll(ctx context.Context, p retry.Policy, listed []listedRecord) ([]Record, error) {
	records := make([]Record, len(listed))
	var g errgroup.Group
	g.SetLimit(parallel)
	for i, l := range listed {
		g.Go(func() error {
			records[i] = a.fetch(ctx, p, l)
			return nil
		})
	}
	_ = g.Wait() // its functions return nil: what failed is in the records
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return records, nil
}

// fetch prefers bundle_url: the API's versions from 2026-03-10 on have no inline bundle, and earlier ones may have null.
func (a *API) fetch(ctx context.Context, p retry.Policy, l listedRecord) Record {
	r := Record{Initiator: l.Initiator}
	inline := bytes.TrimSpace(l.Bundle)
	switch {
	case l.BundleURL != "":
		u, err := url.Parse(l.BundleURL)
		if err != nil || !secure(u) || u.User != nil {
			r.Err = errors.New("its bundle_url is not an https URL")
			return r
		}
		r.BundleURL = bare(u)
		raw, err := a.blob(ctx, p, u)
		if err != nil {
			r.Err = err
			return r
		}
		r.Bundle, r.Err = bundle.Parse(raw)
	case len(inline) == 0 || bytes.Equal(inline, []byte("null")):
		r.Err = errors.New("the record has neither bundle_url nor bundle")
		return r
	default:
		r.Bundle, r.Err = bundle.Parse(inline)
	}
	return r
}

// blob fetches a bundle from storage, without credentials. The body is one Snappy block.
func (a *API) blob(ctx context.Context, p retry.Policy, u *url.URL) (raw []byte, err error) {
	err = a.try(ctx, p, func(ctx context.Context) error {
		req, err := request(ctx, http.MethodGet, u, nil)
		if err != nil {
			return err
		}
		got, err := a.exchange(a.blobs, req, bundle.MaxSize, http.StatusOK)
		if err != nil {
			return err
		}
		if raw, err = unsnap(got.body); err != nil {
			return fmt.Errorf("GET %s: %w", bare(u), err)
		}
		return nil
	})
	return raw, err
}

// unsnap decodes a Snappy block (google/snappy, format_description.txt), whose length is checked before memory is taken.
func unsnap(block []byte) ([]byte, error) {
	n, err := snappy.DecodedLen(block)
	if err != nil {
		return nil, retry.Transient(errors.New("the body is not a Snappy block"), 0)
	}
	if n > bundle.MaxSize {
		return nil, retry.Permanent(fmt.Errorf("the bundle is %w: more than %d bytes", errTooLarge, bundle.MaxSize))
	}
	b, err := snappy.Decode(nil, block)
	if err != nil {
		return nil, retry.Transient(errors.New("the body is not a Snappy block"), 0)
	}
	return b, nil
}
