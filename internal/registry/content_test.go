package registry

import (
	"bytes"
	"context"
	"io"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// watched knows how often it was closed.
type watched struct {
	io.Reader
	closed int
}

func (w *watched) Close() error { w.closed++; return nil }

// TestABlobThatIsClosedWhileItIsOpenedStaysClosed is what a cancelled HTTP/2 request does with its body.
func TestABlobThatIsClosedWhileItIsOpenedStaysClosed(t *testing.T) {
	src := &watched{Reader: bytes.NewReader([]byte("layer"))}
	digest, size, err := v1.SHA256(bytes.NewReader([]byte("layer")))
	if err != nil {
		t.Fatal(err)
	}
	opening, closed, read := make(chan struct{}), make(chan struct{}), make(chan error)
	r := newContent(t.Context(), Blob{
		Descriptor: v1.Descriptor{Digest: digest, Size: size},
		Open: func(context.Context) (io.ReadCloser, error) {
			close(opening)
			<-closed
			return src, nil
		},
	}, &uploadCheck{})
	go func() {
		_, err := io.ReadAll(r)
		read <- err
	}()
	<-opening
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	close(closed)
	if err := <-read; err == nil {
		t.Error("a closed body was read")
	}
	if err := r.Close(); err != nil || src.closed != 1 {
		t.Errorf("closed %d times: %v", src.closed, err)
	}
}
