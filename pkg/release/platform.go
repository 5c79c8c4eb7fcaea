package release

import (
	"slices"
	"strings"

	"github.com/taglast/taglast/internal/platform"
)

// Platform is an operating system, an architecture and, where there is one, its variant, as containerd normalises them:
// two texts that mean the same platform give equal values. The zero value is no platform.
type Platform platform.Platform

// ParsePlatform reads os/arch or os/arch/variant and normalises it; anything else is an error that quotes the text.
func ParsePlatform(text string) (Platform, error) {
	p, err := platform.Parse(text)
	return Platform(p), err
}

// String is os/arch or os/arch/variant, and empty for the zero value.
func (p Platform) String() string { return platform.Platform(p).String() }

// platforms reads the platforms that a source must have. A comma joins them in every peer's input of this name; no
// platform has one.
func (r *resolver) platforms(img *Image) error {
	lines, err := r.entries(r.value("platforms"), false)
	if err != nil {
		return err
	}
	for _, line := range lines {
		for _, one := range strings.Split(line.text, ",") {
			p, err := ParsePlatform(one)
			if err != nil {
				return line.at.errorf("%s", err)
			}
			if slices.Contains(img.Platforms, p) {
				return line.at.errorf("platform %s is named twice", p)
			}
			img.Platforms = append(img.Platforms, p)
		}
	}
	return nil
}
