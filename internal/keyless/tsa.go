package keyless

import (
	"bytes"
	"context"
	"crypto"
	"crypto/sha256"
	"errors"
	"net/http"

	"github.com/digitorus/timestamp"

	"github.com/taglast/taglast/internal/escape"
	"github.com/taglast/taglast/internal/retry"
)

// tsa is an RFC 3161 timestamp authority. Without a URL it is not asked.
type tsa struct {
	serviceClient
	url string
}

// requestTimestamp gets a timestamp for the signature's hash. No nonce and no certificate is asked for, as other
// Sigstore clients do: verifiers take the authority's chain from the trusted root.
func (t tsa) requestTimestamp(ctx context.Context, signature []byte) ([]byte, error) {
	hash := sha256.Sum256(signature)
	query, err := (&timestamp.Request{HashAlgorithm: crypto.SHA256, HashedMessage: hash[:]}).Marshal()
	if err != nil {
		return nil, retry.Permanent(err)
	}
	answer, _, err := t.do(ctx, request{
		method: http.MethodPost, url: t.url,
		mediaType: "application/timestamp-query", accept: "application/timestamp-reply", body: query,
	}, http.StatusOK, http.StatusCreated)
	if err != nil {
		return nil, err
	}
	if err := checkTimestamp(answer, hash[:]); err != nil {
		return nil, err
	}
	return answer, nil
}

// checkTimestamp refuses a response that has no timestamp, or one for another signature. The policy checks who signed
// it.
func checkTimestamp(answer, hash []byte) (err error) {
	defer func() {
		if recover() != nil { // the library reads foreign bytes
			err = garbled(errors.New("malformed timestamp response"))
		}
	}()
	got, err := timestamp.ParseResponse(answer)
	if err != nil {
		return garbled(errors.New("timestamp response: " + escape.Text(err.Error())))
	}
	if got.HashAlgorithm != crypto.SHA256 || !bytes.Equal(got.HashedMessage, hash) {
		return retry.Permanent(errors.New("the timestamp is for another signature"))
	}
	return nil
}
