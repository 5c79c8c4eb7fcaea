package image_test

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/taglast/taglast/internal/hint"
	"github.com/taglast/taglast/internal/image"
	"github.com/taglast/taglast/pkg/release"
)

func ExampleBuild() {
	// A layout needs no registry; the other sources take a *registry.Clients.
	source, err := image.SourceOf(release.OCISource{Paths: []string{"image"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	built, err := image.Build(context.Background(), image.Request{
		Name: "hello",
		Env: image.Env{
			Dir:       filepath.Join("..", "..", "testdata", "quickstart"),
			Platforms: []release.Platform{{OS: "linux", Architecture: "amd64"}, {OS: "linux", Architecture: "arm64"}},
		},
		Source:      source,
		Annotations: []release.Annotation{{Key: "org.opencontainers.image.licenses", Value: "MIT"}},
	})
	if err != nil {
		fmt.Println(err, hint.Of(err))
		return
	}
	fmt.Println(built.Root().MediaType)
	fmt.Println(built.Root().Digest)
	for _, c := range built.Manifests() {
		fmt.Println(c.Platform, len(c.Blobs), "blobs")
	}
	// Output:
	// application/vnd.oci.image.index.v1+json
	// sha256:f32e0d8e82b2bcd384e73a2ecf46d5a53ac971c80b8e364830f9e4f511495c38
	// linux/amd64 2 blobs
	// linux/arm64 2 blobs
}
