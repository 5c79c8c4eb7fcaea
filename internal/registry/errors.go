package registry

import (
	"errors"
	"net/http"

	"github.com/taglast/taglast/internal/escape"
	"github.com/taglast/taglast/internal/ociref"
	"github.com/taglast/taglast/internal/retry"
)

// What went wrong, for errors.Is.
var (
	ErrNotFound = errors.New("not found")          // 404: no such manifest, blob or repository
	ErrDenied   = errors.New("denied")             // 401 or 403 that a new login did not heal
	ErrMissing  = errors.New("content is missing") // a manifest was refused because the registry does not know what it names
	ErrBytes    = errors.New("registry answered other bytes")
	ErrMoved    = errors.New("the tag was moved by somebody else")
	// ErrUnanswered is beside the last refusal of a tag's write where an earlier attempt may have reached the registry.
	ErrUnanswered = errors.New("an earlier attempt was not answered and may have reached the registry")
	ErrGuard      = errors.New("refused by the guard: without a permit a manifest is written only under its own digest")
)

// Error is a failed operation on one repository or reference. It unwraps to its cause and to the sentinel that applies.
type Error struct {
	Op   string // "push", "read", "log in to", …
	Ref  string // ghcr.io/acme/app@sha256:…
	Kind error  // one of the sentinels, or nil
	Err  error
}

// Error reads "push ghcr.io/acme/app@sha256:…: denied: PUT https://…: 403 Forbidden". Foreign text in it is inert.
func (e *Error) Error() string {
	s := e.Op + " " + e.Ref + ": "
	cause := escape.Text(e.Err.Error())
	if e.Kind != nil && !errors.Is(e.Err, e.Kind) {
		s += e.Kind.Error() + ": "
	}
	return s + cause
}

// Unwrap gives the cause and the sentinel.
func (e *Error) Unwrap() []error {
	if e.Kind == nil {
		return []error{e.Err}
	}
	return []error{e.Kind, e.Err}
}

// wrap names operation and reference, and finds the sentinel. Ref is what follows the repository's name: "", "@sha256:…"
// or ":1.2.3".
func (c *client) wrap(op, ref string, err error) error {
	if err == nil {
		return nil
	}
	return &Error{Op: op, Ref: ociref.DisplayName(c.repo) + ref, Kind: sentinel(err), Err: err}
}

func sentinel(err error) error {
	var (
		status    *retry.StatusError
		exhausted *retry.Exhausted
		login     *loginError
	)
	if !errors.As(err, &status) || errors.As(err, &exhausted) {
		return nil
	}
	switch status.Status {
	case http.StatusUnauthorized, http.StatusForbidden:
		return ErrDenied
	case http.StatusNotFound:
		if errors.As(err, &login) { // not the manifest is missing, but the registry
			return nil
		}
		return ErrNotFound
	}
	return nil
}

// ambiguous reports whether a write that failed with err may have happened all the same: no answer came, or one that speaks of
// a broken server rather than of the request.
func ambiguous(err error) bool {
	var status *retry.StatusError
	if errors.As(err, &status) {
		return status.Status >= 500 || status.Status == http.StatusRequestTimeout || status.Status == 499
	}
	return true
}

func hasStatus(err error, statuses ...int) bool {
	var status *retry.StatusError
	if !errors.As(err, &status) {
		return false
	}
	for _, s := range statuses {
		if status.Status == s {
			return true
		}
	}
	return false
}

func hasCode(err error, codes ...string) bool {
	var status *retry.StatusError
	if !errors.As(err, &status) {
		return false
	}
	for _, code := range codes {
		if status.Has(code) {
			return true
		}
	}
	return false
}
