package sandbox

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
)

// InProcess is a transport that calls the handler in the caller's goroutine. The request's body is streamed through, the
// answer is held in memory. A body that cannot be read, or that has another length than announced, fails the request.
func InProcess(h http.Handler) http.RoundTripper {
	return transportFunc(func(r *http.Request) (*http.Response, error) { return answerInProcess(h, r) })
}

// answerInProcess calls a handler the way a server would and makes a client's response of what it writes. It runs in the
// caller's goroutine: the request's body is streamed through, the answer is held in memory.
func answerInProcess(h http.Handler, req *http.Request) (*http.Response, error) {
	ctx := req.Context()
	if err := ctx.Err(); err != nil {
		closeBody(req)
		return nil, err
	}
	defer closeBody(req)
	in := req.Clone(ctx)
	if in.Host == "" {
		in.Host = in.URL.Host
	}
	in.RequestURI = in.URL.RequestURI()
	in.RemoteAddr = "192.0.2.1:1234"
	body := &clientBody{ctx: ctx, body: req.Body, announced: req.ContentLength}
	in.Body = body
	rec := &responseRecorder{header: http.Header{}}
	h.ServeHTTP(rec, in)
	if body.failed != nil {
		return nil, body.failed
	}
	if err := ctx.Err(); err != nil {
		return nil, err // the server has acted, the client has gone
	}
	return rec.response(req), nil
}

func closeBody(req *http.Request) {
	if req.Body != nil {
		_ = req.Body.Close()
	}
}

// clientBody is a request's body on the wire: it ends with its context, and its length must be the one announced.
type clientBody struct {
	ctx       context.Context
	body      io.ReadCloser
	announced int64 // length; it is unknown where negative or, with a body, zero
	read      int64
	failed    error // the client's own failure: it gets this, not the server's answer
}

func (b *clientBody) Read(p []byte) (int, error) {
	if b.body == nil || b.body == http.NoBody {
		return 0, io.EOF
	}
	if err := b.ctx.Err(); err != nil {
		b.failed = err
		return 0, err
	}
	n, err := b.body.Read(p)
	b.read += int64(n)
	switch {
	case b.announced > 0 && (b.read > b.announced || errors.Is(err, io.EOF) && b.read < b.announced):
		b.failed = fmt.Errorf("http: ContentLength=%d with Body length %d", b.announced, b.read)
		return n, b.failed
	case err != nil && !errors.Is(err, io.EOF):
		b.failed = err
	}
	return n, err
}

func (b *clientBody) Close() error { return nil } // answerInProcess closes what the client gave

// responseRecorder is a ResponseWriter in memory.
type responseRecorder struct {
	header        http.Header
	writtenHeader http.Header // as it stood when the status was written
	status        int
	body          bytes.Buffer
}

func (rec *responseRecorder) Header() http.Header { return rec.header }

func (rec *responseRecorder) WriteHeader(status int) {
	if rec.status == 0 {
		rec.status, rec.writtenHeader = status, rec.header.Clone()
	}
}

func (rec *responseRecorder) Write(p []byte) (int, error) {
	rec.WriteHeader(http.StatusOK)
	return rec.body.Write(p)
}

// response is what a client sees of the answer. Its length is the announced one; without that it is unknown, as where a
// server streams.
func (rec *responseRecorder) response(req *http.Request) *http.Response {
	rec.WriteHeader(http.StatusOK)
	announced, err := strconv.ParseInt(rec.writtenHeader.Get("Content-Length"), 10, 64)
	if err != nil {
		announced = -1
	}
	resp := &http.Response{
		Status: fmt.Sprintf("%d %s", rec.status, http.StatusText(rec.status)), StatusCode: rec.status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: rec.writtenHeader, Request: req, Body: http.NoBody, ContentLength: announced,
	}
	if req.Method == http.MethodHead {
		return resp
	}
	body := bytes.NewReader(rec.body.Bytes())
	switch {
	case announced > body.Size(): // the server closes the connection
		resp.Body = io.NopCloser(io.MultiReader(body, brokenOff{}))
	case body.Size() > 0:
		resp.Body = io.NopCloser(body)
	default:
		resp.ContentLength = 0
	}
	return resp
}

// brokenOff is the end of an answer that is shorter than announced.
type brokenOff struct{}

func (brokenOff) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }
