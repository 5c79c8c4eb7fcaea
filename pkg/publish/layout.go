package publish

import (
	"encoding/json"
	"path"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/taglast/taglast/internal/image"
)

func blobPath(digest string) string { return strings.Replace(digest, ":", "/", 1) }

// layout writes an OCI image layout (image-layout 1.0.0) of the manifests of a release under oci/. Layers are not kept:
// a dry run reads them only to check them.
func (o *output) layout(built []image.Built) error {
	index := v1.IndexManifest{SchemaVersion: 2, MediaType: types.OCIImageIndex, Manifests: []v1.Descriptor{}}
	for _, b := range built {
		root := b.Root()
		d := root.Descriptor
		d.Annotations = map[string]string{"org.opencontainers.image.ref.name": b.Name()}
		index.Manifests = append(index.Manifests, d)
		if err := o.blob(root.Digest, root.Raw); err != nil {
			return err
		}
		for _, c := range b.Manifests() {
			if err := o.blob(c.Digest, c.Raw); err != nil {
				return err
			}
		}
	}
	raw, err := json.Marshal(index)
	if err != nil {
		return err
	}
	if err := o.write("oci/index.json", raw); err != nil {
		return err
	}
	return o.write("oci/oci-layout", []byte(`{"imageLayoutVersion":"1.0.0"}`))
}

func (o *output) blob(digest v1.Hash, raw []byte) error {
	return o.write(path.Join("oci/blobs", blobPath(digest.String())), raw)
}
