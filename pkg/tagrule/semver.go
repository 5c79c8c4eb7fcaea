package tagrule

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/Masterminds/semver/v3"

	"github.com/taglast/taglast/internal/escape"
	"github.com/taglast/taglast/pkg/tagrule/internal/js"
)

// maxSemverLength is the length of the longest text that the original's library reads. Its highest number is
// js.MaxSafeInteger.
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

// parseSemver reads a version of Semantic Versioning 2.0.0. One v before it and blanks around it do not count.
func parseSemver(s string) (semanticVersion, bool) {
	if len(s) > maxSemverLength {
		return semanticVersion{}, false
	}
	v, err := semver.StrictNewVersion(strings.TrimPrefix(js.Trim(s), "v"))
	if err != nil || max(v.Major(), v.Minor(), v.Patch()) > js.MaxSafeInteger {
		return semanticVersion{}, false
	}
	return semanticVersion{v}, true
}

// semverValue is type=semver: the pattern over a version. A pre-release gives the version alone, whatever the pattern,
// unless the pattern is {{raw}} and nothing beside.
func semverValue(r Rule, e *evaluation) (ruleValue, string, error) {
	source, reason, err := r.versionSource(e)
	if err != nil || reason != "" {
		return ruleValue{}, reason, err
	}
	v, ok := parseSemver(source)
	if !ok {
		return ruleValue{}, fmt.Sprintf("%s is not a semantic version", escape.Bounded(source, 128)), nil
	}
	out := ruleValue{kind: kindSemver, source: source}
	out.version, out.isFullVersion = fullVersion{text: v.text(), semantic: v, kind: kindSemver, isPrerelease: v.Prerelease() != ""}, true
	out.addSpellings(v.text())
	switch {
	case v.Prerelease() == "":
		out.latest, out.alias = true, isAliasPattern(r.pattern)
	case !r.pattern.IsOnly("raw"):
		out.text = v.text()
		return out, "", nil
	}
	out.text, err = v.render(r.pattern, source)
	return out, "", err
}

// render renders a pattern with the version, which source writes.
func (v semanticVersion) render(pattern js.Template, source string) (string, error) {
	return pattern.Render(func(x *js.Expression) (string, error) {
		switch x.Name {
		case "raw":
			return source, nil
		case "version":
			return v.text(), nil
		case "major":
			return strconv.FormatUint(v.Major(), 10), nil
		case "minor":
			return strconv.FormatUint(v.Minor(), 10), nil
		case "patch":
			return strconv.FormatUint(v.Patch(), 10), nil
		// The other two are lists in the original, and JavaScript joins a list with commas.
		case "prerelease":
			return strings.ReplaceAll(v.Prerelease(), ".", ","), nil
		case "build":
			return strings.ReplaceAll(v.Metadata(), ".", ","), nil
		}
		return "", errUnknownExpression
	})
}

func semverPatternText(r Rule, v fullVersion) (string, bool) {
	semantic, ok := v.semantic, true
	if v.kind != kindSemver {
		semantic, ok = parseSemver(v.text)
	}
	if !ok {
		return "", false
	}
	text, err := semantic.render(r.pattern, v.text)
	return text, err == nil
}
