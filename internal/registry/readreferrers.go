package registry

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/taglast/taglast/internal/link"
	"github.com/taglast/taglast/internal/ociref"
	"github.com/taglast/taglast/internal/retry"
)

// Bounds of a list of referrers; more is an error.
const (
	maxReferrers     = 1000
	maxReferrerPages = 50
)

// errNoReferrersAPI is returned for an answer that is no list of referrers.
var errNoReferrersAPI = errors.New("no list of referrers")

// Referrers lists the manifests that name digest as their subject: by the referrers API, or, where the registry has
// none, from the index under the tag sha256-<hex> (OCI distribution specification 1.1, "Listing Referrers" and
// "Referrers Tag Schema"). No referrers is an empty list. An API in trouble is an error only where the tag gives nothing
// either. It only reads; the descriptors are the registry's word.
func (c *Client) Referrers(ctx context.Context, digest v1.Hash) ([]v1.Descriptor, error) {
	tag, err := ociref.FallbackTag(digest)
	if err != nil {
		return nil, c.p.wrap("list the referrers of", "", err)
	}
	ref := "@" + digest.String()
	listed, api := c.p.referrers(ctx, digest)
	if api == nil || ctx.Err() != nil {
		return listed, c.p.wrap("list the referrers of", ref, api)
	}
	tagged, err := c.Get(ctx, tag)
	switch {
	case errors.Is(err, ErrNotFound):
		if errors.Is(api, errNoReferrersAPI) {
			return nil, nil
		}
		return nil, c.p.wrap("list the referrers of", ref, api)
	case err != nil:
		return nil, err
	}
	if listed, err = descriptors(tagged.Raw, tagged.MediaType); err != nil {
		return nil, c.p.wrap("list the referrers of", ref, fmt.Errorf("tag %s: %w", tag, err))
	}
	return listed, nil
}

// referrers asks the API, page by page.
func (c *client) referrers(ctx context.Context, digest v1.Hash) ([]v1.Descriptor, error) {
	var all []v1.Descriptor
	page := c.path("/referrers/" + digest.String())
	for n := 0; page != nil; n++ {
		if n == maxReferrerPages {
			return nil, fmt.Errorf("more than %d pages of referrers", maxReferrerPages)
		}
		var some []v1.Descriptor
		var next *url.URL
		err := c.retry(ctx, func(ctx context.Context) (err error) {
			some, next, err = c.referrersPage(ctx, page)
			return err
		})
		if err != nil {
			return nil, err
		}
		if all = append(all, some...); len(all) > maxReferrers {
			return nil, fmt.Errorf("more than %d referrers", maxReferrers)
		}
		page = next
	}
	return all, nil
}

func (c *client) referrersPage(ctx context.Context, page *url.URL) ([]v1.Descriptor, *url.URL, error) {
	resp, err := c.send(ctx, request{method: http.MethodGet, url: page, header: http.Header{"Accept": {string(types.OCIImageIndex)}}})
	if err != nil {
		return nil, nil, err
	}
	if err := retry.CheckStatus(resp, http.StatusOK); err != nil {
		if hasStatus(err, http.StatusNotFound, http.StatusBadRequest, http.StatusForbidden, http.StatusMethodNotAllowed,
			http.StatusNotAcceptable, http.StatusNotImplemented) {
			if transient, _, _ := retry.Classify(err); !transient {
				err = retry.Permanent(fmt.Errorf("%w: %w", errNoReferrersAPI, err))
			}
		}
		return nil, nil, err
	}
	raw, err := readBody(resp, MaxManifest)
	if err != nil {
		return nil, nil, err
	}
	m, err := newManifest(raw, resp.Header.Get("Content-Type"))
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", errNoReferrersAPI, err)
	}
	some, err := descriptors(raw, m.MediaType)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", errNoReferrersAPI, err)
	}
	next := link.Next(resp.Header, page)
	if next != nil {
		if next, err = c.endpoint.resolveLocation(page, next.String()); err != nil {
			return nil, nil, err
		}
		if !c.endpoint.owns(next) {
			return nil, nil, errors.New("the next page of referrers is on another host: refused")
		}
	}
	return some, next, nil
}

// descriptors of an index of referrers.
func descriptors(raw []byte, mediaType types.MediaType) ([]v1.Descriptor, error) {
	if mediaType != types.OCIImageIndex {
		return nil, errors.New("not an OCI index")
	}
	var index struct {
		Manifests []v1.Descriptor `json:"manifests"`
	}
	if err := json.Unmarshal(raw, &index); err != nil {
		return nil, errors.New("not an OCI index")
	}
	if len(index.Manifests) > maxReferrers {
		return nil, fmt.Errorf("more than %d referrers", maxReferrers)
	}
	return index.Manifests, nil
}
