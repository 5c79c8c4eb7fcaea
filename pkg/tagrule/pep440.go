package tagrule

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	version "github.com/aquasecurity/go-pep440-version"

	"github.com/taglast/taglast/internal/escape"
	"github.com/taglast/taglast/pkg/tagrule/internal/js"
)

type pythonVersion struct {
	version.Version
	numbers []string // of the release segment
	local   string   // the local part as written
}

var digits = regexp.MustCompile(`[0-9]+`)

// parsePEP440 reads a version in any spelling that PEP 440 allows, without blanks around it. Numbers that JavaScript
// would round are refused, since two versions would be the same.
func parsePEP440(s string) (pythonVersion, bool) {
	if strings.ContainsFunc(s, func(c rune) bool { return c <= ' ' || c >= utf8.RuneSelf }) {
		return pythonVersion{}, false
	}
	public, local, _ := strings.Cut(s, "+")
	for _, digits := range digits.FindAllString(public, -1) {
		if n, err := strconv.ParseUint(digits, 10, 64); err != nil || n > js.MaxSafeInteger && js.FormatNumber(float64(n)) != digits {
			return pythonVersion{}, false
		}
	}
	v, err := version.Parse(s)
	if err != nil {
		return pythonVersion{}, false
	}
	base := v.BaseVersion()
	return pythonVersion{v, strings.Split(base[strings.IndexByte(base, '!')+1:], "."), local}, true
}

// text is the version in PEP 440's normal form, but for the local part, which the original splits, reads as numbers where
// JavaScript does, and joins with commas.
func (v pythonVersion) text() string {
	if v.local == "" {
		return v.String()
	}
	parts := strings.FieldsFunc(v.local, func(c rune) bool { return c == '-' || c == '_' || c == '.' })
	for i, p := range parts {
		if n, ok := js.ParseNumber(p); ok {
			parts[i] = js.FormatNumber(n)
		} else {
			parts[i] = strings.ToLower(p)
		}
	}
	return v.Public() + "+" + strings.Join(parts, ",")
}

// isPreOrPost tells of a pre-, post- or development release.
func (v pythonVersion) isPreOrPost() bool { return v.IsPreRelease() || v.IsPostRelease() }

// pep440Value is type=pep440: the pattern over a version. A pre-, post- or development release gives the version alone,
// whatever the pattern, unless the pattern is {{raw}} and nothing beside.
func pep440Value(r Rule, e *evaluation) (ruleValue, string, error) {
	source, reason, err := r.versionSource(e)
	if err != nil || reason != "" {
		return ruleValue{}, reason, err
	}
	v, ok := parsePEP440(source)
	if !ok {
		return ruleValue{}, fmt.Sprintf("%s is not a PEP 440 version", escape.Bounded(source, 128)), nil
	}
	out := ruleValue{kind: kindPEP440, source: source}
	public := v.Public()[strings.IndexByte(v.Public(), '!')+1:]
	out.version = fullVersion{text: public, python: v, kind: kindPEP440, isPrerelease: v.IsPreRelease()}
	if plain, ok := parsePEP440(public); ok { // epoch and local part are affixes of the series
		out.version.python = plain
	}
	out.isFullVersion = v.isPreOrPost() || len(v.numbers) >= 3
	out.addSpellings(public)
	switch {
	case !v.isPreOrPost():
		// Of 1.2.3.4, 1.2.3 is a part as 1.2 is.
		leavesOutFourth := len(v.numbers) > 3 && r.pattern.Has("patch") && !r.pattern.Has("version") && !r.pattern.Has("raw")
		out.latest, out.alias = true, isAliasPattern(r.pattern) || leavesOutFourth
	case r.pattern.IsOnly("raw"):
		out.text = source
		return out, "", nil
	default:
		out.text = v.text()
		return out, "", nil
	}
	if r.pattern.Has("patch") && !out.alias { // of 2026.1 it gives 2026.1.0, which is full
		out.isFullVersion = true
		out.addSpellings(strings.Join(v.threeNumbers(), "."))
	}
	out.text, err = v.render(r.pattern, source)
	return out, "", err
}

// threeNumbers are major, minor and patch. A number that is not written is 0.
func (v pythonVersion) threeNumbers() []string {
	return slices.Concat(v.numbers, []string{"0", "0"})[:3]
}

// render renders a pattern with the version, which source writes.
func (v pythonVersion) render(pattern js.Template, source string) (string, error) {
	numbers := v.threeNumbers()
	return pattern.Render(func(x *js.Expression) (string, error) {
		switch x.Name {
		case "raw":
			return source, nil
		case "version":
			return v.text(), nil
		case "major":
			return numbers[0], nil
		case "minor":
			return numbers[1], nil
		case "patch":
			return numbers[2], nil
		}
		return "", errUnknownExpression
	})
}

// pep440PatternText renders the pattern over pre- and post-releases, too: 1.2.0.post1 is one of the versions that 1.2 is an
// alias of, though on its own release the rule gives no 1.2.
func pep440PatternText(r Rule, v fullVersion) (string, bool) {
	python, ok := v.python, true
	if v.kind != kindPEP440 {
		python, ok = parsePEP440(v.text)
	}
	if !ok {
		return "", false
	}
	text, err := python.render(r.pattern, v.text)
	return text, err == nil
}
