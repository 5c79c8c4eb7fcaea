package release

import (
	"fmt"
	"regexp"
	"strings"
)

var platformPart = regexp.MustCompile(`^[a-z0-9_]+$`)

// architectures are other names that containerd reads, with the variant that they imply.
var architectures = map[string]string{
	"x86_64": "amd64", "x86-64": "amd64", "i386": "386", "aarch64": "arm64", "armhf": "arm/v7", "armel": "arm/v6",
}

// Platform is os/arch or os/arch/variant in the form that containerd normalises to: linux/arm64/v8 is linux/arm64,
// linux/arm is linux/arm/v7, linux/x86_64 is linux/amd64. Anything else is an error.
func Platform(s string) (string, error) {
	parts := strings.Split(strings.ToLower(strings.TrimSpace(s)), "/")
	if len(parts) < 2 || len(parts) > 3 {
		return "", fmt.Errorf("platform %s: it is os/arch or os/arch/variant", quoted(s))
	}
	if parts[0] == "macos" {
		parts[0] = "darwin"
	}
	if other, ok := architectures[parts[1]]; ok {
		arch, variant, _ := strings.Cut(other, "/")
		parts[1] = arch
		if variant != "" && len(parts) == 2 {
			parts = append(parts, variant)
		}
	}
	for _, p := range parts {
		if !platformPart.MatchString(p) {
			return "", fmt.Errorf("platform %s: it is os/arch or os/arch/variant", quoted(s))
		}
	}
	os, arch, variant := parts[0], parts[1], ""
	if len(parts) == 3 {
		variant = parts[2]
	}
	switch arch {
	case "amd64":
		if variant == "v1" {
			variant = ""
		}
	case "arm64":
		if variant == "8" || variant == "v8" || variant == "v8_0" {
			variant = ""
		}
	case "arm":
		switch variant {
		case "":
			variant = "v7"
		case "5", "6", "7", "8":
			variant = "v" + variant
		}
	}
	if variant != "" {
		return os + "/" + arch + "/" + variant, nil
	}
	return os + "/" + arch, nil
}

func (r *resolver) platforms(img *Image) error {
	// A comma joins platforms in every peer's input of this name; no platform has one.
	lines, err := r.entries(r.value("platforms"), false)
	if err != nil {
		return err
	}
	seen := map[string]bool{}
	for _, line := range lines {
		for _, one := range strings.Split(line.text, ",") {
			p, err := Platform(one)
			if err != nil {
				return line.at.errorf("%s", err)
			}
			if seen[p] {
				return line.at.errorf("platform %s is named twice", p)
			}
			seen[p] = true
			img.Platforms = append(img.Platforms, p)
		}
	}
	return nil
}
