package image

import (
	"path"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/taglast/taglast/internal/ociref"
	"github.com/taglast/taglast/internal/provenance"
)

// dependency is a manifest of a repository as a package URL of type oci: the last part of the repository is the name,
// the digest the version, the whole repository a qualifier.
func dependency(repo name.Repository, h v1.Hash) provenance.Dependency {
	shown := ociref.DisplayName(repo)
	return provenance.Dependency{
		URI:    "pkg:oci/" + path.Base(shown) + "@" + h.String() + "?repository_url=" + shown,
		Digest: map[string]string{h.Algorithm: h.Hex},
	}
}
