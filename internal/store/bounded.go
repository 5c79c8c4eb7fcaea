package store

import (
	"errors"
	"fmt"
	"io"
)

// errTooLarge says that an answer or a file is over its bound.
var errTooLarge = errors.New("too large")

// readBounded reads r whole. More than limit bytes is an error, never a shorter result.
func readBounded(r io.Reader, limit int64) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(b)) > limit {
		return nil, fmt.Errorf("%w: more than %d bytes", errTooLarge, limit)
	}
	return b, nil
}

// unreadableError says that one of several bundles could not be read.
type unreadableError struct {
	where string
	err   error
}

func (e *unreadableError) Error() string { return "bundle " + e.where + ": " + e.err.Error() }
func (e *unreadableError) Unwrap() error { return e.err }

// unreadable says whether err is of single bundles, the listing itself having worked.
func unreadable(err error) bool {
	var u *unreadableError
	return errors.As(err, &u)
}
