package publish

import (
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/taglast/taglast/internal/image"
	"github.com/taglast/taglast/internal/platform"
	"github.com/taglast/taglast/internal/registry"
)

func TestEachBundleHasAFileOfItsOwn(t *testing.T) {
	const spdx, cycloneDX = "https://spdx.dev/Document/v2.3", "https://cyclonedx.org/bom"
	var sboms []platformSBOM
	add := func(digit, os, arch, variant, predicateType string) string {
		h := v1.Hash{Algorithm: "sha256", Hex: strings.Repeat(digit, 64)}
		sboms = append(sboms, platformSBOM{predicateType: predicateType, child: image.Child{
			Platform: platform.Platform{OS: os, Architecture: arch, Variant: variant}, Manifest: registry.Manifest{Descriptor: v1.Descriptor{Digest: h}},
		}})
		return h.String()
	}
	amd, arm := add("a", "linux", "amd64", "", spdx), add("b", "linux", "arm", "v7", cycloneDX)
	old, current := add("c", "windows", "amd64", "", spdx), add("d", "windows", "amd64", "", spdx)
	for _, c := range []struct{ digest, predicateType, want string }{
		{amd, spdx, "app.linux-amd64.sbom.sigstore.json"},
		{arm, cycloneDX, "app.linux-arm-v7.sbom.sigstore.json"},
		{old, spdx, "app.windows-amd64-cccccccccccc.sbom.sigstore.json"},
		{current, spdx, "app.windows-amd64-dddddddddddd.sbom.sigstore.json"},
		{amd, "https://slsa.dev/provenance/v1", "app.sigstore.json"},
		{"sha256:" + strings.Repeat("e", 64), "https://slsa.dev/provenance/v1", "app.sigstore.json"},
	} {
		if got := bundleName("app", sboms, c.digest, c.predicateType); got != c.want {
			t.Errorf("%s of %s: %s, want %s", c.predicateType, c.digest, got, c.want)
		}
	}
}
