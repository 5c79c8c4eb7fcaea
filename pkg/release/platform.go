package release

import (
	"slices"
	"strings"

	"github.com/taglast/taglast/internal/platform"
)

// platforms reads the platforms that a source must have. A comma joins them in every peer's input of this name; no
// platform has one.
func (r *resolver) platforms(img *Image) error {
	lines, err := r.entries(r.value("platforms"), false)
	if err != nil {
		return err
	}
	for _, line := range lines {
		for _, one := range strings.Split(line.text, ",") {
			p, err := platform.Parse(one)
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
