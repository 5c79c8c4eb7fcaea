package tagrule

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/taglast/taglast/internal/escape"
	"github.com/taglast/taglast/internal/nearest"
)

// Image is a name that tags are made for.
type Image struct {
	Name   string // in lower case
	Enable bool
}

var imageKeys = []string{"name", "enable"}

// ParseImages reads image lines: CSV records of name= (or a bare name) and enable=true|false. A single line without any
// key is the old form, a list of names.
func ParseImages(lines []string) ([]Image, error) {
	var out []Image
	for _, line := range lines {
		fields, err := record(line)
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
		key, value = strings.ToLower(trim(key)), trim(value)
		if !found {
			key, value = "name", trim(field)
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
