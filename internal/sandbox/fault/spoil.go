package fault

import (
	"fmt"
	"io"
	"net/http"
	"strings"
)

// garbage is what a proxy in between might say.
const garbage = "<html><body>{\"bad gateway\"</body></html>"

// spoilBody breaks the body of an answer that came.
func spoilBody(resp *http.Response, kind Kind) {
	switch kind {
	case Truncated:
		half := resp.ContentLength / 2
		if resp.ContentLength < 0 {
			half = 16
		}
		if resp.ContentLength == 0 { // a body was announced and never came
			resp.ContentLength = 1
			resp.Header.Set("Content-Length", "1")
		}
		resp.Body = &brokenBody{Reader: io.LimitReader(resp.Body, half), Closer: resp.Body}
	case Garbage:
		_ = resp.Body.Close()
		resp.Body = io.NopCloser(strings.NewReader(garbage))
		resp.ContentLength = int64(len(garbage))
		resp.Header.Set("Content-Length", fmt.Sprint(len(garbage)))
	}
}

// brokenBody ends too early, and says so as net/http does.
type brokenBody struct {
	io.Reader
	io.Closer
}

func (b *brokenBody) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if err == io.EOF { //nolint:errorlint // the reader's own end, never wrapped
		err = io.ErrUnexpectedEOF
	}
	return n, err
}
