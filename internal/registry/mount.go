package registry

import (
	"context"
	"net/http"
	"net/url"

	"github.com/taglast/taglast/internal/retry"
)

// withoutContent looks for the blob and asks for a mount where that is possible. A registry that does not mount opens an
// upload session instead, which is kept.
func (u *upload) withoutContent(ctx context.Context) (there bool, err error) {
	err = u.c.retry(ctx, func(ctx context.Context) error {
		if there, err = u.c.hasBlob(ctx, u.blob.Digest); there || err != nil {
			return err
		}
		query, err := u.mount(ctx)
		if err != nil || query == "" {
			return err
		}
		u.session, err = u.begin(ctx, query)
		there = err == nil && u.session == nil
		return err
	})
	return there && err == nil, err
}

// begin asks for a mount where there is a query for one, else for an upload session. A nil location says that the blob
// was mounted. A registry that cannot mount answers with a session (distribution specification, "Mounting a blob").
func (u *upload) begin(ctx context.Context, query string) (*url.URL, error) {
	resp, err := u.c.post(ctx, query)
	if err != nil {
		return nil, err
	}
	err = retry.CheckStatus(resp, http.StatusAccepted, http.StatusCreated)
	if err != nil && query != "" {
		if transient, _, _ := retry.Classify(err); !transient {
			u.mountRefused = true
			return u.begin(ctx, "")
		}
	}
	if err != nil {
		return nil, err
	}
	drain(resp)
	if resp.StatusCode == http.StatusCreated && query != "" {
		return nil, checkStoredDigest(resp, u.blob.Digest)
	}
	return u.c.endpoint.resolveLocation(resp.Request.URL, resp.Header.Get("Location"))
}

// mount is the query that asks for a mount from a repository of the same registry; empty where there is none.
func (u *upload) mount(ctx context.Context) (string, error) {
	s, err := u.c.openSession(ctx)
	if err != nil || u.mountRefused || !s.mounts {
		return "", err
	}
	for _, r := range u.blob.From {
		if r.RegistryStr() == u.c.repo.RegistryStr() && r.Name() != u.c.repo.Name() {
			return "mount=" + url.QueryEscape(u.blob.Digest.String()) + "&from=" + url.QueryEscape(r.RepositoryStr()), nil
		}
	}
	return "", nil
}
