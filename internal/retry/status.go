package retry

import (
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/taglast/taglast/internal/escape"
	"github.com/taglast/taglast/internal/weburl"
)

// The bounds of what is read and kept of an answer that refuses.
const (
	maxBody    = 64 << 10
	maxMessage = 1 << 10
	maxCodes   = 16
	maxCode    = 64
)

// StatusError is an answer of another status than the client asked for.
type StatusError struct {
	Method   string
	URL      string // scheme://host/path: queries and user info can hold secrets
	Status   int
	Codes    []string      // error codes of the OCI distribution specification, for example MANIFEST_UNKNOWN
	Message  string        // what the server says, escaped, at most 1 KiB
	After    time.Duration // how long the server asks to wait
	HasAfter bool          // whether it asks
}

// Error reads "PUT https://ghcr.io/v2/acme/app/manifests/1: 403 Forbidden: DENIED: the token may not push".
func (e *StatusError) Error() string {
	var b strings.Builder
	if e.Method != "" || e.URL != "" {
		fmt.Fprintf(&b, "%s: ", strings.TrimSpace(e.Method+" "+e.URL))
	}
	b.WriteString(strconv.Itoa(e.Status))
	if text := http.StatusText(e.Status); text != "" {
		b.WriteString(" " + text)
	}
	if len(e.Codes) > 0 {
		b.WriteString(": " + strings.Join(e.Codes, ", "))
	}
	if e.Message != "" {
		b.WriteString(": " + e.Message)
	}
	return b.String()
}

// Has reports whether the server gave the error code.
func (e *StatusError) Has(code string) bool { return slices.Contains(e.Codes, code) }

// CheckStatus returns nil if the answer's status is one of ok (any 2xx if ok is empty) and leaves the body alone. Else
// it reads at most 64 KiB of the body, closes it, and returns a *StatusError with what the server says: the errors of
// the OCI distribution specification, the message of GitHub's and Sigstore's APIs, or plain text.
func CheckStatus(resp *http.Response, ok ...int) error {
	if len(ok) == 0 && resp.StatusCode/100 == 2 || slices.Contains(ok, resp.StatusCode) {
		return nil
	}
	e := &StatusError{Status: resp.StatusCode}
	if req := resp.Request; req != nil {
		e.Method, e.URL = escape.Bounded(req.Method, maxCode), weburl.Show(req.URL)
	}
	if resp.Body != nil {
		body, _ := io.ReadAll(io.LimitReader(resp.Body, maxBody)) // a message that is cut is better than none
		_ = resp.Body.Close()
		e.readBody(body, resp.Header.Get("Content-Type"))
	}
	e.After, e.HasAfter = after(resp, e.Message, time.Now())
	return e
}

// readBody reads codes and message from the body.
func (e *StatusError) readBody(body []byte, contentType string) {
	var answer struct {
		Errors  json.RawMessage `json:"errors"`
		Message json.RawMessage `json:"message"`
		Details json.RawMessage `json:"details"` // Docker's token service
		Error   json.RawMessage `json:"error"`
	}
	if json.Unmarshal(body, &answer) != nil {
		if kind, _, _ := mime.ParseMediaType(contentType); kind != "text/html" && kind != "application/json" {
			e.Message = escape.Bounded(strings.TrimSpace(string(body)), maxMessage)
		}
		return
	}
	var messages []string
	add := func(raw json.RawMessage) {
		if s := text(raw); s != "" && !slices.Contains(messages, s) {
			messages = append(messages, s)
		}
	}
	add(answer.Message)
	var items []json.RawMessage
	_ = json.Unmarshal(answer.Errors, &items) // where it is no list, there are no items
	for _, item := range items[:min(len(items), maxCodes)] {
		var entry struct {
			Code    json.RawMessage `json:"code"`
			Message json.RawMessage `json:"message"`
		}
		if json.Unmarshal(item, &entry) != nil {
			add(item) // GitHub lists texts, too
			continue
		}
		if code := text(entry.Code); code != "" && !slices.Contains(e.Codes, code) {
			e.Codes = append(e.Codes, escape.Bounded(code, maxCode))
		}
		add(entry.Message)
	}
	if len(messages) == 0 {
		add(answer.Error)
		add(answer.Details)
	}
	e.Message = escape.Bounded(strings.Join(messages, "; "), maxMessage)
}

// text returns the JSON string in raw, empty where there is none.
func text(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) != nil {
		return ""
	}
	return strings.TrimSpace(s)
}

// after returns the wait that the answer asks for: by Retry-After, or by GitHub's rate limits, for which a 403 or 429
// has other headers (GitHub, "Rate limits for the REST API": wait until x-ratelimit-reset; a secondary limit without a
// header, at least one minute).
func after(resp *http.Response, message string, now time.Time) (time.Duration, bool) {
	if d, ok := parseRetryAfter(resp.Header.Get("Retry-After"), now); ok {
		return d, true
	}
	if resp.StatusCode != http.StatusForbidden && resp.StatusCode != http.StatusTooManyRequests {
		return 0, false
	}
	reset, err := strconv.ParseInt(resp.Header.Get("X-Ratelimit-Reset"), 10, 64)
	if err == nil && resp.Header.Get("X-Ratelimit-Remaining") == "0" {
		return clamp(time.Unix(reset, 0).Sub(now)), true
	}
	if strings.Contains(strings.ToLower(message), "secondary rate limit") {
		return time.Minute, true
	}
	return 0, false
}

// WithoutQuery returns the *url.Error of an http.Client as one whose URL has no query, user info and fragment, which can
// hold secrets: a registry's redirect to blob storage is signed in its query. Any other error is returned as it is.
func WithoutQuery(err error) error {
	failed, ok := err.(*url.Error) //nolint:errorlint // what http.Client returns, not what somebody wrapped
	if !ok {
		return err
	}
	clean := *failed
	clean.URL = weburl.ShowText(failed.URL)
	return &clean
}
