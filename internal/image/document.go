package image

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/taglast/taglast/internal/escape"
	"github.com/taglast/taglast/internal/ociref"
	"github.com/taglast/taglast/internal/registry"
)

// Bounds on what a source may ask to be read.
const (
	maxConfig   = 8 << 20
	maxChildren = 64 // manifests that an index may lead to, nested ones counted
	maxDepth    = 3  // indexes below index.json
)

const (
	// BuildKit marks its attestation manifests so ("Image Attestation Storage" in its documentation).
	referenceType   = "vnd.docker.reference.type"
	referenceDigest = "vnd.docker.reference.digest"
	attestationType = "attestation-manifest"
)

// descriptor is an OCI content descriptor as a foreign document has it: nothing in it is checked yet.
type descriptor struct {
	MediaType   types.MediaType   `json:"mediaType"`
	Size        int64             `json:"size"`
	Digest      string            `json:"digest"`
	URLs        []string          `json:"urls,omitempty"`
	Annotations map[string]string `json:"annotations,omitempty"`
	Platform    *ociPlatform      `json:"platform,omitempty"`
}

// isAttestation says that d is one of BuildKit's attestation manifests.
func (d descriptor) isAttestation() bool {
	return d.Annotations[referenceType] == attestationType || d.Platform != nil && d.Platform.normalName().IsPlaceholder()
}

type indexDocument struct {
	SchemaVersion int               `json:"schemaVersion"`
	MediaType     types.MediaType   `json:"mediaType"`
	Manifests     []descriptor      `json:"manifests"`
	Annotations   map[string]string `json:"annotations,omitempty"`
}

type manifestDocument struct {
	Config      descriptor        `json:"config"`
	Layers      []descriptor      `json:"layers"`
	Annotations map[string]string `json:"annotations"`
}

// configDocument is what is looked at of an image config.
type configDocument struct {
	ociPlatform
	RootFS struct {
		DiffIDs []string `json:"diff_ids"`
	} `json:"rootfs"`
}

// parseIndex reads an image index or a manifest list.
func parseIndex(raw []byte) (indexDocument, error) {
	var doc struct {
		indexDocument
		Config json.RawMessage `json:"config"`
		Layers json.RawMessage `json:"layers"`
	}
	if err := json.Unmarshal(raw, &doc); err != nil {
		return indexDocument{}, fmt.Errorf("not an index: %w", err)
	}
	if doc.Config != nil || doc.Layers != nil {
		// One document, two readings: CVE-2021-41190.
		return indexDocument{}, errors.New("not an index: it has the fields of a manifest")
	}
	if doc.SchemaVersion != 2 {
		return indexDocument{}, fmt.Errorf("not an index: schemaVersion is %d, want 2", doc.SchemaVersion)
	}
	return doc.indexDocument, nil
}

// parseManifest reads an image manifest of OCI or Docker.
func parseManifest(raw []byte) (manifestDocument, error) {
	var doc struct {
		manifestDocument
		SchemaVersion int             `json:"schemaVersion"`
		Manifests     json.RawMessage `json:"manifests"`
	}
	if err := json.Unmarshal(raw, &doc); err != nil {
		return manifestDocument{}, fmt.Errorf("not an image manifest: %w", err)
	}
	if doc.Manifests != nil {
		return manifestDocument{}, errors.New("not an image manifest: it has the fields of an index")
	}
	if doc.SchemaVersion != 2 {
		return manifestDocument{}, fmt.Errorf("not an image manifest: schemaVersion is %d, want 2", doc.SchemaVersion)
	}
	if doc.Config.Size > maxConfig {
		return manifestDocument{}, fmt.Errorf("its config is %d bytes, more than %d", doc.Config.Size, maxConfig)
	}
	for _, layer := range doc.Layers {
		if err := distributable(layer); err != nil {
			return manifestDocument{}, err
		}
	}
	return doc.manifestDocument, nil
}

