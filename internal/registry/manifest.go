package registry

import (
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/taglast/taglast/internal/escape"
	"github.com/taglast/taglast/internal/ociref"
)

// accepted are the manifests that are asked for, preferred first.
var accepted = []types.MediaType{
	types.OCIImageIndex, types.OCIManifestSchema1, types.DockerManifestList, types.DockerManifestSchema2,
}

// accept is one Accept header: of several lines some registries read only the first.
var accept = func() string {
	s := make([]string, len(accepted))
	for i, t := range accepted {
		s[i] = string(t)
	}
	return strings.Join(s, ", ")
}()

// errType is returned for a document that is no manifest this program knows.
var errType = errors.New("no image manifest or index")

// newManifest hashes raw and settles its media type, from the Content-Type of the answer and the document itself.
//
// The two must agree, and a document may not be index and manifest at once: a digest must mean one thing to every
// reader (image specification 1.1, "mediaType"; CVE-2021-41190).
func newManifest(raw []byte, contentType string) (Manifest, error) {
	t, err := mediaType(raw, contentType)
	return Manifest{Descriptor: v1.Descriptor{MediaType: t, Digest: ociref.Sum(raw), Size: int64(len(raw))}, Raw: raw}, err
}

func mediaType(raw []byte, contentType string) (types.MediaType, error) {
	var doc struct {
		SchemaVersion int             `json:"schemaVersion"`
		MediaType     types.MediaType `json:"mediaType"`
		Manifests     json.RawMessage `json:"manifests"`
		Config        json.RawMessage `json:"config"`
		Layers        json.RawMessage `json:"layers"`
	}
	if err := json.Unmarshal(raw, &doc); err != nil {
		return "", fmt.Errorf("%w: not JSON", errType)
	}
	if said, _, err := mime.ParseMediaType(contentType); err == nil && said != "application/json" &&
		!strings.HasPrefix(said, "text/") && said != "application/octet-stream" {
		if doc.MediaType != "" && string(doc.MediaType) != said {
			return "", fmt.Errorf("%w: the answer's type is %s, the document's %s", errType, escape.Bounded(said, 128), escape.Bounded(string(doc.MediaType), 128))
		}
		doc.MediaType = types.MediaType(said)
	}
	index, image := doc.Manifests != nil, doc.Config != nil || doc.Layers != nil
	if doc.MediaType == "" {
		switch {
		case doc.SchemaVersion != 2:
		case index && !image:
			doc.MediaType = types.OCIImageIndex
		case image && !index:
			doc.MediaType = types.OCIManifestSchema1
		}
	}
	switch doc.MediaType {
	case types.DockerManifestSchema1, types.DockerManifestSchema1Signed:
		return "", fmt.Errorf("%w: Docker's schema 1, which names no config by digest", errType)
	case types.OCIImageIndex, types.DockerManifestList:
		if image {
			return "", fmt.Errorf("%w: an index with a config or layers", errType)
		}
	case types.OCIManifestSchema1, types.DockerManifestSchema2:
		if index {
			return "", fmt.Errorf("%w: an image manifest with manifests", errType)
		}
	default:
		return "", fmt.Errorf("%w: media type %q", errType, escape.Bounded(string(doc.MediaType), 128))
	}
	if doc.SchemaVersion != 2 {
		return "", fmt.Errorf("%w: schema version %d", errType, doc.SchemaVersion)
	}
	return doc.MediaType, nil
}

// reference is a manifest's digest or tag.
type reference struct {
	text   string
	digest v1.Hash // zero for a tag
}

func parseReference(s string) (reference, error) {
	if digest, err := ociref.ParseDigest(s); err == nil {
		return reference{s, digest}, nil
	}
	if ociref.IsTag(s) {
		return reference{text: s}, nil
	}
	return reference{}, fmt.Errorf("%q is neither a sha256 digest nor a tag", escape.Bounded(s, 160))
}

func (r reference) byDigest() bool { return r.digest != v1.Hash{} }

// suffix is what follows the repository's name in a full reference.
func (r reference) suffix() string {
	if r.byDigest() {
		return "@" + r.text
	}
	return ":" + r.text
}
