package policy

import (
	"errors"
	"fmt"
	"slices"

	"github.com/sigstore/sigstore-go/pkg/bundle"

	"github.com/taglast/taglast/internal/escape"
)

const (
	// payloadType is the DSSE payload type of an in-toto statement.
	payloadType = "application/vnd.in-toto+json"
	// mediaTypeV03 is the media type of the bundles that taglast makes.
	mediaTypeV03 = "application/vnd.dev.sigstore.bundle.v0.3+json"

	maxTimestamps = 32 // sigstore-go's own limit, for log entries too

	maxSubjects = 1024 // as sigstore-go and GitHub's action
	maxDigests  = 32   // of one subject
)

// ErrBundle is wrapped by every error about a bundle that is malformed or of a kind that is not accepted.
var ErrBundle = errors.New("not an attestation bundle")

// Parse reads a Sigstore bundle of media type v0.2 or v0.3, at most MaxBundle bytes, that holds one DSSE envelope with
// one signature over an in-toto statement, signed with a certificate. Nothing in it is verified yet.
func Parse(raw []byte) (*bundle.Bundle, error) {
	b, err := parse(raw)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBundle, err)
	}
	return b, nil
}

func parse(raw []byte) (b *bundle.Bundle, err error) {
	if len(raw) > MaxBundle {
		return nil, fmt.Errorf("larger than %d bytes", MaxBundle)
	}
	defer noPanic(&err)
	b = new(bundle.Bundle)
	if err := b.UnmarshalJSON(raw); err != nil {
		return nil, errors.New(escape.Text(err.Error()))
	}
	if !b.MinVersion("0.2") {
		return nil, fmt.Errorf("media type %s is older than v0.2", quoted(b.GetMediaType()))
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
	envelope := b.GetDsseEnvelope()
	if envelope == nil {
		return nil, errors.New("it holds no DSSE envelope")
	}
	if envelope.GetPayloadType() != payloadType {
		return nil, &MismatchError{Field: "payload type", Want: payloadType, Got: envelope.GetPayloadType()}
	}
	if n := len(envelope.GetSignatures()); n != 1 {
		return nil, fmt.Errorf("%d signatures, not one", n)
	}
	content, err := b.VerificationContent()
	if err != nil {
		return nil, errors.New(escape.Text(err.Error()))
	}
	if content.Certificate() == nil {
		return nil, errors.New("it holds no certificate")
	}
	if _, err := parseStatement(envelope.GetPayload()); err != nil {
		return nil, err
	}
	return b, nil
}

// noPanic is deferred where a library reads foreign bytes: a panic there is a malformed bundle, not the program's end.
func noPanic(err *error) {
	if r := recover(); r != nil {
		*err = errors.New("malformed: the reader gave up on it")
	}
}
