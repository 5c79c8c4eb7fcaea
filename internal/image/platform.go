package image

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/taglast/taglast/internal/platform"
)

// ociPlatform is the platform object of the OCI image index specification.
type ociPlatform struct {
	Architecture string   `json:"architecture"`
	OS           string   `json:"os"`
	OSVersion    string   `json:"os.version,omitempty"`
	OSFeatures   []string `json:"os.features,omitempty"`
	Variant      string   `json:"variant,omitempty"`
}

// normalised is p with its name as containerd normalises it. It is an error where a part is missing or not a word.
func (p ociPlatform) normalised() (ociPlatform, error) {
	n, err := platform.New(p.OS, p.Architecture, p.Variant)
	if err != nil {
		return ociPlatform{}, err
	}
	p.OS, p.Architecture, p.Variant = n.OS, n.Architecture, n.Variant
	return p, nil
}

// normalName is the name of a platform that is normal already: p without what tells one Windows from another.
func (p ociPlatform) normalName() platform.Platform {
	return platform.Platform{OS: p.OS, Architecture: p.Architecture, Variant: p.Variant}
}

// same says whether an index may hold only one of p and q: Windows images of one architecture differ by OS version.
func (p ociPlatform) same(q ociPlatform) bool {
	return p.normalName() == q.normalName() && p.OSVersion == q.OSVersion && slices.Equal(p.OSFeatures, q.OSFeatures)
}

func (p ociPlatform) compare(q ociPlatform) int {
	return cmp.Or(
		p.normalName().Compare(q.normalName()),
		strings.Compare(p.OSVersion, q.OSVersion),
		slices.Compare(p.OSFeatures, q.OSFeatures),
	)
}

// equivalent reports whether p and q have the same name as they are: linux/i386/sse2 is linux/386, for i386 has no variants.
func (p ociPlatform) equivalent(q ociPlatform) bool {
	a, errA := p.normalised()
	b, errB := q.normalised()
	return errA == nil && errB == nil && a.normalName() == b.normalName()
}

// reconcilePlatforms is the normal platform of an image whose descriptor says listed (nil where it says nothing) and whose config
// says config. What both name must be the same. Configs of old builders have no variant: then the descriptor's holds.
func reconcilePlatforms(listed *ociPlatform, config ociPlatform) (ociPlatform, error) {
	if config.OS == "" || config.Architecture == "" {
		return ociPlatform{}, fmt.Errorf("its config names no os or no architecture")
	}
	if listed == nil {
		return config.normalised()
	}
	have, want := *listed, config
	if !have.equivalent(want) {
		want.Variant = cmp.Or(want.Variant, have.Variant)
		have.Variant = cmp.Or(have.Variant, want.Variant)
	}
	if have.OSVersion != "" && want.OSVersion != "" && have.OSVersion != want.OSVersion {
		return ociPlatform{}, fmt.Errorf("its descriptor says os.version %s, its config %s", quote(have.OSVersion), quote(want.OSVersion))
	}
	have.OSVersion = cmp.Or(have.OSVersion, want.OSVersion)
	if len(have.OSFeatures) == 0 {
		have.OSFeatures = want.OSFeatures
	}
	have, err := have.normalised()
	if err != nil {
		return ociPlatform{}, err
	}
	want, err = want.normalised()
	if err != nil {
		return ociPlatform{}, err
	}
	if have.normalName() != want.normalName() {
		return ociPlatform{}, fmt.Errorf("its descriptor says %s, its config %s", have.normalName(), want.normalName())
	}
	return have, nil
}
