package tagrule

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/taglast/taglast/internal/escape"
	"github.com/taglast/taglast/internal/nearest"
	"github.com/taglast/taglast/pkg/tagrule/internal/js"
)

// Image is a name that tags are given to.
type Image struct {
	Name   string // in lower case
	Enable bool   // whether it gets tags
}

var imageKeys = []string{"name", "enable"}

// ParseImages reads image lines: CSV records of name= (or a bare name) and enable=true|false. A single line without any
// key is the old form, a list of names. No lines give no images. Errors: an unknown key, an enable that is neither, an
// image without a name.
func ParseImages(lines []string) ([]Image, error) {
	var out []Image
	for _, line := range lines {
		fields, err := parseRecord(line)
		if err != nil {
			return nil, err
		}
		if len(lines) > 1 || slices.ContainsFunc(fields, func(f string) bool { return strings.Contains(f, "=") }) {
			image, err := parseImage(fields)
			if err != nil {
				return nil, err
			}
			out = append(out, image)
			continue
		}
		for _, name := range fields {
			image, err := parseImage([]string{name})
			if err != nil {
				return nil, err
			}
			out = append(out, image)
		}
	}
	return out, nil
}

func parseImage(fields []string) (Image, error) {
	image := Image{Enable: true}
	for _, field := range fields {
		key, value, found := strings.Cut(field, "=")
		key, value = strings.ToLower(js.Trim(key)), js.Trim(value)
		if !found {
			key, value = "name", js.Trim(field)
		}
		switch {
		case strings.Contains(value, "="):
			return Image{}, fmt.Errorf("image `%s` has a second `=`", escape.Bounded(field, 80))
		case key == "name":
			image.Name = strings.ToLower(value)
		case key == "enable":
			if value != "true" && value != "false" {
				return Image{}, fmt.Errorf("image enable=%s: it is `true` or `false`", escape.Bounded(value, 80))
			}
			image.Enable = value == "true"
		default:
			if near := nearest.Word(key, imageKeys); near != "" {
				return Image{}, fmt.Errorf("unknown image attribute `%s`; did you mean `%s`?", escape.Bounded(key, 80), near)
			}
			return Image{}, fmt.Errorf("unknown image attribute `%s`; it is %s", escape.Bounded(key, 80), strings.Join(imageKeys, " or "))
		}
	}
	if image.Name == "" {
		return Image{}, errors.New("an image without a name")
	}
	return image, nil
}
