package registry

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"sync"

	"github.com/taglast/taglast/internal/ociref"
	"github.com/taglast/taglast/internal/retry"
)

// uploadCheck is what the readers of one upload know of the content that they sent.
type uploadCheck struct {
	mu         sync.Mutex
	complete   bool  // the last reader gave all of it, and it is what it claims to be
	mismatch   error // it is something else
	unreadable error // it could not be read
	read       int64
}

func (v *uploadCheck) set(f func()) {
	v.mu.Lock()
	defer v.mu.Unlock()
	f()
}

func (v *uploadCheck) get() (whole bool, read int64, err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.mismatch != nil {
		return false, v.read, retry.Permanent(v.mismatch)
	}
	return v.complete, v.read, v.unreadable
}

// content is a blob on its way to a registry: opened at the first Read, hashed as it passes. The last bytes are handed
// on only when the whole is known to be right, so that no registry ever has all of a blob that is not what it claims.
type content struct {
	ctx   context.Context
	blob  Blob
	check *uploadCheck
	hash  hash.Hash
	read  int64
	err   error

	mu     sync.Mutex // HTTP/2 closes a body while it is read
	src    io.ReadCloser
	closed bool
}

func newContent(ctx context.Context, b Blob, v *uploadCheck) *content {
	v.set(func() { v.complete, v.unreadable = false, nil })
	return &content{ctx: ctx, blob: b, check: v, hash: sha256.New()}
}

func (r *content) Read(p []byte) (int, error) {
	if r.err != nil || len(p) == 0 {
		return 0, r.err
	}
	n, err := r.readVerified(p)
	r.err = err
	return n, err
}

func (r *content) readVerified(p []byte) (int, error) {
	if r.src == nil {
		if err := r.open(); err != nil {
			return 0, err
		}
	}
	remaining := r.blob.Size - r.read
	if remaining == 0 { // only an empty blob comes here before it was checked
		if err := r.finish(); err != nil {
			return 0, err
		}
		return 0, io.EOF
	}
	n, err := r.src.Read(p[:min(int64(len(p)), remaining)])
	r.hash.Write(p[:n])
	r.read += int64(n)
	r.check.set(func() { r.check.read += int64(n) })
	switch {
	case r.read == r.blob.Size:
		if err := r.finish(); err != nil {
			return 0, err
		}
		return n, io.EOF
	case err == io.EOF:
		return 0, r.mismatch(fmt.Errorf("it ends after %d of %d bytes", r.read, r.blob.Size))
	case err != nil:
		return 0, r.unreadable(err)
	}
	return n, nil
}

// finish checks that nothing follows and that the hash is right.
func (r *content) finish() error {
	var one [1]byte
	n, err := io.ReadFull(r.src, one[:])
	switch {
	case n > 0:
		return r.mismatch(fmt.Errorf("it has more than %d bytes", r.blob.Size))
	case !errors.Is(err, io.EOF):
		return r.unreadable(err)
	}
	if got := ociref.FromSum([sha256.Size]byte(r.hash.Sum(nil))); got != r.blob.Digest {
		return r.mismatch(fmt.Errorf("it is %s", got))
	}
	r.check.set(func() { r.check.complete = true })
	return nil
}

func (r *content) mismatch(why error) error {
	err := fmt.Errorf("content of layer %s is not what it claims: %w", r.blob.Digest, why)
	r.check.set(func() { r.check.mismatch = err })
	return err
}

// unreadable keeps a failure of the source. A file that cannot be read stays so; a network may recover.
func (r *content) unreadable(err error) error {
	err = fmt.Errorf("read layer %s: %w", r.blob.Digest, err)
	if errors.As(err, new(*fs.PathError)) {
		err = retry.Permanent(err)
	}
	r.check.set(func() { r.check.unreadable = err })
	return err
}

var errClosed = errors.New("closed")

// open opens the source. What is closed meanwhile leaves nothing open.
func (r *content) open() error {
	if r.isClosed() {
		return errClosed
	}
	src, err := r.blob.Open(r.ctx)
	if err != nil {
		return r.unreadable(err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return errors.Join(errClosed, src.Close())
	}
	r.src = src
	return nil
}

func (r *content) isClosed() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.closed
}

// Close may be called while Read is under way, and more than once.
func (r *content) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed || r.src == nil {
		r.closed = true
		return nil
	}
	r.closed = true
	return r.src.Close()
}
