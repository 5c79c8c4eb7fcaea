package store

import "errors"

// unreadableError says that one of several bundles could not be read.
type unreadableError struct {
	where string // "3 of 5"
	err   error
}

func (e *unreadableError) Error() string { return "bundle " + e.where + ": " + e.err.Error() }
func (e *unreadableError) Unwrap() error { return e.err }

// isUnreadable reports whether err is about single bundles, while the list itself was read.
func isUnreadable(err error) bool {
	var u *unreadableError
	return errors.As(err, &u)
}
