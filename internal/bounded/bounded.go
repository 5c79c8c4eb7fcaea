// Package bounded reads foreign bytes whole or not at all: what is longer than its limit is an error, never a shorter
// result.
package bounded

import (
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
)

// ErrTooLarge is what every *TooLargeError is, for errors.Is.
var ErrTooLarge = errors.New("too large")

// TooLargeError is returned where there is more to read than the limit allows.
type TooLargeError struct {
	Limit int64 // bytes
}

// Error reads "more than 4096 bytes", so that a caller can say what has them: "the answer has more than 4096 bytes".
func (e *TooLargeError) Error() string { return fmt.Sprintf("more than %d bytes", e.Limit) }

// Is reports whether target is ErrTooLarge.
func (e *TooLargeError) Is(target error) bool { return target == ErrTooLarge }

// Read reads r to its end. More than limit bytes are a *TooLargeError; limit may be 0, and a negative one is always
// exceeded. Where r fails, its error is returned as it is and the bytes before it are not.
func Read(r io.Reader, limit int64) ([]byte, error) {
	if limit < 0 {
		return nil, &TooLargeError{limit}
	}
	if limit < math.MaxInt64 { // one byte more tells too long from just right
		r = io.LimitReader(r, limit+1)
	}
	b, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	if int64(len(b)) > limit {
		return nil, &TooLargeError{limit}
	}
	return b, nil
}

// ReadBody reads the body of an answer to a request other than HEAD, and does not close it. More than limit bytes, read
// or announced, are a *TooLargeError; fewer bytes than announced are io.ErrUnexpectedEOF, whatever the transport thinks.
func ReadBody(resp *http.Response, limit int64) ([]byte, error) {
	if resp.ContentLength > limit {
		return nil, &TooLargeError{limit}
	}
	b, err := Read(resp.Body, limit)
	if err != nil {
		return nil, err
	}
	if int64(len(b)) < resp.ContentLength {
		return nil, io.ErrUnexpectedEOF
	}
	return b, nil
}
