package bundle

import (
	"errors"
	"fmt"
	"slices"

	protobundle "github.com/sigstore/protobuf-specs/gen/pb-go/bundle/v1"
	sigstore "github.com/sigstore/sigstore-go/pkg/bundle"

	"github.com/taglast/taglast/internal/escape"
)

const maxTimestamps = 32 // sigstore-go's own limit, for log entries too

// Verifiable is the bundle for sigstore-go's verifier: of media type v0.2 or v0.3, with one DSSE envelope that has one
// signature over an in-toto statement, signed with a certificate. Nothing in it is verified yet. Errors wrap ErrInvalid;
// a nil bundle is one.
func (b *Bundle) Verifiable() (*sigstore.Bundle, error) {
	if b == nil {
		return nil, fmt.Errorf("%w: there is none", ErrInvalid)
	}
	if b.verifiableErr != nil {
		return nil, b.verifiableErr
	}
	own := *b.verifiable // the verifier writes into what it is given
	return &own, nil
}

// verifiable checks the form of message; unreadable is why it has no statement, if it has none.
func verifiable(message *protobundle.Bundle, unreadable error) (*sigstore.Bundle, error) {
	b, err := checkForm(message)
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w: %w", ErrInvalid, err)
	case unreadable != nil:
		return nil, unreadable
	}
	return b, nil
}

func checkForm(message *protobundle.Bundle) (b *sigstore.Bundle, err error) {
	defer noPanic(&err)
	b, err = sigstore.NewBundle(message)
	if err != nil {
		return nil, errors.New(escape.Text(err.Error()))
	}
	if !b.MinVersion("0.2") {
		return nil, fmt.Errorf(`media type "%s" is older than v0.2`, escape.Text(b.GetMediaType()))
	}
	material := b.GetVerificationMaterial()
	if material.GetPublicKey() != nil {
		return nil, errors.New("signed with a public key, not with a certificate")
	}
	// The library has counted the log entries, which are as many at most.
	if n := len(material.GetTimestampVerificationData().GetRfc3161Timestamps()); n > maxTimestamps {
		return nil, fmt.Errorf("%d timestamps, more than %d", n, maxTimestamps)
	}
	if slices.Contains(material.GetTimestampVerificationData().GetRfc3161Timestamps(), nil) {
		return nil, errors.New("an empty timestamp")
	}
	if n := len(b.GetDsseEnvelope().GetSignatures()); b.GetDsseEnvelope() != nil && n != 1 {
		return nil, fmt.Errorf("%d signatures, not one", n)
	}
	content, err := b.VerificationContent()
	if err != nil {
		return nil, errors.New(escape.Text(err.Error()))
	}
	if content.Certificate() == nil {
		return nil, errors.New("it holds no certificate")
	}
	return b, nil
}
