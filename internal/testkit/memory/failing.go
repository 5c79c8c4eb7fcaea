package memory

import (
	"errors"
	"io"
)

// failing remembers why a body could not be read.
type failing struct {
	io.ReadCloser
	err error
}

func (f *failing) Read(p []byte) (int, error) {
	n, err := f.ReadCloser.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		f.err = err
	}
	return n, err
}
