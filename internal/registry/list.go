package registry

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/taglast/taglast/internal/escape"
	"github.com/taglast/taglast/internal/link"
	"github.com/taglast/taglast/internal/ociref"
	"github.com/taglast/taglast/internal/retry"
)

// Bounds of a list of tags; more is an error. A registry may give less than pageTags on a page: Quay gives 50.
const (
	pageTags    = 1000
	maxTags     = 200_000
	maxTagPages = 5000
	maxTagPage  = 8 << 20
)

// Tags are all tags of the repository, sorted, each once (OCI distribution specification 1.1, "Listing Tags"). Only a
// registry that has no tags there makes the list empty: whatever else is no whole list is an error. ErrNotFound where
// the registry does not know the repository; some know it only once it has a tag. Calls at one moment share one list, but
// none shares a list that was begun before the last tag was written.
func (c *Client) Tags(ctx context.Context) ([]string, error) {
	tags, err := c.p.lists.do(ctx, c.p.tagWrites.Load(), func() ([]string, error) { return c.p.tags(ctx) })
	tags = slices.Clone(tags)
	return tags, c.p.wrap("list the tags of", "", err)
}

// tags follows the pages. The order in which a registry lists them is not relied on: GHCR's is by time.
func (c *client) tags(ctx context.Context) ([]string, error) {
	all := map[string]struct{}{}
	page := c.path("/tags/list")
	page.RawQuery = fmt.Sprintf("n=%d", pageTags)
	for n := 1; page != nil; n++ {
		if n > maxTagPages {
			return nil, fmt.Errorf("more than %d pages of tags", maxTagPages)
		}
		var some []string
		var next *url.URL
		err := c.retry(ctx, func(ctx context.Context) (err error) {
			some, next, err = c.tagsPage(ctx, page)
			return err
		})
		switch {
		case err == nil:
		case n > 1 && hasStatus(err, http.StatusNotFound):
			// Not the repository is missing, but the rest of its list: never ErrNotFound.
			return nil, fmt.Errorf("page %d of tags: %s", n, err.Error())
		default:
			return nil, err
		}
		before := len(all)
		for _, tag := range some {
			all[tag] = struct{}{}
		}
		switch {
		case len(all) > maxTags:
			return nil, fmt.Errorf("more than %d tags", maxTags)
		case next != nil && len(all) == before:
			return nil, errors.New("a page of tags leads on and has no tag that the pages before it did not have")
		}
		page = next
	}
	list := make([]string, 0, len(all))
	for tag := range all {
		list = append(list, tag)
	}
	slices.Sort(list)
	return list, nil
}

func (c *client) tagsPage(ctx context.Context, page *url.URL) ([]string, *url.URL, error) {
	resp, err := c.send(ctx, request{method: http.MethodGet, url: page, header: http.Header{"Accept": {"application/json"}}})
	if err != nil {
		return nil, nil, err
	}
	if err := retry.CheckStatus(resp, http.StatusOK); err != nil {
		return nil, nil, err
	}
	raw, err := readBody(resp, maxTagPage)
	if err != nil {
		return nil, nil, err
	}
	some, err := parseTags(raw, c.repo.RepositoryStr())
	if err != nil {
		return nil, nil, err
	}
	next, err := c.nextTags(resp.Header, page)
	return some, next, err
}

// nextTags is the page after this one; nil where this one is the last.
func (c *client) nextTags(h http.Header, page *url.URL) (*url.URL, error) {
	next := link.Next(h, page)
	if next == nil {
		// What is left unread because its link cannot be read would be missing from the list.
		if strings.Contains(strings.ToLower(strings.Join(h.Values("Link"), ",")), "next") {
			return nil, errors.New("the link to the next page of tags cannot be read")
		}
		return nil, nil
	}
	next, err := c.endpoint.resolveLocation(page, next.String())
	switch {
	case err != nil:
		return nil, err
	case !c.endpoint.owns(next):
		return nil, errors.New("the next page of tags is on another host: refused")
	}
	return next, nil
}

// parseTags reads one page. A list of another repository, no list at all, and a text that is no tag are errors; null, as
// some registries write the empty list, is not an error.
func parseTags(raw []byte, repository string) ([]string, error) {
	var list struct {
		Name *string         `json:"name"`
		Tags json.RawMessage `json:"tags"`
	}
	if err := json.Unmarshal(raw, &list); err != nil || list.Tags == nil {
		return nil, errors.New("the answer is no list of tags")
	}
	// Some registries leave out what stands before the name in their own addresses (Artifactory).
	if list.Name != nil && !strings.HasSuffix("/"+repository, "/"+*list.Name) {
		return nil, fmt.Errorf("the answer lists the tags of %q", escape.Bounded(*list.Name, 256))
	}
	var tags []string
	if err := json.Unmarshal(list.Tags, &tags); err != nil {
		return nil, errors.New("the answer is no list of tags")
	}
	for _, tag := range tags {
		if !ociref.IsTag(tag) {
			return nil, fmt.Errorf("the answer lists %q, which is no tag", escape.Bounded(tag, 160))
		}
	}
	return tags, nil
}
