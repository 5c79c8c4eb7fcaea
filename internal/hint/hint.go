// Package hint carries beside an error what a person can do about it. The hint is no part of the error's text: the
// command prints it on a line of its own.
package hint

import "errors"

// hinted is an error with a hint.
type hinted struct {
	err  error
	hint string
}

func (h *hinted) Error() string { return h.err.Error() }
func (h *hinted) Unwrap() error { return h.err }

// With returns err with a hint. It returns nil for a nil err, and err itself for an empty hint.
func With(err error, hint string) error {
	if err == nil || hint == "" {
		return err
	}
	return &hinted{err, hint}
}

// Of returns the outermost hint of err's chain, joined errors included; it is empty where there is none.
func Of(err error) string {
	var h *hinted
	if errors.As(err, &h) {
		return h.hint
	}
	return ""
}
