package publish

import (
	"path"
	"strings"

	"github.com/taglast/taglast/internal/image"
)

func blobPath(digest string) string { return strings.Replace(digest, ":", "/", 1) }

// layout writes an OCI image layout (image-layout 1.0.0) of the manifests of a release under oci/. Layers are not kept:
// a dry run reads them only to check them.
func (o *output) layout(built []image.Built) error {
	return image.WriteLayout(built, func(name string, content []byte) error { return o.write(path.Join("oci", name), content) })
}
