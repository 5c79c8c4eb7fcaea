//go:build e2e

package e2e

import (
	"archive/tar"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// writeFiles writes files below a folder, by their paths with slashes, and the folders that they need.
func writeFiles(t testing.TB, dir string, files map[string]string) {
	t.Helper()
	for name, content := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		err := os.MkdirAll(filepath.Dir(path), 0o755)
		if err == nil {
			err = os.WriteFile(path, []byte(content), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// built is a platform's image in a registry on loopback.
func built(t *testing.T, ref, platform string) v1.Image {
	t.Helper()
	p, err := v1.ParsePlatform(platform)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := name.ParseReference(ref, name.Insecure)
	if err != nil {
		t.Fatal(err)
	}
	img, err := remote.Image(parsed, remote.WithPlatform(*p))
	if err != nil {
		t.Fatalf("%s for %s: %v", ref, platform, err)
	}
	return img
}

// contents are the regular files of an image, by path without a leading slash.
func contents(t *testing.T, img v1.Image) map[string]string {
	t.Helper()
	r := mutate.Extract(img)
	defer func() { _ = r.Close() }()
	out, in := map[string]string{}, tar.NewReader(r)
	for {
		h, err := in.Next()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		if h.Typeflag != tar.TypeReg {
			continue
		}
		raw, err := io.ReadAll(in)
		if err != nil {
			t.Fatal(err)
		}
		out[strings.TrimPrefix(h.Name, "/")] = string(raw)
	}
}

// A slsaStatement is the statement of a provenance, as far as the tests of builds look at it.
type slsaStatement struct {
	Predicate struct {
		BuildDefinition struct {
			ResolvedDependencies []dependency
		}
		RunDetails struct {
			Builder struct {
				BuilderDependencies []dependency
			}
		}
	}
}

type dependency struct {
	URI, Name   string
	Digest      map[string]string
	Annotations map[string]any
}

// payload reads the statement that a bundle file signs into to.
func payload(t *testing.T, file string, to any) {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var bundle struct {
		DSSEEnvelope struct {
			Payload []byte
		}
	}
	if err := json.Unmarshal(raw, &bundle); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(bundle.DSSEEnvelope.Payload, to); err != nil {
		t.Fatal(err)
	}
}
