package bounded

import (
	"errors"
	"io/fs"
)

// WithoutPath is the error of a file operation without operation and path, which the caller names, and in the same words
// on every system where nothing is there: then it is fs.ErrNotExist. Other errors, and nil, are returned as they are.
func WithoutPath(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fs.ErrNotExist
	}
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}
