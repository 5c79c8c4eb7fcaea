// Package image finds manifests where they come from (an OCI layout, the digests of earlier jobs, an image in a
// registry) and makes them one index, in memory: bytes, media type and digest are final before the network sees them.
// One file a source.
package image

import (
	"context"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/taglast/taglast/pkg/provenance"
	"github.com/taglast/taglast/pkg/registry"
)

// Source says where an image's manifests come from. Exactly one of the three is set.
type Source struct {
	OCI     *OCI
	Digests *Digests
	Image   *Image
}

// OCI is one or more OCI layouts, directories or tars (image-layout 1.0), merged.
type OCI struct {
	Paths []string // as written or globs, relative to Request.Dir
	Ref   string   // org.opencontainers.image.ref.name to pick where a layout has several
}

// Digests is what matrix jobs leave: a directory whose file names are digests, or a list.
type Digests struct {
	Dir        string
	List       []string
	Repository name.Repository // where the manifests are
}

// Image is an image or index in any registry, copied whole.
type Image struct{ Ref name.Reference }

// Request is all that Build needs of a plan.
type Request struct {
	Name             string
	Dir              string // relative paths start here
	Source           Source
	Platforms        []string // required, normalised as containerd does; more are kept
	Annotations      []Annotation
	Labels           map[string]string // set on every child's config; an empty value removes one
	KeepAttestations bool              // keep BuildKit's unknown/unknown children
}

// Annotation is one `[LEVEL:]KEY=VALUE`; an empty Value removes the key.
type Annotation struct {
	Level    string // "index" (default) or "manifest"
	Platform string // for manifest[os/arch]; empty: all
	Key      string
	Value    string
}

// Registry is what sources need of a registry.
type Registry interface {
	Repository(name.Repository) *registry.Client
}

// Built is an image whose bytes are final. Made by Build and Adopt alone; its zero value is refused by the stages after it.
type Built struct{ p *built }

type built struct {
	name      string
	root      registry.Manifest // the index, or the manifest of an unchanged single-platform copy
	children  []Child           // sorted by platform; attestation children last
	unchanged bool              // bytes of the source
	adopted   bool
	deps      []provenance.Dependency
}

// Child is one manifest of the index with the blobs it names.
type Child struct {
	registry.Manifest
	Platform string            // normalised: linux/amd64, linux/arm/v7, linux/arm64; empty for an attestation child
	Blobs    []registry.Blob   // config first
	From     []name.Repository // where the manifest with its blobs is known to be whole
}

// Ok says whether b was made by Build or Adopt.
func (b Built) Ok() bool { return b.p != nil }

// Name of the image in the release.
func (b Built) Name() string { return b.p.name }

// Root is the index, or the manifest of an unchanged single-platform copy.
func (b Built) Root() registry.Manifest { return b.p.root }

// Children are the root's manifests; none where the root is itself an image manifest: then Self holds it.
func (b Built) Children() []Child { return b.p.children }

// Adopted says that the root was read from a registry by Adopt.
func (b Built) Adopted() bool { return b.p.adopted }

// Dependencies are the resolved dependencies that this process did not make.
func (b Built) Dependencies() []provenance.Dependency { return b.p.deps }

// Build reads the source and makes the index.
func Build(ctx context.Context, reg Registry, r Request) (Built, error) { panic("skeleton") }

// Adopt reads an index that a registry holds under digest, whole, for copying as it is.
func Adopt(ctx context.Context, reg Registry, image string, repo name.Repository, digest v1.Hash) (Built, error) {
	panic("skeleton")
}
