package release_test

import (
	"testing"

	"github.com/taglast/taglast/pkg/release"
)

// The keys of the documented example, with its comments, as a user would copy it.
func TestTheDocumentedExample(t *testing.T) {
	const file = `repositories:                              # every image goes to each, same digest; {{image}} is the image's name
  - ghcr.io/acme/app
  - docker.io/acme/app
platforms: [linux/amd64, linux/arm64]      # what the source must have (more are kept)
release-version: ${RELEASE_VERSION:-}      # optional: for releases that are not started by a git tag
tags:                                      # a bare word is itself. Required; [] publishes by digest alone
  - type=semver,pattern={{version}}
  - type=semver,pattern={{major}}.{{minor}}
flavor: [latest=auto]
annotations: {org.opencontainers.image.licenses: MIT}   # index level; an empty value removes one
labels: {}
if-no-tags: error                          # or skip
fixed: ["nightly-20*"]
moving: []
allow-downgrade: []
images:
  - name: app
    source: {oci: dist/app.tar}
`
	for name, data := range map[string]string{"with line feeds": file, "with a byte order mark": "\ufeff" + file, "with CRLF": crlf(file)} {
		t.Run(name, func(t *testing.T) {
			f, err := release.Parse("taglast.yaml", []byte(data), nil)
			if err != nil {
				t.Fatal(err)
			}
			if img := f.Images[0]; img.Name != "app" || len(img.Tags) != 2 || img.Tags[1].String() != "type=semver,pattern={{major}}.{{minor}}" || img.Line != 17 {
				t.Errorf("got %+v", img)
			}
		})
	}
}

func crlf(s string) string {
	var out []byte
	for _, c := range []byte(s) {
		if c == '\n' {
			out = append(out, '\r')
		}
		out = append(out, c)
	}
	return string(out)
}
