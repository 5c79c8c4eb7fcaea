package release_test

import (
	"testing"

	"github.com/taglast/taglast/pkg/release"
)

func TestPathOfAPlatformsSBOM(t *testing.T) {
	arm := release.Platform{OS: "linux", Architecture: "arm", Variant: "v7"}
	amd := release.Platform{OS: "linux", Architecture: "amd64"}
	for _, c := range []struct {
		path     string
		platform release.Platform
		want     string
	}{
		{"dist/{{arch}}.spdx.json", amd, "dist/amd64.spdx.json"},
		{"dist/{{os}}-{{arch}}{{arch-variant}}.json", arm, "dist/linux-armv7.json"},
		{"dist/{{os}}-{{arch}}{{arch-variant}}.json", amd, "dist/linux-amd64.json"},
		{"{{ platform }}/sbom.json", arm, "linux/arm/v7/sbom.json"},
		{"sbom.json", amd, "sbom.json"},
		{"{{other}}/{{arch}}", amd, "{{other}}/amd64"},
		{"{{arch", amd, "{{arch"},
		{"", amd, ""},
	} {
		if got := (release.SBOM{Path: c.path}).PathFor(c.platform); got != c.want {
			t.Errorf("%s for %s is %s, want %s", c.path, c.platform, got, c.want)
		}
	}
}
