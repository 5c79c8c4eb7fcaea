package image

import (
	"fmt"
	"slices"
	"strings"

	"github.com/taglast/taglast/internal/hint"
	"github.com/taglast/taglast/internal/platform"
	"github.com/taglast/taglast/pkg/release"
)

// maxPlaces bounds how many places an error lists.
const maxPlaces = 8

// checkPlatforms names the required platforms that no image has.
func (r Request) checkPlatforms(images []*sourceManifest, help string) error {
	var absent []string
	for _, want := range r.Env.Platforms {
		if !slices.ContainsFunc(images, func(f *sourceManifest) bool { return f.platform.normalName() == platform.Platform(want) }) && !slices.Contains(absent, want.String()) {
			absent = append(absent, want.String())
		}
	}
	if len(absent) == 0 {
		return nil
	}
	return hint.With(fmt.Errorf("no %s; found %s", strings.Join(absent, ", "), describePlatforms(images)), help)
}

// checkNoOthers names the images of platforms that were not asked for; where none was, every platform is right.
func (r Request) checkNoOthers(images []*sourceManifest, help string) error {
	for _, f := range images {
		if p := f.platform.normalName(); len(r.Env.Platforms) > 0 && !slices.Contains(r.Env.Platforms, release.Platform(p)) {
			return hint.With(fmt.Errorf("%s was not asked for; found %s", p, describePlatforms(images)), help)
		}
	}
	return nil
}

// describePlatforms lists platforms by where they are: linux/386, linux/amd64 in a.tar and linux/s390x in b.tar.
func describePlatforms(images []*sourceManifest) string {
	var places []string
	platforms := map[string][]string{}
	for _, f := range images {
		if platforms[f.where] == nil {
			places = append(places, f.where)
		}
		if p := f.platform.normalName().String(); !slices.Contains(platforms[f.where], p) {
			platforms[f.where] = append(platforms[f.where], p)
		}
	}
	var out []string
	for i, where := range places {
		if i == maxPlaces {
			out = append(out, fmt.Sprintf("%d more", len(places)-i))
			break
		}
		out = append(out, strings.Join(platforms[where], ", ")+" in "+where)
	}
	return strings.Join(out, " and ")
}

// duplicatePlatformError is the error for two images of one platform.
func duplicatePlatformError(a, b *sourceManifest) error {
	if a.where == b.where {
		err := fmt.Errorf("%s: two images for %s: %s and %s", a.where, a.platform.normalName(), a.Digest, b.Digest)
		return hint.With(err, "`ref` picks one of several images by its name")
	}
	return fmt.Errorf("two images for %s: %s in %s and %s in %s", a.platform.normalName(), a.Digest, a.where, b.Digest, b.where)
}

func plural(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %ss", n, one)
}
