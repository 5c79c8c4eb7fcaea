package trust

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/theupdateframework/go-tuf/v2/metadata"

	"github.com/taglast/taglast/internal/bounded"
	"github.com/taglast/taglast/internal/escape"
	"github.com/taglast/taglast/internal/retry"
)

const (
	fetchTries   = 4
	fetchTimeout = 20 * time.Second // of one try, body included
	fetchMax     = 8 << 20          // of one file, whatever the metadata asks for
)

// fetcher downloads TUF files for go-tuf, whose own fetchers know no context and no deadline. It sends no credential.
type fetcher struct {
	ctx       context.Context // of the whole refresh: the interface has no parameter for it
	client    *http.Client
	userAgent string
}

// DownloadFile gets one file of at most maxLength bytes. A 404 is *metadata.ErrDownloadHTTP, by which go-tuf finds the
// end of the chain of roots (TUF specification 5.3.3).
func (f *fetcher) DownloadFile(url string, maxLength int64, _ time.Duration) ([]byte, error) {
	maxLength = min(maxLength, fetchMax)
	var body []byte
	tries := 0
	err := retry.Do(f.ctx, retry.Policy{AttemptTimeout: fetchTimeout}, func(ctx context.Context) error {
		tries++
		var err error
		body, err = f.get(ctx, url, maxLength)
		if err != nil && tries >= fetchTries {
			return retry.Permanent(err)
		}
		return err
	})
	var status *retry.StatusError
	if errors.As(err, &status) {
		return nil, &metadata.ErrDownloadHTTP{StatusCode: status.Status, URL: escape.Text(url)}
	}
	return body, err
}

func (f *fetcher) get(ctx context.Context, url string, maxLength int64) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, retry.Permanent(err)
	}
	if f.userAgent != "" {
		req.Header.Set("User-Agent", f.userAgent)
	}
	resp, err := f.client.Do(req)
	if err != nil {
		return nil, retry.WithoutQuery(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if err := retry.CheckStatus(resp, http.StatusOK); err != nil {
		return nil, err
	}
	body, err := bounded.Read(resp.Body, maxLength)
	if errors.Is(err, bounded.ErrTooLarge) {
		return nil, retry.Permanent(&metadata.ErrDownloadLengthMismatch{Msg: fmt.Sprintf("%s is larger than %d bytes", url, maxLength)})
	}
	return body, err
}
