package retry

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"syscall"
	"time"
)

// verdict is an error that a client has marked as permanent or transient.
type verdict struct {
	err       error
	transient bool
	after     time.Duration
}

func (m *verdict) Error() string { return m.err.Error() }
func (m *verdict) Unwrap() error { return m.err }

// Permanent marks err as one that every further attempt would meet again. Permanent(nil) is nil.
func Permanent(err error) error {
	if err == nil {
		return nil
	}
	return &verdict{err: err}
}

// Transient marks err as one that the next attempt may not meet; after is how long the server asks to wait, zero if it
// does not say.
// Transient(nil, …) is nil.
func Transient(err error, after time.Duration) error {
	if err == nil {
		return nil
	}
	return &verdict{err: err, transient: true, after: after}
}

// Classify reports whether err is transient, and the wait that the server asked for, if it did (asked).
//
// The outermost mark of Permanent or Transient decides. Otherwise these are transient: timeouts, an attempt's own
// deadline included, broken and refused connections, unexpected ends of file, HTTP/2 stream resets, failures of name
// servers, and the statuses of a busy or broken server (see StatusError). These are permanent: certificates that are
// not trusted, other statuses, cancellation, an *Exhausted (its own Do has given up), everything unknown.
func Classify(err error) (transient bool, after time.Duration, asked bool) {
	if err == nil {
		return false, 0, false
	}
	var (
		marked    *verdict
		exhausted *Exhausted
		status    *StatusError
	)
	isMarked, gaveUp := errors.As(err, &marked), errors.As(err, &exhausted)
	switch {
	case isMarked && (!gaveUp || errors.As(marked.err, &exhausted)): // the mark is the outer of the two
		return marked.transient, marked.after, marked.transient && marked.after > 0
	case gaveUp, errors.Is(err, context.Canceled), isTLSFailure(err):
		return false, 0, false
	case errors.As(err, &status):
		return status.transient(), status.After, status.HasAfter
	}
	return isConnectionFailure(err), 0, false
}

// transient reports whether the status is that of a busy or broken server. 499 and 520 to 524 come from proxies (nginx,
// Cloudflare); 403 with Retry-After is GHCR's and GitHub's secondary rate limit.
func (e *StatusError) transient() bool {
	switch e.Status {
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests, 499,
		http.StatusInternalServerError, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout,
		520, 521, 522, 523, 524:
		return true
	case http.StatusForbidden:
		return e.HasAfter || e.Has("TOOMANYREQUESTS")
	}
	return e.Has("TOOMANYREQUESTS")
}

// isTLSFailure reports whether err is a failure of TLS that another attempt would meet again.
func isTLSFailure(err error) bool {
	var (
		verification *tls.CertificateVerificationError
		authority    x509.UnknownAuthorityError
		host         x509.HostnameError
		invalid      x509.CertificateInvalidError
		roots        x509.SystemRootsError
		header       tls.RecordHeaderError
		alert        tls.AlertError
	)
	return errors.As(err, &verification) || errors.As(err, &authority) || errors.As(err, &host) ||
		errors.As(err, &invalid) || errors.As(err, &roots) || errors.As(err, &header) || errors.As(err, &alert)
}

// isConnectionFailure reports whether err is a failure below HTTP.
func isConnectionFailure(err error) bool {
	var (
		timeout net.Error
		dns     *net.DNSError
	)
	if errors.As(err, &timeout) && timeout.Timeout() {
		return true
	}
	if errors.As(err, &dns) {
		return dns.IsTimeout || dns.IsTemporary || dns.IsNotFound
	}
	for _, known := range []error{
		io.EOF, io.ErrUnexpectedEOF, net.ErrClosed,
		syscall.ECONNRESET, syscall.ECONNREFUSED, syscall.ECONNABORTED, syscall.EPIPE,
		syscall.ETIMEDOUT, syscall.EHOSTUNREACH, syscall.ENETUNREACH,
	} {
		if errors.Is(err, known) {
			return true
		}
	}
	text := err.Error()
	return slices.ContainsFunc(messages, func(m string) bool { return strings.Contains(text, m) })
}

// messages are those of net/http and its bundled HTTP/2, whose errors have no exported type, and of Windows, whose error
// numbers package syscall does not map.
var messages = []string{
	"http2: server sent GOAWAY",
	"http2: client connection lost",
	"http2: client connection force closed",
	"http2: Transport received",
	"stream error: stream ID",
	"connection error: ",
	"TLS handshake timeout",
	"timeout awaiting response headers",
	"server closed idle connection",
	"transport connection broken",
	"connection reset by peer",
	"broken pipe",
	"forcibly closed by the remote host",
	"actively refused it",
}
