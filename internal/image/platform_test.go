package image_test

import (
	"strings"
	"testing"

	"github.com/taglast/taglast/internal/image"
	"github.com/taglast/taglast/pkg/release"
)

// TestAReleaseFileAndAManifestMeanTheSamePlatform writes each text into a release file and, part by part, into an image.
// The first run builds the image, a later one adopts it: in both it has the platform that the file asks for.
func TestAReleaseFileAndAManifestMeanTheSamePlatform(t *testing.T) {
	for text, want := range map[string]string{
		"linux/amd64/v1":   "linux/amd64",
		"linux/x86_64":     "linux/amd64",
		"linux/arm":        "linux/arm/v7",
		"linux/arm/6":      "linux/arm/v6",
		"linux/arm64/8":    "linux/arm64",
		"linux/arm64/v8.0": "linux/arm64",
		"linux/arm64/9":    "linux/arm64/v9",
		"linux/arm64/9.0":  "linux/arm64/v9",
		"linux/armhf/v6":   "linux/arm/v7",
		"linux/armel/v7":   "linux/arm/v6",
		"linux/i386/sse2":  "linux/386",
		"Linux/AMD64/V3":   "linux/amd64/v3",
		"macos/aarch64":    "darwin/arm64",
	} {
		t.Run(strings.ReplaceAll(text, "/", " "), func(t *testing.T) {
			f, err := release.Parse("taglast.yaml", []byte("repositories: ["+sourceRepo+"]\ntags: []\nplatforms: ["+text+"]\n"+
				"images:\n- {name: app, source: {oci: app}}\n"), nil)
			if err != nil {
				t.Fatal(err)
			}
			asked := f.Images[0].Platforms
			if len(asked) != 1 || asked[0].String() != want {
				t.Fatalf("the file asks for %v, want %s", asked, want)
			}
			s := store{}
			b := mustBuild(t, layoutOf(t, s.tops(s.image(text))), image.Request{Source: oci("app"), Env: image.Env{Platforms: asked}})
			if got := b.Manifests()[0].Platform; got != asked[0] {
				t.Errorf("the built image is for %s, want %s", got, want)
			}
			reg := newServer(t)
			reg.push("acme/app", s)
			reg.manifest("acme/app", b.Root().Digest.String(), string(b.Root().MediaType), b.Root().Raw)
			adopted, err := image.Adopt(t.Context(), reg.clients(), "app", repo(t, sourceRepo), b.Root().Digest)
			if err != nil {
				t.Fatal(err)
			}
			if got := adopted.Manifests()[0].Platform; got != asked[0] {
				t.Errorf("the adopted image is for %s, want %s", got, want)
			}
		})
	}
}
