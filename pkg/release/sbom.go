package release

import (
	"strings"
	"unicode"
)

// sbomKey is a switch, or a map that says where files are.
var sbomKey = key{
	name: "sbom", shape: switchOrObject, words: []string{"false", "true"},
	keys: []key{
		{name: "path", required: true, doc: "A file for each platform, SPDX or CycloneDX in JSON, with {{platform}}, {{os}}, {{arch}} and {{arch-variant}} in its name."},
	},
	doc: "A signed SBOM attestation for each platform: true takes what BuildKit makes or left in the source, path takes files.",
}

func sbomLevel() level { return level{"`sbom`", sbomKey.keys} }

// platformPlaceholders are what a path for each platform may hold beside {{image}}, and what they stand for.
var platformPlaceholders = []struct {
	name  string
	value func(Platform) string
}{
	{"platform", Platform.String},
	{"os", func(p Platform) string { return p.OS }},
	{"arch", func(p Platform) string { return p.Architecture }},
	{"arch-variant", func(p Platform) string { return p.Variant }},
}

func platformPlaceholderNames() []string {
	var names []string
	for _, p := range platformPlaceholders {
		names = append(names, p.name)
	}
	return names
}

// PathFor is the path of the file for a platform: {{platform}} is os/arch or os/arch/variant, and {{arch-variant}} is
// empty where the platform has no variant. It is empty where Path is.
func (s SBOM) PathFor(p Platform) string {
	var pairs []string
	for _, one := range platformPlaceholders {
		pairs = append(pairs, "{{"+one.name+"}}", one.value(p))
	}
	return strings.NewReplacer(pairs...).Replace(s.Path)
}

// sbom reads where the software bill of materials of each platform comes from.
func (r *resolver) sbom(img *Image) error {
	n := r.entry.value(sbomKey.name)
	if n == nil || n.kind != mapping {
		word, err := r.choice(sbomKey, n)
		img.SBOM.FromBuild = word == "true"
		if err == nil && img.SBOM.FromBuild && img.Source.Kind() == imageKind.name() {
			return n.at.errorf("image %s: an image that is copied whole has the SBOMs of its source, and no build makes one", img.Name).
				withHint("give a file for each platform: `sbom: {path: \"dist/{{arch}}.spdx.json\"}`")
		}
		return err
	}
	file := n.value("path")
	out, err := r.expand(file, scope{image: r.image, platform: true})
	if err != nil {
		return err
	}
	if out = strings.TrimSpace(out); out == "" {
		return file.at.errorf("`path` is empty")
	}
	if strings.ContainsFunc(out, unicode.IsControl) {
		return file.at.errorf("`path` has a control character: %s", quote(out))
	}
	img.SBOM.Path = out
	first := map[string]Platform{}
	for _, p := range img.Platforms {
		one := img.SBOM.PathFor(p)
		if other, ok := first[one]; ok {
			return file.at.errorf("image %s: %s and %s would have one SBOM, %s", img.Name, other, p, quote(one)).
				withHint("an SBOM is of one platform: put {{arch}} into the path, with {{os}} or {{arch-variant}} where those differ, or {{platform}}")
		}
		first[one] = p
	}
	return nil
}
