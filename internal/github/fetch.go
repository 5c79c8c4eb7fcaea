package github

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/golang/snappy"
	"golang.org/x/sync/errgroup"

	"github.com/taglast/taglast/internal/bundle"
	"github.com/taglast/taglast/internal/retry"
	"github.com/taglast/taglast/internal/weburl"
)

const parallelFetches = 8

// fetchAll fetches the bundles of listed records, eight at a time. A bundle that cannot be fetched is an error in its
// record.
func (a *API) fetchAll(ctx context.Context, listed []listedRecord) ([]Record, error) {
	records := make([]Record, len(listed))
	var g errgroup.Group
	g.SetLimit(parallelFetches)
	for i, l := range listed {
		g.Go(func() error {
			records[i] = a.fetch(ctx, l)
			return nil
		})
	}
	_ = g.Wait() // no function returns an error: errors are in the records
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return records, nil
}

// fetch returns a record with its bundle. It prefers bundle_url: the API's versions from 2026-03-10 on have no inline
// bundle, and earlier ones may have null.
func (a *API) fetch(ctx context.Context, l listedRecord) Record {
	r := Record{Initiator: l.Initiator}
	inline := bytes.TrimSpace(l.Bundle)
	switch {
	case l.BundleURL != "":
		u, err := url.Parse(l.BundleURL)
		if err != nil || weburl.Check(u) != nil {
			r.Err = errors.New("its bundle_url is not an https URL")
			return r
		}
		r.BundleURL = weburl.Show(u)
		raw, err := a.blob(ctx, u)
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
func (a *API) blob(ctx context.Context, u *url.URL) (raw []byte, err error) {
	err = a.Retry(ctx, func(ctx context.Context) error {
		req, err := request(ctx, http.MethodGet, u, nil)
		if err != nil {
			return err
		}
		got, err := a.exchange(a.blobs, req, bundle.MaxSize, http.StatusOK)
		if err != nil {
			return err
		}
		if raw, err = decodeSnappy(got.body); err != nil {
			return fmt.Errorf("GET %s: %w", weburl.Show(u), err)
		}
		return nil
	})
	return raw, err
}

// decodeSnappy decodes a Snappy block (google/snappy, format_description.txt), whose length is checked before memory is
// taken.
func decodeSnappy(block []byte) ([]byte, error) {
	n, err := snappy.DecodedLen(block)
	if err != nil {
		return nil, retry.Transient(errors.New("the body is not a Snappy block"), 0)
	}
	if n > bundle.MaxSize {
		return nil, retry.Permanent(fmt.Errorf("the bundle is too large: more than %d bytes", bundle.MaxSize))
	}
	b, err := snappy.Decode(nil, block)
	if err != nil {
		return nil, retry.Transient(errors.New("the body is not a Snappy block"), 0)
	}
	return b, nil
}
