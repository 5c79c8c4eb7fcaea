//go:build e2e

package e2e

import (
	"archive/tar"
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// stepBase is the base image of the tests' Dockerfiles, on the registry that stands for Docker Hub: the program of folder
// testdata/step for the machine that the tests run on, and for the other platform a file that no machine runs.
const stepBase = "step:1"

var hostPlatform = "linux/" + runtime.GOARCH

// foreignPlatform is the one of linux/amd64 and linux/arm64 that is not the machine's.
func foreignPlatform() string {
	if runtime.GOARCH == "amd64" {
		return "linux/arm64"
	}
	return "linux/amd64"
}

// stepProgram builds testdata/step once a test binary.
var stepProgram = sync.OnceValues(func() ([]byte, error) {
	here, err := source()
	if err != nil {
		return nil, err
	}
	file := shared.file("step")
	if err := build(context.Background(), filepath.Join(here, "testdata", "step"), file, ".", "-mod=readonly"); err != nil {
		return nil, err
	}
	return os.ReadFile(file)
})

// bases pushes the images that builds start from, once a test binary, and gives the digest of stepBase: an index.
var bases = sync.OnceValues(func() (string, error) {
	step, err := stepProgram()
	if err != nil {
		return "", err
	}
	native, err := imageOf(hostPlatform, v1.Config{}, entry{tar.Header{Name: "step"}, step})
	if err != nil {
		return "", err
	}
	foreign, err := imageOf(foreignPlatform(), v1.Config{}, entry{tar.Header{Name: "step"}, []byte("this is for no machine\n")})
	if err != nil {
		return "", err
	}
	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for platform, one := range map[string]v1.Image{hostPlatform: native, foreignPlatform(): foreign} {
		p, err := v1.ParsePlatform(platform)
		if err != nil {
			return "", err
		}
		index = mutate.AppendManifests(index, mutate.IndexAddendum{Add: one, Descriptor: v1.Descriptor{Platform: p}})
	}
	ref, err := onHub("library/" + stepBase)
	if err != nil {
		return "", err
	}
	if err := remote.WriteIndex(ref, index); err != nil {
		return "", err
	}
	// What `--attest type=sbom` takes unless a generator is named (BuildKit, frontend/attestations/parse.go).
	scanner, err := imageOf(hostPlatform, v1.Config{Entrypoint: []string{"/step"}}, entry{tar.Header{Name: "step"}, step})
	if err != nil {
		return "", err
	}
	if ref, err = onHub("docker/buildkit-syft-scanner:stable-1"); err != nil {
		return "", err
	}
	if err := remote.Write(ref, scanner); err != nil {
		return "", err
	}
	digest, err := index.Digest()
	return digest.String(), err
})

// onHub is where builders find an image of Docker Hub.
func onHub(path string) (name.Reference, error) {
	return name.ParseReference("127.0.0.1:"+shared.ports.olareg+"/"+path, name.Insecure)
}

// An entry is an entry of a layer; its mode is 0755 and its size that of its content.
type entry struct {
	header  tar.Header
	content []byte
}

// imageOf is an image of one layer.
func imageOf(platform string, config v1.Config, entries ...entry) (v1.Image, error) {
	var layer bytes.Buffer
	w := tar.NewWriter(&layer)
	for _, e := range entries {
		e.header.Mode, e.header.Size = 0o755, int64(len(e.content))
		if err := w.WriteHeader(&e.header); err != nil {
			return nil, err
		}
		if _, err := w.Write(e.content); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	one, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(layer.Bytes())), nil },
		tarball.WithMediaType(types.OCILayer))
	if err != nil {
		return nil, err
	}
	p, err := v1.ParsePlatform(platform)
	if err != nil {
		return nil, err
	}
	img, err := mutate.ConfigFile(mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON),
		&v1.ConfigFile{OS: p.OS, Architecture: p.Architecture, Config: config, RootFS: v1.RootFS{Type: "layers"}})
	if err != nil {
		return nil, err
	}
	return mutate.AppendLayers(img, one)
}

// pushBases gives the digest of stepBase, which is in the registry from now on.
func pushBases(t *testing.T) string {
	t.Helper()
	digest, err := bases()
	if err != nil {
		t.Fatal(err)
	}
	return digest
}
