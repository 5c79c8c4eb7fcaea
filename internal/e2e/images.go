//go:build e2e

package e2e

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// An image is a two-platform index that some builder made.
type image struct {
	index     v1.ImageIndex
	digest    string            // of the index
	platforms map[string]string // platform → digest of its manifest
}

// newImage makes one with a random layer of size bytes for each platform.
func newImage(t *testing.T, size int64) image {
	t.Helper()
	out := image{platforms: map[string]string{}}
	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for _, arch := range []string{"amd64", "arm64"} {
		one, err := random.Image(size, 2)
		if err != nil {
			t.Fatal(err)
		}
		one = mutate.ConfigMediaType(mutate.MediaType(one, types.OCIManifestSchema1), types.OCIConfigJSON)
		config, err := one.ConfigFile()
		if err != nil {
			t.Fatal(err)
		}
		config = config.DeepCopy()
		config.OS, config.Architecture = "linux", arch
		if one, err = mutate.ConfigFile(one, config); err != nil {
			t.Fatal(err)
		}
		digest, err := one.Digest()
		if err != nil {
			t.Fatal(err)
		}
		out.platforms["linux/"+arch] = digest.String()
		index = mutate.AppendManifests(index, mutate.IndexAddendum{
			Add: one, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: arch}},
		})
	}
	digest, err := index.Digest()
	if err != nil {
		t.Fatal(err)
	}
	out.index, out.digest = index, digest.String()
	return out
}

// layout writes the image as an OCI layout, whose index.json names it once.
func (i image) layout(t *testing.T, dir string) string {
	t.Helper()
	path, err := layout.Write(dir, empty.Index)
	if err == nil {
		err = path.AppendIndex(i.index)
	}
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// push writes the image to a registry on loopback, under a tag or its digest.
func (i image) push(t *testing.T, ref string) {
	t.Helper()
	tag, err := name.ParseReference(ref, name.Insecure)
	if err == nil {
		err = remote.WriteIndex(tag, i.index)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// resolve is the digest that a registry on loopback has for a reference, as it says, and the bytes; "" if there is none.
func resolve(t *testing.T, ref string) (digest string, raw []byte) {
	t.Helper()
	parsed, err := name.ParseReference(ref, name.Insecure)
	if err != nil {
		t.Fatal(err)
	}
	d, err := remote.Get(parsed)
	if err != nil {
		return "", nil
	}
	return d.Digest.String(), d.Manifest
}

// write puts a file into a folder of the test and gives its path.
func write(t *testing.T, dir, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, content, 0o600); err != nil { //nolint:gosec // a folder of the test
		t.Fatal(err)
	}
	return path
}
