package publish

import "strings"

// bundleName is the file of the bundle about a digest with that predicate type: IMAGE.sigstore.json; and of a platform's
// SBOM IMAGE.OS-ARCH.sbom.sigstore.json, or IMAGE.OS-ARCH-VARIANT.sbom.sigstore.json. Images that differ only in the version
// of their OS have the same platform: the names of their files also have the beginning of the digest.
func bundleName(image string, sboms []platformSBOM, digest, predicateType string) string {
	for _, own := range sboms {
		if own.child.Digest.String() != digest || own.predicateType != predicateType {
			continue
		}
		name := image + "." + strings.ReplaceAll(own.child.Platform.String(), "/", "-")
		for _, other := range sboms {
			if other.child.Platform == own.child.Platform && other.child.Digest != own.child.Digest {
				name += "-" + own.child.Digest.Hex[:12]
				break
			}
		}
		return name + ".sbom.sigstore.json"
	}
	return image + ".sigstore.json"
}
