package verify

import (
	"context"

	"github.com/sigstore/sigstore-go/pkg/root"

	"github.com/taglast/taglast/internal/trust"
)

// TrustedRoots are the authorities whose certificates, logs and timestamps are believed. The zero value trusts nobody.
// They never change, and may be used from several goroutines.
type TrustedRoots struct {
	materials []root.TrustedMaterial
}

// ParseTrustedRoots reads trusted roots from JSON in Sigstore's format: one document, on one line or several, or JSON
// lines as `gh attestation trusted-root` prints them. At most 4 MiB and 32 documents are read; none is an error.
func ParseTrustedRoots(raw []byte) (*TrustedRoots, error) {
	return trustedRoots(trust.ParseRoots(raw))
}

// LoadTrustedRoots is ParseTrustedRoots on a file.
func LoadTrustedRoots(file string) (*TrustedRoots, error) {
	return trustedRoots(trust.ReadRoots(file))
}

// FetchTrustedRoots reads, by TUF, the trusted root of Sigstore's public-good instance and that of GitHub. Of the options
// it uses HTTP, CacheDir and UserAgent. One of the two may be missing: then the result holds the other, which still
// verifies its own bundles, and the error says what is missing. The result is nil where there is neither.
func FetchTrustedRoots(ctx context.Context, o Options) (*TrustedRoots, error) {
	o, disconnect := o.connect()
	defer disconnect()
	materials, err := trust.RootsFromTUF(ctx, trust.TUFOptions{HTTP: o.HTTP, CacheDir: o.CacheDir, UserAgent: o.UserAgent})
	if len(materials) == 0 {
		return nil, err
	}
	roots, _ := trustedRoots(materials, nil)
	return roots, err
}

func trustedRoots(materials []trust.Material, err error) (*TrustedRoots, error) {
	if err != nil {
		return nil, err
	}
	roots := &TrustedRoots{}
	for _, m := range materials {
		roots.materials = append(roots.materials, m.Root)
	}
	return roots, nil
}
