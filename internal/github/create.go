package github

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"github.com/taglast/taglast/internal/retry"
	"github.com/taglast/taglast/internal/weburl"
)

const maxCreated = 1 << 20 // bytes of the answer to a create call

// CreateAttestation posts the JSON of a bundle under scope ("repos/OWNER/NAME"), at GitHub's pace, and returns the id of
// the new attestation. It makes one attempt: use Retry. Where it fails, maybeStored reports whether the bundle may be
// stored all the same, because the answer was lost or reports a server error.
func (a *API) CreateAttestation(ctx context.Context, scope string, bundle []byte) (id string, maybeStored bool, err error) {
	if err := a.creation.Wait(ctx); err != nil {
		return "", false, err
	}
	body := make([]byte, 0, len(bundle)+len(`{"bundle":}`))
	body = append(body, `{"bundle":`...)
	body = append(body, bundle...)
	body = append(body, '}')
	target := a.base.JoinPath(scope, "attestations")
	got, err := a.call(ctx, http.MethodPost, target, body, maxCreated)
	if s := (*retry.StatusError)(nil); errors.As(err, &s) {
		return "", s.Status >= 500 || s.Status == http.StatusRequestTimeout, err
	}
	if err != nil {
		return "", true, err
	}
	var created struct {
		ID json.Number `json:"id"`
	}
	err = json.Unmarshal(got.body, &created)
	number, bad := strconv.ParseUint(created.ID.String(), 10, 64)
	if err != nil || bad != nil {
		return "", true, retry.Transient(fmt.Errorf("POST %s: the answer has no id", weburl.Show(target)), 0)
	}
	return strconv.FormatUint(number, 10), false, nil
}