// image says whether the manifest is of an image that runs, not of another artifact.
func (m manifestDocument) image() error {
	switch m.Config.MediaType {
	case types.OCIConfigJSON, types.DockerConfigJSON:
		return nil
	}
	return fmt.Errorf("not an image: its config is %s", quote(string(m.Config.MediaType)))
}

// distributable refuses layers that lie elsewhere: what such a URL gives would be part of an image that we sign.
func distributable(d descriptor) error {
	t := string(d.MediaType)
	if len(d.URLs) > 0 || strings.Contains(t, "nondistributable") || strings.Contains(t, ".foreign.") {
		return fmt.Errorf("layer %s is a foreign layer (%s): images that lead to other servers are refused",
			quote(d.Digest), quote(t))
	}
	return nil
}

func isIndex(t types.MediaType) bool {
	return t == types.OCIImageIndex || t == types.DockerManifestList
}

func isManifest(t types.MediaType) bool {
	return t == types.OCIManifestSchema1 || t == types.DockerManifestSchema2
}

// mediaTypeOf settles a manifest's media type: listed is what its parent or the registry says ("" for nothing), and
// the document's own mediaType must not say otherwise.
func mediaTypeOf(raw []byte, listed types.MediaType) (types.MediaType, error) {
	var doc struct {
		MediaType types.MediaType `json:"mediaType"`
	}
	if err := json.Unmarshal(raw, &doc); err != nil {
		return "", fmt.Errorf("not a manifest: %w", err)
	}
	t := listed
	switch {
	case t == "":
		t = doc.MediaType
	case doc.MediaType != "" && doc.MediaType != t:
		return "", fmt.Errorf("it is listed as %s and calls itself %s",
			quote(string(t)), quote(string(doc.MediaType)))
	}
	switch {
	case isIndex(t), isManifest(t):
		return t, nil
	case t == types.DockerManifestSchema1, t == types.DockerManifestSchema1Signed:
		return "", errors.New("it is a Docker schema 1 manifest, which registries no longer take")
	default:
		return "", fmt.Errorf("media type %s is neither an image nor an index", quote(string(t)))
	}
}

// parseDigest reads the digest of a foreign document, and says what it is instead where it is none.
func parseDigest(s string) (v1.Hash, error) {
	h, err := ociref.ParseDigest(s)
	switch {
	case err == nil:
		return h, nil
	case !strings.Contains(s, ":"):
		return v1.Hash{}, fmt.Errorf("%s is not a digest", quote(s))
	case strings.HasPrefix(s, "sha512:"):
		return v1.Hash{}, fmt.Errorf("digest %s: sha512 is not supported, only sha256 is", quote(s))
	}
	return v1.Hash{}, fmt.Errorf("digest %s is not sha256: and 64 hex digits", quote(s))
}

// checked is d as the registry package has it, once its digest and size make sense.
func (d descriptor) checked() (v1.Descriptor, error) {
	h, err := parseDigest(d.Digest)
	if err != nil {
		return v1.Descriptor{}, err
	}
	if d.Size < 0 {
		return v1.Descriptor{}, fmt.Errorf("%s: its size is negative", h)
	}
	return v1.Descriptor{MediaType: d.MediaType, Size: d.Size, Digest: h}, nil
}

// newManifest describes raw, which becomes final.
func newManifest(raw []byte, t types.MediaType) (registry.Manifest, error) {
	if len(raw) > registry.MaxManifest {
		return registry.Manifest{}, fmt.Errorf("a manifest of %d bytes is more than registries take (%d)", len(raw), registry.MaxManifest)
	}
	return registry.Manifest{Descriptor: v1.Descriptor{MediaType: t, Size: int64(len(raw)), Digest: ociref.Sum(raw)}, Raw: raw}, nil
}

// quote makes foreign text fit for an error.
func quote(s string) string { return `"` + escape.Bounded(s, 200) + `"` }
