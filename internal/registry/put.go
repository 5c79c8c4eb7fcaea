package registry

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/taglast/taglast/internal/ociref"
	"github.com/taglast/taglast/internal/retry"
)

// writeLag is for how long a registry may not know yet what was just written and a manifest names.
const writeLag = 30 * time.Second

// PutByDigest writes a manifest under its own digest, and only that. A write whose answer was lost is looked for before
// it is repeated. ErrMissing says that the registry does not know, for half a minute, a blob or manifest that m names.
func (c *Client) PutByDigest(ctx context.Context, m Manifest) error {
	ref := "@" + m.Digest.String()
	if err := m.check(); err != nil {
		return c.p.wrap("push", ref, err)
	}
	r := reference{m.Digest.String(), m.Digest}
	var (
		begin  = time.Now()
		failed error // the last attempt's
	)
	err := c.p.retry(ctx, func(ctx context.Context) error {
		if failed != nil && ambiguous(failed) && c.p.hasManifest(ctx, r) {
			return nil
		}
		failed = c.p.put(ctx, r, m)
		if refusedForContent(failed) {
			named := fmt.Errorf("%w: %w", ErrMissing, failed)
			if time.Since(begin) < writeLag {
				return retry.Transient(named, 0)
			}
			return retry.Permanent(named)
		}
		return failed
	})
	// The last attempt may have been the one that reached the registry.
	if err != nil && ctx.Err() == nil && !isFinal(err) && c.p.hasManifest(ctx, r) {
		err = nil
	}
	if err == nil {
		c.p.markSeen(m.Digest)
	}
	return c.p.wrap("push", ref, err)
}

// check is what must hold of a manifest before it is sent anywhere.
func (m Manifest) check() error {
	if len(m.Raw) > MaxManifest {
		return fmt.Errorf("a manifest of %d bytes: registries accept %d", len(m.Raw), MaxManifest)
	}
	digest, size := ociref.Sum(m.Raw), int64(len(m.Raw))
	if digest != m.Digest || size != m.Size {
		return fmt.Errorf("the manifest is not what its descriptor claims: it is %s with %d bytes", digest, size)
	}
	if m.MediaType == "" {
		return errors.New("the manifest has no media type")
	}
	return nil
}

// refusedForContent reports whether err has one of the codes with which registries refuse a manifest whose content they do
// not know.
func refusedForContent(err error) bool {
	return hasCode(err, "MANIFEST_BLOB_UNKNOWN", "MANIFEST_UNKNOWN", "NAME_UNKNOWN", "BLOB_UNKNOWN")
}

// isFinal reports whether a write failed in a way that no look at the registry can turn into a success.
func isFinal(err error) bool {
	return errors.Is(err, ErrGuard) || errors.Is(err, ErrBytes) || errors.As(err, new(*loginError))
}

// hasManifest looks once for a manifest; a look that fails has not found it.
func (c *client) hasManifest(ctx context.Context, r reference) bool {
	d, err := c.head(ctx, r)
	return err == nil && d.Digest == r.digest
}

// put is one PUT of a manifest.
func (c *client) put(ctx context.Context, r reference, m Manifest) error {
	resp, err := c.send(ctx, request{
		method: http.MethodPut,
		url:    c.path("/manifests/" + r.text),
		header: http.Header{"Content-Type": {string(m.MediaType)}},
		body:   func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(m.Raw)), nil },
		size:   int64(len(m.Raw)),
	})
	if err != nil {
		return err
	}
	if err := retry.CheckStatus(resp, http.StatusOK, http.StatusCreated, http.StatusAccepted); err != nil {
		return err
	}
	drain(resp)
	return checkStoredDigest(resp, m.Digest)
}

// checkStoredDigest compares the digest that a registry claims to have stored with the one that was sent.
func checkStoredDigest(resp *http.Response, digest v1.Hash) error {
	if said := resp.Header.Get(digestHeader); said != "" && said != digest.String() {
		if h, err := v1.NewHash(said); err != nil || h.Algorithm == "sha256" {
			return retry.Permanent(fmt.Errorf("%w: it claims to have stored %s, not %s", ErrBytes, said, digest))
		}
	}
	return nil
}
