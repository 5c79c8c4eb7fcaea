package ociref

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/taglast/taglast/internal/escape"
)

const algorithm = "sha256"

// ErrDigest is in every error about a text that is not a sha256 digest.
var ErrDigest = errors.New("is not a sha256 digest")

// ParseDigest reads sha256: and 64 lower-case hex digits. Anything else is an error that quotes the text and is
// ErrDigest; a sha512 digest is refused by that name. Nothing around the digest is cut, and no letter case is changed.
func ParseDigest(text string) (v1.Hash, error) {
	digits, ok := strings.CutPrefix(text, algorithm+":")
	if !ok || !isHex(digits) {
		return v1.Hash{}, refuse(text)
	}
	return v1.Hash{Algorithm: algorithm, Hex: digits}, nil
}

// ParseDigestName reads a digest as build jobs name files after it: 64 lower-case hex digits, alone or after sha256- or
// sha256:. Errors are as ParseDigest's.
func ParseDigestName(text string) (v1.Hash, error) {
	digits := text
	for _, separator := range []string{":", "-"} {
		if rest, ok := strings.CutPrefix(text, algorithm+separator); ok {
			digits = rest
		}
	}
	if !isHex(digits) {
		return v1.Hash{}, refuse(text)
	}
	return v1.Hash{Algorithm: algorithm, Hex: digits}, nil
}

// CheckDigest is nil for a text that ParseDigest reads, and its error otherwise.
func CheckDigest(text string) error {
	_, err := ParseDigest(text)
	return err
}

// CheckHash is CheckDigest for a value, whose fields anybody can set; the zero value is no digest.
func CheckHash(h v1.Hash) error {
	if h.Algorithm != algorithm || !isHex(h.Hex) {
		return refuse(h.String())
	}
	return nil
}

// DigestBytes is the 32 bytes of a digest that ParseDigest reads, and its error otherwise.
func DigestBytes(text string) ([]byte, error) {
	h, err := ParseDigest(text)
	if err != nil {
		return nil, err
	}
	return hex.DecodeString(h.Hex)
}

// Sum is the digest of content.
func Sum(content []byte) v1.Hash { return FromSum(sha256.Sum256(content)) }

// FromSum is the digest whose bytes are sum, from a hash that was computed elsewhere.
func FromSum(sum [sha256.Size]byte) v1.Hash {
	return v1.Hash{Algorithm: algorithm, Hex: hex.EncodeToString(sum[:])}
}

func isHex(digits string) bool {
	return len(digits) == 2*sha256.Size && strings.Trim(digits, "0123456789abcdef") == ""
}

func refuse(text string) error {
	err := fmt.Errorf(`"%s" %w`, escape.Bounded(text, 200), ErrDigest)
	if strings.HasPrefix(text, "sha512:") || strings.HasPrefix(text, "sha512-") {
		return fmt.Errorf("%w: sha512 is not supported", err)
	}
	return err
}
