package retry_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/taglast/taglast/internal/retry"
)

func TestClassifyStatuses(t *testing.T) {
	passes := map[int]bool{}
	for _, code := range []int{408, 425, 429, 499, 500, 502, 503, 504, 520, 521, 522, 523, 524} {
		passes[code] = true
	}
	for code := 300; code < 600; code++ {
		if transient, _, asked := retry.Classify(fmt.Errorf("push: %w", status(code))); transient != passes[code] || asked {
			t.Errorf("status %d: transient %v, asked %v", code, transient, asked)
		}
	}
}

func TestClassify(t *testing.T) {
	reset := &net.OpError{Op: "read", Net: "tcp", Err: os.NewSyscallError("read", syscall.ECONNRESET)}
	for name, c := range map[string]struct {
		err   error
		want  bool
		after time.Duration
		asked bool
	}{
		"nil":                                  {err: nil},
		"403 with Retry-After":                 {err: asks(403, time.Second), want: true, after: time.Second, asked: true},
		"403 without":                          {err: status(403)},
		"TOOMANYREQUESTS under any status":     {err: &retry.StatusError{Status: 400, Codes: []string{"TOOMANYREQUESTS"}}, want: true},
		"MANIFEST_UNKNOWN":                     {err: &retry.StatusError{Status: 404, Codes: []string{"MANIFEST_UNKNOWN"}}},
		"404 with Retry-After":                 {err: asks(404, time.Second), after: time.Second, asked: true},
		"connection reset":                     {err: &url.Error{Op: "Put", URL: "https://r.example", Err: reset}, want: true},
		"connection refused":                   {err: os.NewSyscallError("connect", syscall.ECONNREFUSED), want: true},
		"broken pipe":                          {err: fmt.Errorf("write: %w", syscall.EPIPE), want: true},
		"closed connection":                    {err: net.ErrClosed, want: true},
		"end of file":                          {err: &url.Error{Op: "Get", URL: "u", Err: io.EOF}, want: true},
		"truncated body":                       {err: io.ErrUnexpectedEOF, want: true},
		"timeout of a connection":              {err: &net.OpError{Op: "read", Err: os.ErrDeadlineExceeded}, want: true},
		"an attempt's deadline":                {err: context.DeadlineExceeded, want: true},
		"cancellation":                         {err: context.Canceled},
		"a cancelled request":                  {err: &url.Error{Op: "Get", URL: "u", Err: context.Canceled}},
		"GOAWAY":                               {err: errors.New("http2: server sent GOAWAY and closed the connection; LastStreamID=1"), want: true},
		"stream error":                         {err: errors.New("stream error: stream ID 3; INTERNAL_ERROR; received from peer"), want: true},
		"TLS handshake timeout":                {err: errors.New("net/http: TLS handshake timeout"), want: true},
		"a reset on Windows":                   {err: errors.New("wsarecv: An existing connection was forcibly closed by the remote host"), want: true},
		"name server is slow":                  {err: &net.DNSError{IsTimeout: true}, want: true},
		"name server is broken":                {err: &net.DNSError{IsTemporary: true}, want: true},
		"no such host":                         {err: &net.DNSError{IsNotFound: true}, want: true},
		"another failure of names":             {err: &net.DNSError{Err: "unrecognized address"}},
		"an unknown authority":                 {err: &url.Error{Op: "Get", URL: "u", Err: &tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}}},
		"a certificate for another host":       {err: x509.HostnameError{Certificate: &x509.Certificate{}, Host: "h"}},
		"a certificate that cannot be checked": {err: &tls.CertificateVerificationError{Err: x509.SystemRootsError{Err: io.ErrUnexpectedEOF}}},
		"an expired certificate":               {err: x509.CertificateInvalidError{Reason: x509.Expired}},
		"plain HTTP behind https":              {err: tls.RecordHeaderError{Msg: "first record does not look like a TLS handshake"}},
		"something else":                       {err: errors.New("digest mismatch")},
		"a transient mark":                     {err: fmt.Errorf("w: %w", retry.Transient(errors.New("not yet there"), 3*time.Second)), want: true, after: 3 * time.Second, asked: true},
		"a transient mark without a wait":      {err: retry.Transient(errors.New("not yet there"), 0), want: true},
		"a permanent mark":                     {err: retry.Permanent(reset)},
		"the outer mark wins":                  {err: retry.Transient(retry.Permanent(io.EOF), 0), want: true},
		"the outer mark wins, the other way":   {err: retry.Permanent(retry.Transient(io.EOF, time.Second))},
		"a given-up operation":                 {err: &retry.Exhausted{Err: retry.Transient(io.EOF, 0)}},
		"a given-up operation that is marked":  {err: retry.Transient(&retry.Exhausted{Err: retry.Permanent(io.EOF)}, 0), want: true},
		"a mark is looked for inside a join":   {err: errors.Join(errors.New("x"), retry.Transient(errors.New("y"), 0)), want: true},
		"a deadline inside an attempt's error": {err: fmt.Errorf("get: %w", context.DeadlineExceeded), want: true},
	} {
		t.Run(name, func(t *testing.T) {
			got, after, asked := retry.Classify(c.err)
			if got != c.want || after != c.after || asked != c.asked {
				t.Errorf("Classify(%v) = %v, %s, %v; want %v, %s, %v", c.err, got, after, asked, c.want, c.after, c.asked)
			}
		})
	}
}

func TestMarksKeepTheCause(t *testing.T) {
	cause := status(404)
	for _, err := range []error{retry.Permanent(cause), retry.Transient(cause, time.Second)} {
		var e *retry.StatusError
		if !errors.Is(err, cause) || !errors.As(err, &e) || err.Error() != cause.Error() {
			t.Errorf("%v hides %v", err, cause)
		}
	}
	if retry.Permanent(nil) != nil || retry.Transient(nil, time.Second) != nil {
		t.Error("a mark makes an error of nil")
	}
}
