package registry

import (
	"context"
	"fmt"
	"io"
	"net/http"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/taglast/taglast/internal/ociref"
	"github.com/taglast/taglast/internal/retry"
)

// GetBlob reads a small blob whole (a config), checked against its digest and bounded by max bytes.
func (c *Client) GetBlob(ctx context.Context, digest v1.Hash, max int64) ([]byte, error) {
	ref := "@" + digest.String()
	if err := ociref.CheckHash(digest); err != nil {
		return nil, c.p.wrap("read blob", "", err)
	}
	var (
		body  []byte
		wrong int
	)
	err := c.p.retry(ctx, func(ctx context.Context) error {
		resp, err := c.p.send(ctx, c.p.blobRequest(http.MethodGet, digest))
		if err != nil {
			return err
		}
		if err := retry.CheckStatus(resp, http.StatusOK); err != nil {
			return err
		}
		if body, err = readBody(resp, max); err != nil {
			return err
		}
		if got := ociref.Sum(body); got != digest {
			err := fmt.Errorf("%w: they are %s", ErrBytes, got)
			if wrong++; wrong < wrongAnswers {
				return retry.Transient(err, 0)
			}
			return err
		}
		return nil
	})
	if err != nil {
		return nil, c.p.wrap("read blob", ref, err)
	}
	return body, nil
}

// OpenBlob streams a blob; the caller hashes (push does) and closes. A stream that ends early fails with
// io.ErrUnexpectedEOF. It counts as a layer in flight until it is closed, unless an upload reads it, which counts for both.
func (c *Client) OpenBlob(ctx context.Context, digest v1.Hash) (io.ReadCloser, error) {
	ref := "@" + digest.String()
	if err := ociref.CheckHash(digest); err != nil {
		return nil, c.p.wrap("read blob", "", err)
	}
	release, err := acquire(ctx, c.p.slots.layers, 1)
	if err != nil {
		return nil, c.p.wrap("read blob", ref, err)
	}
	var body io.ReadCloser
	err = c.p.retry(ctx, func(context.Context) error {
		// The stream outlives this attempt: ctx is the caller's.
		resp, err := c.p.send(ctx, c.p.blobRequest(http.MethodGet, digest)) //nolint:bodyclose // the caller closes the stream
		if err != nil {
			return err
		}
		if err := retry.CheckStatus(resp, http.StatusOK); err != nil {
			return err
		}
		body = &releasing{resp.Body, release}
		if resp.ContentLength >= 0 {
			body = &lengthChecked{body, resp.ContentLength}
		}
		return nil
	})
	if err != nil {
		release()
		return nil, c.p.wrap("read blob", ref, err)
	}
	return body, nil
}

// lengthChecked fails where a body ends before the length that was announced.
type lengthChecked struct {
	io.ReadCloser
	remaining int64
}

func (r *lengthChecked) Read(p []byte) (int, error) {
	n, err := r.ReadCloser.Read(p)
	if r.remaining -= int64(n); err == io.EOF && r.remaining > 0 {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// hasBlob asks for a blob. A 401 or 403 counts as "not there": registries give it for repositories that do not exist yet
// or that a dry run has no login for, and the upload will tell.
func (c *client) hasBlob(ctx context.Context, digest v1.Hash) (bool, error) {
	resp, err := c.send(ctx, c.blobRequest(http.MethodHead, digest))
	if err != nil {
		return false, err
	}
	err = retry.CheckStatus(resp, http.StatusOK)
	if err == nil {
		drain(resp)
		return true, nil
	}
	if transient, _, _ := retry.Classify(err); !transient && hasStatus(err, http.StatusNotFound, http.StatusUnauthorized, http.StatusForbidden) {
		return false, nil
	}
	return false, err
}

// blobRequest asks for the stored bytes: a layer must not be unpacked on the way.
func (c *client) blobRequest(method string, digest v1.Hash) request {
	return request{method: method, url: c.path("/blobs/" + digest.String()), header: http.Header{"Accept-Encoding": {"identity"}}}
}
