// Package bundle has a Sigstore bundle as a value. Parse reads bytes that came from outside, once; New takes what the
// signer assembled, which is never parsed; from there on the value travels. Nothing of a bundle is verified here:
// package policy does that.
package bundle

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	protobundle "github.com/sigstore/protobuf-specs/gen/pb-go/bundle/v1"
	sigstore "github.com/sigstore/sigstore-go/pkg/bundle"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/taglast/taglast/internal/escape"
)

const (
	// MaxSize is the largest bundle that is parsed: 24 MiB, so that a predicate of 16 MiB, the most that GitHub's attest
	// action takes, has room in it, which base64 makes a third longer.
	MaxSize = 24 << 20
	// MediaType is that of the bundles that taglast makes.
	MediaType = "application/vnd.dev.sigstore.bundle.v0.3+json"
	// PayloadType is the DSSE payload type of an in-toto statement (in-toto attestation framework, "Envelope layer").
	PayloadType = "application/vnd.in-toto+json"
)

// ErrInvalid is wrapped by every error about a bundle that is malformed or of a kind that is not accepted.
var ErrInvalid = errors.New("not an attestation bundle")

// Bundle is a Sigstore bundle. It does not change, and may be used by several goroutines.
type Bundle struct {
	raw           []byte
	message       *protobundle.Bundle
	statement     Statement
	statementErr  error // why there is no statement
	verifiable    *sigstore.Bundle
	verifiableErr error // why it is not verifiable
}

// Parse reads the JSON of a Sigstore bundle, at most MaxSize bytes. Any bundle is a result, whatever it holds: Statement
// and Verifiable tell what can be done with it. Errors wrap ErrInvalid.
func Parse(raw []byte) (*Bundle, error) {
	if len(raw) > MaxSize {
		return nil, fmt.Errorf("%w: larger than %d bytes", ErrInvalid, MaxSize)
	}
	message := new(protobundle.Bundle)
	if err := unmarshal(raw, message); err != nil {
		return nil, fmt.Errorf("%w: not the JSON of a Sigstore bundle: %s", ErrInvalid, escape.Bounded(err.Error(), 500))
	}
	return newBundle(raw, message), nil
}

func unmarshal(raw []byte, message *protobundle.Bundle) (err error) {
	defer noPanic(&err)
	return protojson.Unmarshal(raw, message)
}

// New returns a message that this process assembled as a bundle, whose bytes are its canonical form. The message must
// have a form that Parse and Verifiable accept; errors are theirs.
func New(message *protobundle.Bundle) (*Bundle, error) {
	raw, err := canonical(message)
	if err != nil {
		return nil, err
	}
	if len(raw) > MaxSize {
		return nil, fmt.Errorf("%w: larger than %d bytes", ErrInvalid, MaxSize)
	}
	b := newBundle(raw, message)
	if b.verifiableErr != nil {
		return nil, b.verifiableErr
	}
	return b, nil
}

func newBundle(raw []byte, message *protobundle.Bundle) *Bundle {
	b := &Bundle{raw: raw, message: message}
	b.statement, b.statementErr = envelopeStatement(message.GetDsseEnvelope())
	b.verifiable, b.verifiableErr = verifiable(message, b.statementErr)
	return b
}

// Raw returns the bundle's bytes as they came. They must not be changed.
func (b *Bundle) Raw() []byte { return b.raw }

// Statement is the in-toto statement in the bundle's DSSE envelope; an error that wraps ErrInvalid where there is none.
func (b *Bundle) Statement() (Statement, error) { return b.statement, b.statementErr }

// PredicateType is that of the statement, and empty where there is no statement.
func (b *Bundle) PredicateType() string { return b.statement.PredicateType }

// Digests returns the sha256 digests of the statement's subjects (sha256:hex in lower case), in the statement's order.
// Digests of other algorithms are left out.
func (b *Bundle) Digests() []string {
	var out []string
	for _, s := range b.statement.Subjects {
		if strings.HasPrefix(s.Digest, "sha256:") {
			out = append(out, strings.ToLower(s.Digest))
		}
	}
	return out
}

// HasSubject reports whether digest (sha256:hex) is that of one of the statement's subjects.
func (b *Bundle) HasSubject(digest string) bool { return slices.Contains(b.Digests(), digest) }

// Equal reports whether b and other are the same bundle: equal as Sigstore Bundle messages, however their JSON is
// written. A nil bundle equals nothing.
func (b *Bundle) Equal(other *Bundle) bool {
	if b == nil || other == nil {
		return false
	}
	return bytes.Equal(b.raw, other.raw) || proto.Equal(withoutEmptyTimes(b.message), withoutEmptyTimes(other.message))
}

// withoutEmptyTimes is message as it is compared: without an empty timestampVerificationData, which means the same as
// none. Clients differ in whether they write it.
func withoutEmptyTimes(message *protobundle.Bundle) *protobundle.Bundle {
	times := message.GetVerificationMaterial().GetTimestampVerificationData()
	if times == nil || len(times.GetRfc3161Timestamps()) > 0 {
		return message
	}
	message = proto.CloneOf(message)
	message.VerificationMaterial.TimestampVerificationData = nil
	return message
}

// noPanic is deferred where a library reads foreign bytes: it turns a panic into the error of a malformed bundle.
func noPanic(err *error) {
	if r := recover(); r != nil {
		*err = errors.New("malformed: the reader gave up on it")
	}
}
