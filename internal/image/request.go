// Package image finds manifests where they come from (an OCI layout, the digests of earlier jobs, an image in a
// registry) and joins them to one index, in memory: bytes, media type and digest are final before the network sees them.
// A kind of source is one file.
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

	"github.com/taglast/taglast/pkg/release"
)

// Request is an image to build: the source and what is written beside it.
type Request struct {
	Name        string
	Env         Env
	Source      Source
	Annotations []release.Annotation
	Defaults    Defaults          // index annotations for an index that is written here, below Annotations; nil: none
	Labels      map[string]string // set on every child's config; an empty value removes one
	SBOM        release.SBOM      // where the SBOM of each platform comes from
}

// Defaults gives annotations of the index, by key. It is asked only for an index that is written here: an unchanged copy
// goes without.
type Defaults func(context.Context) (map[string]string, error)
