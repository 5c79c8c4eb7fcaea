package registry

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/taglast/taglast/internal/ociref"
	"github.com/taglast/taglast/internal/retry"
)

const (
	wrongAnswers = 3           // so many answers with other bytes are taken for accidents on the way
	readLag      = time.Minute // for which a manifest that was written may be unknown to reads
)

// digestHeader is what registries say a manifest's digest is. It proves nothing; a disagreement is an error all the same.
const digestHeader = "Docker-Content-Digest"

// Head looks at a manifest by digest or tag: ErrNotFound where there is none. The descriptor is what the registry says, not proof.
func (c *Client) Head(ctx context.Context, ref string) (v1.Descriptor, error) {
	r, err := parseReference(ref)
	if err != nil {
		return v1.Descriptor{}, c.p.wrap("look at", "", err)
	}
	var d v1.Descriptor
	err = c.p.retry(ctx, func(ctx context.Context) error {
		d, err = c.p.head(ctx, r)
		return err
	})
	return d, c.p.wrap("look at", r.suffix(), err)
}

// head is one attempt. Where the answer lacks what a descriptor needs, the manifest is read.
func (c *client) head(ctx context.Context, r reference) (v1.Descriptor, error) {
	resp, err := c.send(ctx, c.manifestRequest(http.MethodHead, r))
	if err != nil {
		return v1.Descriptor{}, err
	}
	if err := retry.CheckStatus(resp, http.StatusOK); err != nil {
		c.forgetMissing(r, err)
		return v1.Descriptor{}, err
	}
	drain(resp)
	said, err := v1.NewHash(resp.Header.Get(digestHeader))
	if err != nil || ociref.CheckHash(said) != nil || resp.ContentLength <= 0 || resp.Header.Get("Content-Type") == "" {
		m, err := c.get(ctx, r, new(int))
		return m.Descriptor, err
	}
	if r.byDigest() {
		if said != r.digest {
			return v1.Descriptor{}, fmt.Errorf("%w: it says %s", ErrBytes, said)
		}
		c.markSeen(said)
	}
	return v1.Descriptor{MediaType: types.MediaType(resp.Header.Get("Content-Type")), Digest: said, Size: resp.ContentLength}, nil
}

// Get reads a manifest by digest or tag, bounded by MaxManifest, and hashes it; by digest, other bytes are an error
// (ErrBytes). ErrNotFound where there is none. Docker's schema 1, and what is no image manifest or index, is an error.
func (c *Client) Get(ctx context.Context, ref string) (Manifest, error) {
	return c.get(ctx, ref, 0)
}

// ReadBack reads a manifest that this run wrote: a registry that does not know it yet is asked again for a minute.
func (c *Client) ReadBack(ctx context.Context, digest v1.Hash) (Manifest, error) {
	return c.get(ctx, digest.String(), readLag)
}

func (c *Client) get(ctx context.Context, ref string, lag time.Duration) (Manifest, error) {
	r, err := parseReference(ref)
	if err != nil {
		return Manifest{}, c.p.wrap("read", "", err)
	}
	var (
		m     Manifest
		wrong int
		begin = time.Now()
	)
	err = c.p.retry(ctx, func(ctx context.Context) error {
		m, err = c.p.get(ctx, r, &wrong)
		if errors.Is(sentinel(err), ErrNotFound) && time.Since(begin) < lag {
			return retry.Transient(err, 0)
		}
		return err
	})
	if err != nil {
		return Manifest{}, c.p.wrap("read", r.suffix(), err)
	}
	return m, nil
}

// get is one attempt; wrong counts the answers with other bytes.
func (c *client) get(ctx context.Context, r reference, wrong *int) (Manifest, error) {
	resp, err := c.send(ctx, c.manifestRequest(http.MethodGet, r))
	if err != nil {
		return Manifest{}, err
	}
	if err := retry.CheckStatus(resp, http.StatusOK); err != nil {
		c.forgetMissing(r, err)
		return Manifest{}, err
	}
	raw, err := readBody(resp, MaxManifest)
	if err != nil {
		return Manifest{}, err
	}
	m, bad := newManifest(raw, resp.Header.Get("Content-Type"))
	want := r.digest
	if said, err := v1.NewHash(resp.Header.Get(digestHeader)); err == nil && !r.byDigest() {
		want = said
	}
	if want.Algorithm == "sha256" && m.Digest != want {
		err := fmt.Errorf("%w: they are %s, not %s", ErrBytes, m.Digest, want)
		if *wrong++; *wrong < wrongAnswers {
			return Manifest{}, retry.Transient(err, 0)
		}
		return Manifest{}, retry.Permanent(err)
	}
	if bad != nil {
		if *wrong++; !r.byDigest() && *wrong < wrongAnswers && errors.Is(bad, errType) {
			return Manifest{}, retry.Transient(bad, 0)
		}
		return Manifest{}, bad
	}
	c.markRead(m.Digest)
	return m, nil
}

// forgetMissing forgets that a manifest was seen once the registry does not know it.
func (c *client) forgetMissing(r reference, err error) {
	if r.byDigest() && hasStatus(err, http.StatusNotFound) {
		c.clearSeen(r.digest)
	}
}

func (c *client) manifestRequest(method string, r reference) request {
	return request{method: method, url: c.path("/manifests/" + r.text), header: http.Header{"Accept": {accept}}}
}
