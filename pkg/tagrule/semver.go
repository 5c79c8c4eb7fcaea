package tagrule

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/Masterminds/semver/v3"

	"github.com/taglast/taglast/internal/escape"
)

// maxSemverNumber is the highest number that the original's library reads (JavaScript's MAX_SAFE_INTEGER).
const maxSemverNumber = 1<<53 - 1

type semanticVersion struct{ *semver.Version }

// text is the version without build metadata, which the original drops.
func (v semanticVersion) text() string {
	text := fmt.Sprintf("%d.%d.%d", v.Major(), v.Minor(), v.Patch())
	if v.Prerelease() != "" {
		text += "-" + v.Prerelease()
	}
	return text
}

// parseSemver reads a version of Semantic Versioning 2.0.0, with one v before it and blanks around it if need be.
func parseSemver(s string) (semanticVersion, bool) {
	v, err := semver.StrictNewVersion(strings.TrimPrefix(strings.TrimSpace(s), "v"))
	if err != nil || max(v.Major(), v.Minor(), v.Patch()) > maxSemverNumber {
		return semanticVersion{}, false
	}
	return semanticVersion{v}, true
}

// semverValue is type=semver: the pattern over a version; of a pre-release the version alone, whatever the pattern.
func semverValue(r Rule, e Event) (made, string) {
	text, reason := r.source(e)
	if reason != "" {
		return made{}, reason
	}
	v, ok := parseSemver(text)
	if !ok {
		return made{}, fmt.Sprintf("%s is not a semantic version", escape.Bounded(text, 128))
	}
	if v.Prerelease() != "" {
		return made{text: v.text()}, ""
	}
	return made{
		text: r.pattern.render(map[string]string{
			"version": v.text(),
			"major":   strconv.FormatUint(v.Major(), 10),
			"minor":   strconv.FormatUint(v.Minor(), 10),
			"patch":   strconv.FormatUint(v.Patch(), 10),
		}),
		latest: true,
		alias:  r.pattern.alias(),
	}, ""
}
