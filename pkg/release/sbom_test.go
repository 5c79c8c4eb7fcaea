package release_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/taglast/taglast/pkg/release"
)

func TestSBOM(t *testing.T) {
	for title, tc := range map[string]struct {
		entry string
		want  release.SBOM
	}{
		"none":                        {"source: {oci: x}", release.SBOM{}},
		"none, as it is written":      {"sbom: false, source: {oci: x}", release.SBOM{}},
		"what an OCI layout has":      {"sbom: true, source: {oci: x}", release.SBOM{FromBuild: true}},
		"what pushed images have":     {"sbom: true, source: {digests: x}", release.SBOM{FromBuild: true}},
		"what the build makes":        {"sbom: '${YES}', source: {dockerfile: x}", release.SBOM{FromBuild: true}},
		"beside kept attestations":    {"sbom: true, keep-attestations: true, source: {dockerfile: x}", release.SBOM{FromBuild: true}},
		"a file for each platform":    {"platforms: [linux/amd64, linux/arm64], sbom: {path: 'dist/{{arch}}.spdx.json'}, source: {image: alpine}", release.SBOM{Path: "dist/{{arch}}.spdx.json"}},
		"blanks in the braces":        {"sbom: {path: '{{ image }}-{{ arch-variant }}.json'}, source: {oci: x}", release.SBOM{Path: "app-{{arch-variant}}.json"}},
		"one file for one platform":   {"platforms: [linux/amd64], sbom: {path: sbom.json}, source: {oci: x}", release.SBOM{Path: "sbom.json"}},
		"one file for no platform":    {"sbom: {path: sbom.json}, source: {oci: x}", release.SBOM{Path: "sbom.json"}},
		"two systems by their system": {"platforms: [linux/amd64, windows/amd64], sbom: {path: '{{os}}.json'}, source: {oci: x}", release.SBOM{Path: "{{os}}.json"}},
		"two variants by theirs":      {"platforms: [linux/arm/v6, linux/arm], sbom: {path: '{{arch}}{{arch-variant}}.json'}, source: {oci: x}", release.SBOM{Path: "{{arch}}{{arch-variant}}.json"}},
	} {
		t.Run(title, func(t *testing.T) {
			f, err := release.Parse("taglast.yaml", []byte(image("name: app, "+tc.entry)), env("YES=true"))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, f.Images[0].SBOM); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestSBOMPathFor(t *testing.T) {
	for title, tc := range map[string]struct{ path, platform, want string }{
		"every placeholder":           {"{{platform}}/{{os}}-{{arch}}-{{arch-variant}}.json", "linux/arm/v7", "linux/arm/v7/linux-arm-v7.json"},
		"a platform without variant":  {"{{platform}}/{{arch}}{{arch-variant}}.json", "linux/arm64/v8", "linux/arm64/arm64.json"},
		"one placeholder twice":       {"{{arch}}/{{arch}}", "linux/amd64", "amd64/amd64"},
		"none":                        {"sbom.json", "linux/amd64", "sbom.json"},
		"other braces are themselves": {"{{x}}{{os}}", "linux/amd64", "{{x}}linux"},
		"no path":                     {"", "linux/amd64", ""},
	} {
		t.Run(title, func(t *testing.T) {
			if got := (release.SBOM{Path: tc.path}).PathFor(platforms(t, tc.platform)[0]); got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

func TestParseRefusesSBOMs(t *testing.T) {
	const known = "; known ones here are {{image}}, {{platform}}, {{os}}, {{arch}}, {{arch-variant}}"
	const one = "\nhint: an SBOM is of one platform: put {{arch}} into the path, with {{os}} or {{arch-variant}} where those differ, or {{platform}}"
	of := func(sbom string) string { return image("name: app, sbom: " + sbom + ", source: {oci: x}") }
	two := func(platforms, path string) string {
		return image("name: app, sbom: {path: '" + path + "'}, platforms: [" + platforms + "], source: {oci: x}")
	}
	refuses(t, map[string]refusal{
		"above images":                  {head + "sbom: true" + tail, "taglast.yaml:2:1: misplaced key `sbom`; it belongs to an entry of `images`"},
		"its path on an image":          {image("name: app, path: x, source: {oci: x}"), "taglast.yaml:4:15: misplaced key `path`; it belongs to `sbom`"},
		"a word":                        {of("yes"), "taglast.yaml:4:21: `sbom` is `yes`; it is `false` or `true`, or a map with `path`"},
		"a list":                        {of("[a]"), "taglast.yaml:4:21: a text is asked for here, not a list"},
		"an unknown key":                {of("{paths: x}"), "taglast.yaml:4:22: unknown key `paths`; did you mean `path`?"},
		"a source's key":                {of("{path: x, oci: x}"), "taglast.yaml:4:31: misplaced key `oci`; it belongs to `source`"},
		"a map of nothing":              {of("{}"), "taglast.yaml:4:21: missing key `path`"},
		"a list of paths":               {of("{path: [a]}"), "taglast.yaml:4:28: a text is asked for here, not a list"},
		"an empty path":                 {of("{path: ''}"), "taglast.yaml:4:28: `path` is empty"},
		"a control character":           {of("{path: \"a\\nb\"}"), "taglast.yaml:4:28: `path` has a control character: `a\\nb`"},
		"an unknown placeholder":        {of("{path: 'a{{variant}}'}"), "taglast.yaml:4:30: unknown placeholder `{{variant}}`" + known},
		"braces that do not close":      {of("{path: 'a{{arch'}"), "taglast.yaml:4:30: `{{` without `}}`; known placeholders here are {{image}}, {{platform}}, {{os}}, {{arch}}, {{arch-variant}}"},
		"a placeholder of paths only":   {image("name: app, labels: {a: '{{arch}}'}, source: {oci: x}"), "taglast.yaml:4:28: unknown placeholder `{{arch}}`; the only one here is {{image}}"},
		"an image that is copied whole": {image("name: app, sbom: true, source: {image: alpine}"), "taglast.yaml:4:21: image app: an image that is copied whole has the SBOMs of its source, and no build makes one\nhint: give a file for each platform: `sbom: {path: \"dist/{{arch}}.spdx.json\"}`"},
		"one file for two platforms":    {two("linux/amd64, linux/arm64", "{{image}}.json"), "taglast.yaml:4:28: image app: linux/amd64 and linux/arm64 would have one SBOM, `app.json`" + one},
		"one file for two variants":     {two("linux/arm/v6, linux/arm/v7", "{{arch}}.json"), "taglast.yaml:4:28: image app: linux/arm/v6 and linux/arm/v7 would have one SBOM, `arm.json`" + one},
		"one file for two systems":      {two("linux/amd64, windows/amd64", "{{arch}}.json"), "taglast.yaml:4:28: image app: linux/amd64 and windows/amd64 would have one SBOM, `amd64.json`" + one},
	})
}
