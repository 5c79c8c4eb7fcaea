// Package trust says where signing services are and whom to trust: from the user's own signing config and trusted root
// (Sigstore's formats: signing config v0.2, trusted root v0.1), or from the TUF repositories of Sigstore's public-good
// instance and of GitHub.
package trust

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/sigstore/sigstore-go/pkg/root"

	"github.com/taglast/taglast/internal/bounded"
	"github.com/taglast/taglast/internal/escape"
)

// maxFile bounds a signing config and a trusted root.
const maxFile = 4 << 20

// Services are the signing services chosen for a run. Plain http is accepted for loopback addresses only.
type Services struct {
	Fulcio string // base URL of the certificate authority
	Rekor  string // base URL of a Rekor v1 log
	TSA    string // full URL of the timestamp authority; empty where the signing config has none

	// OIDCIssuers whose ID tokens are accepted beside GitHub's own: the oidcUrls of a signing config that the user gave.
	OIDCIssuers []string
}

// Material is a trusted root: the certificates and keys by which bundles are verified.
type Material struct {
	Root root.TrustedMaterial
	JSON []byte // one trusted root document, as it was read
}

// FromFiles reads a signing config and a trusted root. Either may be nil: then its result is zero.
func FromFiles(signingConfig, trustedRoot []byte) (Services, Material, error) {
	var s Services
	var m Material
	var err error
	if signingConfig != nil {
		var config *root.SigningConfig
		if config, err = parseConfig(signingConfig); err != nil {
			return Services{}, Material{}, err
		}
		if s, err = selectServices(config, time.Now()); err != nil {
			return Services{}, Material{}, fmt.Errorf("signing config: %w", err)
		}
		if s.OIDCIssuers, err = validIssuers(config, time.Now()); err != nil {
			return Services{}, Material{}, fmt.Errorf("signing config: %w", err)
		}
	}
	if trustedRoot != nil {
		if m, err = parseRoot(trustedRoot); err != nil {
			return Services{}, Material{}, err
		}
	}
	return s, m, nil
}

// ReadFile reads a signing config or a trusted root, at most 4 MiB. The path may be that of a pipe.
func ReadFile(path string) ([]byte, error) {
	raw, err := bounded.ReadFile(path, maxFile)
	if errors.Is(err, bounded.ErrTooLarge) {
		return nil, fmt.Errorf("%s: larger than %d bytes", path, maxFile)
	}
	return raw, err
}

func parseConfig(raw []byte) (config *root.SigningConfig, err error) {
	if len(raw) > maxFile {
		return nil, fmt.Errorf("signing config: larger than %d bytes", maxFile)
	}
	defer noPanic("signing config", &err)
	config, err = root.NewSigningConfigFromJSON(raw)
	if err != nil {
		return nil, fmt.Errorf("signing config: %w", oneLine(err))
	}
	return config, nil
}

func parseRoot(raw []byte) (m Material, err error) {
	if len(raw) > maxFile {
		return Material{}, fmt.Errorf("trusted root: larger than %d bytes", maxFile)
	}
	defer noPanic("trusted root", &err)
	tr, err := root.NewTrustedRootFromJSON(raw)
	if err != nil {
		return Material{}, fmt.Errorf("trusted root: %w", oneLine(err))
	}
	return Material{Root: tr, JSON: raw}, nil
}

// noPanic is deferred where a library parses foreign bytes: it turns a panic into an error.
func noPanic(what string, err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("%s: malformed", what)
	}
}

// oneLine is the error of a library, which may quote the file, as one inert line.
func oneLine(err error) error {
	return errors.New(strings.TrimSpace(escape.Text(err.Error())))
}
