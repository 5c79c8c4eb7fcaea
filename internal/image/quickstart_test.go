package image_test

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/taglast/taglast/internal/image"
	"github.com/taglast/taglast/testdata/quickstart/generate/layout"
)

var quickstart = filepath.Join("..", "..", "testdata", "quickstart")

func TestTheQuickstartIsWhatItsGeneratorMakes(t *testing.T) {
	want, err := layout.Files()
	if err != nil {
		t.Fatal(err)
	}
	files := os.DirFS(filepath.Join(quickstart, "image"))
	for path, content := range want {
		if got, err := fs.ReadFile(files, path); err != nil || !bytes.Equal(got, content) {
			t.Errorf("%s is not what `go run ./testdata/quickstart/generate` writes (%v)", path, err)
		}
	}
	total := 0
	err = fs.WalkDir(files, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		if _, ok := want[path]; !ok {
			t.Errorf("%s is not of the generator", path)
		}
		total += len(want[path])
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	if total > 20_000 {
		t.Errorf("the quickstart has %d bytes", total)
	}
}

func TestTheQuickstartBuilds(t *testing.T) {
	b := mustBuild(t, quickstart, image.Request{Source: oci("image"), Env: image.Env{Platforms: required(t, "linux/amd64", "linux/arm64")}})
	for _, c := range b.Manifests() {
		for _, blob := range c.Blobs {
			if digestOf(read(t, blob)) != blob.Digest.String() {
				t.Errorf("%s has other content", blob.Digest)
			}
		}
	}
}
