package store

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
)

// checkDigest accepts sha256: and 64 lower-case hex digits.
func checkDigest(digest string) error {
	h, ok := strings.CutPrefix(digest, "sha256:")
	raw, err := hex.DecodeString(h)
	if !ok || err != nil || len(raw) != sha256.Size || h != strings.ToLower(h) {
		return fmt.Errorf("%q is not a sha256 digest", digest)
	}
	return nil
}
