package keyless

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/taglast/taglast/internal/bounded"
	"github.com/taglast/taglast/internal/escape"
	"github.com/taglast/taglast/internal/retry"
)

// maxAnswer bounds every answer of a signing service.
const maxAnswer = 1 << 20

// serviceClient sends requests to signing services.
type serviceClient struct {
	client *http.Client
	agent  string
}

// request is one HTTP request.
type request struct {
	method, url string
	mediaType   string // of the body
	accept      string
	body        []byte
}

// do sends r and returns the answer's body and headers where its status is one of ok. Other statuses are a
// *retry.StatusError.
func (c serviceClient) do(ctx context.Context, r request, ok ...int) ([]byte, http.Header, error) {
	req, err := http.NewRequestWithContext(ctx, r.method, r.url, bytes.NewReader(r.body))
	if err != nil {
		return nil, nil, retry.Permanent(errors.New("malformed service URL " + escape.Text(r.url)))
	}
	if r.mediaType != "" {
		req.Header.Set("Content-Type", r.mediaType)
	}
	if r.accept != "" {
		req.Header.Set("Accept", r.accept)
	}
	if c.agent != "" {
		req.Header.Set("User-Agent", c.agent)
	}
	resp, err := c.client.Do(req)
	if err != nil {
		return nil, nil, retry.WithoutQuery(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if err := retry.CheckStatus(resp, ok...); err != nil {
		return nil, resp.Header, err
	}
	body, err := bounded.ReadBody(resp, maxAnswer)
	if errors.Is(err, bounded.ErrTooLarge) {
		return nil, nil, retry.Permanent(fmt.Errorf("%s %s: the answer is larger than %d bytes", r.method, r.url, maxAnswer))
	}
	if err != nil {
		return nil, nil, garbled(fmt.Errorf("%s %s: read the answer: %w", r.method, r.url, err))
	}
	return body, resp.Header, nil
}

// decode reads a JSON answer. An answer that is no JSON comes from a proxy or a broken connection, so it is transient.
func decode(body []byte, into any) error {
	if err := json.Unmarshal(body, into); err != nil {
		return garbled(fmt.Errorf("the answer is not the JSON that was expected: %s", escape.Text(err.Error())))
	}
	return nil
}

// garbled marks an answer that was cut or replaced on its way as transient: the next one may be whole.
func garbled(err error) error { return retry.Transient(err, 0) }

// serviceError names the service that failed.
type serviceError struct {
	service string
	err     error
}

func (e *serviceError) Error() string { return e.service + ": " + e.err.Error() }
func (e *serviceError) Unwrap() error { return e.err }

// withService adds the name of the service to err; nil stays nil.
func withService(service string, err error) error {
	if err == nil {
		return nil
	}
	return &serviceError{service: service, err: err}
}

// serviceOf returns the name of the service that err came from.
func serviceOf(err error) string {
	var e *serviceError
	if errors.As(err, &e) {
		return e.service
	}
	return "signing"
}
