package ociref

import (
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// FallbackTag is sha256-hex: the tag under which a registry without the referrers API keeps the referrers of a digest
// (OCI distribution specification 1.1, "Referrers Tag Schema"), and a file name on every system, as a colon is none on
// Windows. A value that is no sha256 digest is an error, as CheckHash's: the result names no other folder.
func FallbackTag(h v1.Hash) (string, error) {
	if err := CheckHash(h); err != nil {
		return "", err
	}
	return algorithm + "-" + h.Hex, nil
}

// ParseFallbackTag is the digest whose referrers are under tag, and false for every other tag.
func ParseFallbackTag(tag string) (v1.Hash, bool) {
	digits, ok := strings.CutPrefix(tag, algorithm+"-")
	if !ok || !isHex(digits) {
		return v1.Hash{}, false
	}
	return v1.Hash{Algorithm: algorithm, Hex: digits}, true
}

// LooksLikeFallbackTag reports whether tag is a fallback tag or one but for the letter case of its digits: a registry or
// a file system that folds case takes it for one, so no such tag is given to an image.
func LooksLikeFallbackTag(tag string) bool {
	digits, ok := strings.CutPrefix(tag, algorithm+"-")
	return ok && isHex(strings.ToLower(digits))
}
