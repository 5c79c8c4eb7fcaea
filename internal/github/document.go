package github

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/taglast/taglast/internal/escape"
	"github.com/taglast/taglast/internal/retry"
	"github.com/taglast/taglast/internal/weburl"
)

// maxDocument bounds one document of the API that is no list of attestations.
const maxDocument = 8 << 20

// ErrNoDocument says that the API knows no such thing, or does not show it to this token.
var ErrNoDocument = errors.New("GitHub does not know it")

// Get reads one JSON document of the REST API, at most 8 MiB, into the value that into points to. path is its path in
// parts (repos, OWNER/NAME, commits, SHA). The error is ErrNoDocument where there is none, or the token may not see it.
func (a *API) Get(ctx context.Context, into any, query url.Values, path ...string) error {
	for _, segment := range strings.Split(strings.Join(path, "/"), "/") {
		if segment == "" || segment == "." || segment == ".." {
			return fmt.Errorf("GitHub's API has no path %q", escape.Bounded(strings.Join(path, "/"), 200))
		}
	}
	target := a.base.JoinPath(path...)
	target.RawQuery = query.Encode()
	return a.Retry(ctx, func(ctx context.Context) error {
		got, err := a.call(ctx, http.MethodGet, target, nil, maxDocument, http.StatusOK)
		if transient, _, _ := retry.Classify(err); !transient && isAbsent(err) {
			return retry.Permanent(fmt.Errorf("%w: %w", ErrNoDocument, err))
		}
		if err != nil {
			return err
		}
		if err := json.Unmarshal(got.body, into); err != nil {
			return retry.Transient(fmt.Errorf("GET %s: the answer is not the JSON that was asked for", weburl.Show(target)), 0)
		}
		return nil
	})
}

// isAbsent reports whether err is a status by which GitHub says that there is no such thing (422 for a malformed
// commit), or that this token may not see it.
func isAbsent(err error) bool {
	var status *retry.StatusError
	if !errors.As(err, &status) {
		return false
	}
	switch status.Status {
	case http.StatusForbidden:
		return !strings.Contains(strings.ToLower(status.Message), "rate limit")
	case http.StatusNotFound, http.StatusUnprocessableEntity:
		return true
	}
	return false
}
