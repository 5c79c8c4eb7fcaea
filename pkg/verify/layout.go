package verify

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/taglast/taglast/internal/bounded"
	"github.com/taglast/taglast/internal/ociref"
	"github.com/taglast/taglast/internal/registry"
)

// layoutDigest is the digest of the one image or index that an OCI layout's index.json names (OCI image specification
// 1.1, "Image Layout"). Its manifest is read from blobs and hashed: an index.json by itself proves nothing.
func layoutDigest(dir string) (v1.Hash, error) {
	r, err := os.OpenRoot(dir)
	if err != nil {
		return v1.Hash{}, bounded.WithoutPath(err)
	}
	defer r.Close()
	raw, err := readRegular(r, "index.json", registry.MaxManifest)
	if errors.Is(err, os.ErrNotExist) {
		return v1.Hash{}, errors.New("a directory that is no OCI layout: it has no index.json")
	}
	if err != nil {
		return v1.Hash{}, fmt.Errorf("index.json: %w", err)
	}
	var index struct {
		Manifests []v1.Descriptor `json:"manifests"`
	}
	if err := json.Unmarshal(raw, &index); err != nil {
		return v1.Hash{}, errors.New("index.json: not an OCI index")
	}
	var digests []v1.Hash
	for _, d := range index.Manifests {
		if !slices.Contains(digests, d.Digest) {
			digests = append(digests, d.Digest)
		}
	}
	if len(digests) != 1 {
		return v1.Hash{}, fmt.Errorf("the layout has %d images, and the reference does not say which; name its blob: %s",
			len(digests), "blobs/sha256/<digest>")
	}
	digest := digests[0]
	if err := ociref.CheckHash(digest); err != nil {
		return v1.Hash{}, fmt.Errorf("index.json: %w", err)
	}
	manifest, err := readRegular(r, path.Join("blobs", digest.Algorithm, digest.Hex), registry.MaxManifest)
	if err != nil {
		return v1.Hash{}, fmt.Errorf("%s: %w", digest, err)
	}
	if have := ociref.Sum(manifest); have != digest {
		return v1.Hash{}, fmt.Errorf("%s: its blob is %s", digest, have)
	}
	return digest, nil
}

// readRegular reads a file within r that is no symbolic link, at most limit bytes.
func readRegular(r *os.Root, name string, limit int64) ([]byte, error) {
	b, err := bounded.ReadRootFile(r, name, limit)
	return b, bounded.WithoutPath(err)
}
