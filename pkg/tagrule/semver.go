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

// maxSemverLength is the longest text that it reads.
const maxSemverLength = 256

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
	if len(s) > maxSemverLength {
		return semanticVersion{}, false
	}
	v, err := semver.StrictNewVersion(strings.TrimPrefix(trim(s), "v"))
	if err != nil || max(v.Major(), v.Minor(), v.Patch()) > maxSemverNumber {
		return semanticVersion{}, false
	}
	return semanticVersion{v}, true
}

// semverValue is type=semver: the pattern over a version; of a pre-release the version alone, whatever the pattern, but
// for a pattern that is {{raw}} and nothing beside.
func semverValue(r Rule, f *facts) (made, string, error) {
	source, reason, err := r.version(f)
	if err != nil || reason != "" {
		return made{}, reason, err
	}
	v, ok := parseSemver(source)
	if !ok {
		return made{}, fmt.Sprintf("%s is not a semantic version", escape.Bounded(source, 128)), nil
	}
	out := made{kind: kindSemver, source: source}
	out.version, out.whole = fullVersion{text: v.text(), sem: v, kind: kindSemver, pre: v.Prerelease() != ""}, true
	out.spell(v.text())
	switch {
	case v.Prerelease() == "":
		out.latest, out.alias = true, r.pattern.alias()
	case !r.pattern.raw:
		out.text = v.text()
		return out, "", nil
	}
	out.text, err = r.pattern.render(named(map[string]string{
		"raw":     source,
		"version": v.text(),
		"major":   strconv.FormatUint(v.Major(), 10),
		"minor":   strconv.FormatUint(v.Minor(), 10),
		"patch":   strconv.FormatUint(v.Patch(), 10),
		// lists, which JavaScript joins with commas
		"prerelease": strings.ReplaceAll(v.Prerelease(), ".", ","),
		"build":      strings.ReplaceAll(v.Metadata(), ".", ","),
	}))
	return out, "", err
}
