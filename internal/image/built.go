package image

import (
	"slices"
	"sync"

	"github.com/google/go-containerregistry/pkg/name"

	"github.com/taglast/taglast/internal/platform"
	"github.com/taglast/taglast/internal/provenance"
	"github.com/taglast/taglast/internal/registry"
	"github.com/taglast/taglast/internal/sbom"
)

// Built is an image whose bytes are final. Only Build and Adopt return one; the stages after it refuse the zero value.
type Built struct{ p *built }

type built struct {
	name         string
	root         registry.Manifest // the index, or the manifest of an unchanged single-platform copy
	single       *Child            // the root with its blobs, where it is an image manifest
	children     []Child           // sorted by platform where the index is ours; attestation children last
	adopted      bool
	dependencies []provenance.Dependency

	layoutMu  sync.Mutex
	layoutDir string // of the layout of it, once somebody asked for one
}

// Child is one manifest of the index with the blobs it names.
type Child struct {
	registry.Manifest
	Platform platform.Platform // the zero value for an attestation child
	Blobs    []registry.Blob   // config first, each digest once
	From     []name.Repository // where the manifest with its blobs is known to be whole
	SBOM     *sbom.Document    // of this platform, as it is to be attested; nil where none is asked for, and in what Adopt read
}

// get is the content of b, and empty for the zero value, so that methods need not tell the two apart.
func (b Built) get() *built {
	if b.p == nil {
		return &built{}
	}
	return b.p
}

// Ok reports whether b is a result of Build or Adopt, not the zero value.
func (b Built) Ok() bool { return b.p != nil }

// Name is the image's name in the release.
func (b Built) Name() string { return b.get().name }

// Root is the index, or the manifest of an unchanged single-platform copy.
func (b Built) Root() registry.Manifest { return b.get().root }

// Manifests are the manifests that name blobs: the children, or only the root where it is an image manifest. A push
// sends these with their blobs, then the root if it is not among them.
func (b Built) Manifests() []Child {
	if b.get().single != nil {
		return []Child{*b.get().single}
	}
	return b.get().children
}

// Adopted reports whether the root was read from a registry by Adopt.
func (b Built) Adopted() bool { return b.get().adopted }

// Dependencies are the resolved dependencies that this process did not make: each child of digests, and the root of an
// image source, as package URLs of type oci; and what BuildKit's provenance in the index of oci and digests lists.
func (b Built) Dependencies() []provenance.Dependency { return b.get().dependencies }

// Contains says whether digest (sha256:hex) is that of the root or of one of its manifests.
func (b Built) Contains(digest string) bool {
	if !b.Ok() {
		return false
	}
	return b.Root().Digest.String() == digest ||
		slices.ContainsFunc(b.Manifests(), func(c Child) bool { return c.Digest.String() == digest })
}
