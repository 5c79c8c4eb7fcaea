package registry

import (
	"context"
	"io"
	"net/http"
	"sync"

	"golang.org/x/sync/semaphore"
)

const (
	defaultJobs = 32
	minJobs     = 3 // a layer that is read from one registry for another is two requests, and a login must pass beside it
	maxLayers   = 8
)

// slots bound what a run has in flight, over all its repositories.
//
// A slot of requests is held for one HTTP exchange, until its answer is read, and never while something else is waited
// for. A slot of layers is held for an upload, or a download that does not belong to one; whoever holds it may wait for a slot
// of requests, never the other way round. There are fewer of layers than of requests, so that the two cannot lock.
type slots struct {
	requests, layers *semaphore.Weighted
}

func newSlots(jobs int) *slots {
	if jobs <= 0 {
		jobs = defaultJobs
	}
	jobs = max(jobs, minJobs)
	return &slots{semaphore.NewWeighted(int64(jobs)), semaphore.NewWeighted(int64(min(maxLayers, jobs-1)))}
}

// nestedKey marks the context of a source that is read for an upload: the upload holds its slots for both.
type nestedKey struct{}

func nested(ctx context.Context) context.Context { return context.WithValue(ctx, nestedKey{}, true) }

func isNested(ctx context.Context) bool { return ctx.Value(nestedKey{}) != nil }

// acquire waits for n slots. The error is why ctx ended.
func acquire(ctx context.Context, s *semaphore.Weighted, n int64) (release func(), err error) {
	if isNested(ctx) {
		return func() {}, nil
	}
	if err := s.Acquire(ctx, n); err != nil {
		return nil, context.Cause(ctx)
	}
	return sync.OnceFunc(func() { s.Release(n) }), nil
}

// exchange sends one request in n slots, which are free again once the answer is read or closed.
func (s *slots) exchange(base http.RoundTripper, req *http.Request, n int64) (*http.Response, error) {
	release, err := acquire(req.Context(), s.requests, n)
	if err != nil {
		closeBody(req)
		return nil, err
	}
	resp, err := base.RoundTrip(req)
	if err != nil {
		release()
		return nil, err
	}
	if req.Method == http.MethodHead || resp.Body == nil || resp.Body == http.NoBody {
		release()
		return resp, nil
	}
	resp.Body = &releasing{resp.Body, release}
	return resp, nil
}

// releasing calls release when the body ends, fails or is closed.
type releasing struct {
	io.ReadCloser
	release func()
}

func (r *releasing) Read(p []byte) (int, error) {
	n, err := r.ReadCloser.Read(p)
	if err != nil {
		r.release()
	}
	return n, err
}

func (r *releasing) Close() error {
	defer r.release()
	return r.ReadCloser.Close()
}
