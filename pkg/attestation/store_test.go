package attestation_test

import (
	"path/filepath"
	"testing"

	"github.com/taglast/taglast/pkg/attestation"
	"github.com/taglast/taglast/pkg/attestation/storetest"
)

func TestFilesIsAStore(t *testing.T) {
	storetest.Test(t, func(t *testing.T) attestation.Store {
		return attestation.NewFiles(filepath.Join(t.TempDir(), "bundles"))
	})
}

func TestGitHubIsAStore(t *testing.T) {
	for _, inline := range []bool{false, true} {
		name := "bundles by bundle_url"
		if inline {
			name = "bundles inline"
		}
		t.Run(name, func(t *testing.T) {
			storetest.Test(t, func(t *testing.T) attestation.Store { return (&github{inline: inline}).store(t) })
		})
	}
}
