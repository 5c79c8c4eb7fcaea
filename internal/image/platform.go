package image

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// platform is the platform object of the OCI image index specification.
type platform struct {
	Architecture string   `json:"architecture"`
	OS           string   `json:"os"`
	OSVersion    string   `json:"os.version,omitempty"`
	OSFeatures   []string `json:"os.features,omitempty"`
	Variant      string   `json:"variant,omitempty"`
}

// The characters that containerd allows in a part of a platform.
var platformPart = regexp.MustCompile(`^[A-Za-z0-9_.-]+$`)

// NormalisePlatform brings os/arch[/variant] into containerd's normal form: linux/x86_64 is linux/amd64,
// linux/arm64/v8 is linux/arm64, linux/arm is linux/arm/v7.
func NormalisePlatform(s string) (string, error) {
	parts := strings.Split(s, "/")
	if len(parts) < 2 || len(parts) > 3 {
		return "", fmt.Errorf("platform %s is not os/arch or os/arch/variant", quote(s))
	}
	p := platform{OS: parts[0], Architecture: parts[1]}
	if len(parts) == 3 {
		p.Variant = parts[2]
		if p.Variant == "" {
			return "", fmt.Errorf("platform %s is not os/arch or os/arch/variant", quote(s))
		}
	}
	p, err := p.normal()
	if err != nil {
		return "", err
	}
	return p.String(), nil
}

// normal is p as containerd's platforms.Normalize gives it; an error where a part is missing or not a word.
func (p platform) normal() (platform, error) {
	for _, part := range []string{p.OS, p.Architecture, cmp.Or(p.Variant, "none")} {
		if !platformPart.MatchString(part) {
			return platform{}, fmt.Errorf("%s is not a platform", quote(p.String()))
		}
	}
	p.OS = strings.ToLower(p.OS)
	if p.OS == "macos" {
		p.OS = "darwin"
	}
	p.Architecture, p.Variant = strings.ToLower(p.Architecture), strings.ToLower(p.Variant)
	switch p.Architecture {
	case "i386":
		p.Architecture, p.Variant = "386", ""
	case "x86_64", "x86-64", "amd64":
		p.Architecture = "amd64"
		if p.Variant == "v1" {
			p.Variant = ""
		}
	case "aarch64", "arm64":
		p.Architecture = "arm64"
		switch p.Variant {
		case "8", "v8", "v8.0":
			p.Variant = ""
		case "9", "9.0", "v9.0":
			p.Variant = "v9"
		}
	case "armhf":
		p.Architecture, p.Variant = "arm", "v7"
	case "armel":
		p.Architecture, p.Variant = "arm", "v6"
	case "arm":
		switch p.Variant {
		case "", "7":
			p.Variant = "v7"
		case "5", "6", "8":
			p.Variant = "v" + p.Variant
		}
	}
	return p, nil
}

func (p platform) String() string {
	if p.Variant != "" {
		return p.OS + "/" + p.Architecture + "/" + p.Variant
	}
	return p.OS + "/" + p.Architecture
}

// attestation says that p is the place holder that BuildKit gives its attestation manifests.
func (p platform) attestation() bool { return p.OS == "unknown" && p.Architecture == "unknown" }

// same says whether an index may hold only one of p and q: Windows images of one architecture differ by OS version.
func (p platform) same(q platform) bool {
	return p.String() == q.String() && p.OSVersion == q.OSVersion && slices.Equal(p.OSFeatures, q.OSFeatures)
}

func (p platform) compare(q platform) int {
	return cmp.Or(
		strings.Compare(p.OS, q.OS),
		strings.Compare(p.Architecture, q.Architecture),
		strings.Compare(p.Variant, q.Variant),
		strings.Compare(p.OSVersion, q.OSVersion),
		slices.Compare(p.OSFeatures, q.OSFeatures),
	)
}

// agree is the normal platform of an image whose descriptor says listed (nil where it says nothing) and whose config
// says config. What both name must be the same. Configs of old builders have no variant: then the descriptor's holds.
func agree(listed *platform, config platform) (platform, error) {
	if config.OS == "" || config.Architecture == "" {
		return platform{}, fmt.Errorf("its config names no os or no architecture")
	}
	if listed == nil {
		return config.normal()
	}
	want := config
	if want.Variant == "" {
		want.Variant = listed.Variant
	}
	have := *listed
	if have.Variant == "" {
		have.Variant = want.Variant
	}
	if have.OSVersion != "" && want.OSVersion != "" && have.OSVersion != want.OSVersion {
		return platform{}, fmt.Errorf("its descriptor says os.version %s, its config %s", quote(have.OSVersion), quote(want.OSVersion))
	}
	have.OSVersion = cmp.Or(have.OSVersion, want.OSVersion)
	if len(have.OSFeatures) == 0 {
		have.OSFeatures = want.OSFeatures
	}
	have, err := have.normal()
	if err != nil {
		return platform{}, err
	}
	want, err = want.normal()
	if err != nil {
		return platform{}, err
	}
	if have.String() != want.String() {
		return platform{}, fmt.Errorf("its descriptor says %s, its config %s", have, want)
	}
	return have, nil
}
