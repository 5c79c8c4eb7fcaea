// Package image finds manifests where they come from (an OCI layout, the digests of earlier jobs, an image in a
// registry) and makes them one index, in memory: bytes, media type and digest are final before the network sees them.
// One file a source.
//
// # What is written, and what stays
//
// The manifests of a source keep their bytes, their digest and their media type, Docker's too (an OCI index may list
// Docker manifests), unless the request sets labels or manifest annotations. A manifest that is rewritten for these
// becomes an OCI manifest: its own media type and those of its config and layers are mapped from Docker's to OCI's;
// fields that this package does not know are kept.
//
// An index that is written here is an OCI index as compact JSON. Its manifests are sorted by operating system,
// architecture, variant and OS version, compared as strings; attestation manifests come last, in the order of the
// images that they are about. Platforms stand in containerd's normal form (arm64, not arm64/v8). Annotations of the
// index, and of the descriptors in it, are kept where all images come from one index; those of a layout's index.json
// name images within that layout and are not.
//
// An image source that loses nothing and gains nothing is an unchanged copy: root and children have the source's
// bytes, and a source that is a single manifest stays one.
package image

import (
	"context"

	"github.com/google/go-containerregistry/pkg/name"

	"github.com/taglast/taglast/internal/registry"
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
	Ref   string   // org.opencontainers.image.ref.name (or io.containerd.image.name) to pick where a layout has several
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
	Defaults         Defaults          // index annotations for an index that is written here, below Annotations; nil: none
	Labels           map[string]string // set on every child's config; an empty value removes one
	InPlace          bool              // the image goes to the repository of its source alone: only what is sent need be checked
	KeepAttestations bool              // keep BuildKit's unknown/unknown children
}

// Annotation is one `[LEVEL:]KEY=VALUE`; an empty Value removes the key.
type Annotation struct {
	Level    string // "index" (default) or "manifest"
	Platform string // for manifest[os/arch]; empty: all
	Key      string
	Value    string
}

// Defaults gives annotations of the index, by key. It is asked only for an index that is written here: an unchanged copy
// goes without.
type Defaults func(context.Context) (map[string]string, error)

// Registry is what sources need of a registry.
type Registry interface {
	Repository(name.Repository) *registry.Client
}
