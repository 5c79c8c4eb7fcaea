package registry

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/taglast/taglast/internal/retry"
)

// Probe proves that this token may push: an upload is begun and cancelled. ErrDenied if it may not. A token by itself proves
// nothing: GHCR gives one with push scope to anybody. Calls at one moment share one probe.
func (c *Client) Probe(ctx context.Context) error {
	_, err := c.p.probes.do(ctx, struct{}{}, func() (struct{}, error) { return struct{}{}, c.probe(ctx) })
	return err
}

func (c *Client) probe(ctx context.Context) error {
	var location *url.URL
	err := c.p.retry(ctx, func(ctx context.Context) error {
		resp, err := c.p.post(ctx, "")
		if err != nil {
			return err
		}
		if err := retry.CheckStatus(resp, http.StatusAccepted); err != nil {
			return err
		}
		drain(resp)
		location, err = c.p.endpoint.resolveLocation(resp.Request.URL, resp.Header.Get("Location"))
		return err
	})
	if err != nil {
		return c.p.wrap("begin an upload to", "", err)
	}
	c.p.cancel(ctx, location)
	return nil
}

// post begins an upload.
func (c *client) post(ctx context.Context, query string) (*http.Response, error) {
	u := c.path("/blobs/uploads/")
	u.RawQuery = query
	return c.send(ctx, request{method: http.MethodPost, url: u})
}

// cancel ends an upload session without a blob. The specification lets a registry refuse; sessions expire anyway.
// It is tried even where the run has been told to stop.
func (c *client) cancel(ctx context.Context, location *url.URL) {
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second)
	defer stop()
	resp, err := c.send(ctx, request{method: http.MethodDelete, url: location})
	if err == nil {
		drain(resp)
	}
}
