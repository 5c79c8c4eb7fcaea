package attestation

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/taglast/taglast/internal/retry"
)

// maxDocument bounds one document of the API that is no list of attestations.
const maxDocument = 8 << 20

// ErrNoDocument says that the API knows no such thing, or does not show it to this token.
var ErrNoDocument = errors.New("GitHub does not know it")

// Get reads one JSON document of the REST API, at most 8 MiB, into out: repos/OWNER/NAME/commits/SHA and the like. A 404 is
// ErrNoDocument.
func (a *API) Get(ctx context.Context, into any, path ...string) error {
	target := a.base.JoinPath(path...)
	return a.try(ctx, a.policy, func(ctx context.Context) error {
		got, err := a.call(ctx, http.MethodGet, target, nil, maxDocument, http.StatusOK)
		if status := (*retry.StatusError)(nil); errors.As(err, &status) && (status.Status == http.StatusNotFound || status.Status == http.StatusUnprocessableEntity) {
			return retry.Permanent(fmt.Errorf("%w: %w", ErrNoDocument, err))
		}
		if err != nil {
			return err
		}
		if err := json.Unmarshal(got.body, into); err != nil {
			return retry.Transient(fmt.Errorf("GET %s: the answer is not the JSON that was asked for", bare(target)), 0)
		}
		return nil
	})
}
