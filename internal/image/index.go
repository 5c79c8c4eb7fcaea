package image

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/taglast/taglast/internal/registry"
)

// writeIndex is the OCI index of these manifests, in their order.
func writeIndex(all []*sourceManifest, annotations map[string]string) (registry.Manifest, error) {
	doc := indexDocument{
		SchemaVersion: 2,
		MediaType:     types.OCIImageIndex,
		Manifests:     make([]descriptor, 0, len(all)),
		Annotations:   annotations,
	}
	for _, f := range all {
		doc.Manifests = append(doc.Manifests, descriptor{
			MediaType:   f.MediaType,
			Size:        f.Size,
			Digest:      f.Digest.String(),
			Annotations: f.annotations,
			Platform:    &f.platform,
		})
	}
	raw, err := encode(doc)
	if err != nil {
		return registry.Manifest{}, fmt.Errorf("write index: %w", err)
	}
	return newManifest(raw, types.OCIImageIndex)
}

// encode is v as compact JSON: maps sorted by key, no HTML escapes, no final newline.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}
