package tagrule

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	version "github.com/aquasecurity/go-pep440-version"

	"github.com/taglast/taglast/internal/escape"
)

type pythonVersion struct {
	version.Version
	local string // as written
}

var digits = regexp.MustCompile(`[0-9]+`)

// parsePEP440 reads a version in any spelling that PEP 440 allows, without blanks around it. Numbers that JavaScript
// would round are refused: two versions would be one.
func parsePEP440(s string) (pythonVersion, bool) {
	if strings.ContainsFunc(s, func(c rune) bool { return c <= ' ' || c >= utf8.RuneSelf }) {
		return pythonVersion{}, false
	}
	public, local, _ := strings.Cut(s, "+")
	for _, digits := range digits.FindAllString(public, -1) {
		if n, err := strconv.ParseUint(digits, 10, 64); err != nil || n > maxSemverNumber && formatNumber(float64(n)) != digits {
			return pythonVersion{}, false
		}
	}
	v, err := version.Parse(s)
	return pythonVersion{v, local}, err == nil
}

// text is the version in PEP 440's normal form, but for the local part, which the original takes apart, reads as numbers
// where JavaScript does, and joins with commas.
func (v pythonVersion) text() string {
	if v.local == "" {
		return v.String()
	}
	parts := strings.FieldsFunc(v.local, func(c rune) bool { return c == '-' || c == '_' || c == '.' })
	for i, p := range parts {
		if n, ok := parseNumber(p); ok {
			parts[i] = formatNumber(n)
		} else {
			parts[i] = strings.ToLower(p)
		}
	}
	return v.Public() + "+" + strings.Join(parts, ",")
}

// release are the numbers of the release segment.
func (v pythonVersion) release() []string {
	base := v.BaseVersion()
	return strings.Split(base[strings.IndexByte(base, '!')+1:], ".")
}

// special tells of a pre-, post- or development release.
func (v pythonVersion) special() bool { return v.IsPreRelease() || v.IsPostRelease() }

// pep440Value is type=pep440: the pattern over a version; of a pre-, post- or development release the version alone,
// whatever the pattern, but for a pattern that is {{raw}} and nothing beside.
func pep440Value(r Rule, f *facts) (made, string, error) {
	source, reason, err := r.version(f)
	if err != nil || reason != "" {
		return made{}, reason, err
	}
	v, ok := parsePEP440(source)
	if !ok {
		return made{}, fmt.Sprintf("%s is not a PEP 440 version", escape.Bounded(source, 128)), nil
	}
	out := made{kind: kindPEP440, source: source}
	// 1.2.3 of 1.2.3.4, as 1.2, is a part of the version.
	part := len(v.release()) > 3 && r.pattern.has("patch") && !r.pattern.has("version") && !r.pattern.has("raw")
	public := v.Public()[strings.IndexByte(v.Public(), '!')+1:]
	out.version = fullVersion{text: public, pep: v, kind: kindPEP440, pre: v.IsPreRelease()}
	if plain, ok := parsePEP440(public); ok { // without epoch and local part: these are affixes of the series
		out.version.pep = plain
	}
	out.whole = v.special() || len(v.release()) >= 3
	out.spell(public)
	switch {
	case !v.special():
		out.latest, out.alias = true, r.pattern.alias() || part
	case r.pattern.raw:
		out.text = source
		return out, "", nil
	default:
		out.text = v.text()
		return out, "", nil
	}
	numbers := append(v.release(), "0", "0")  // a number that is not written is 0
	if r.pattern.has("patch") && !out.alias { // 2026.1.0 of 2026.1
		out.whole = true
		out.spell(strings.Join(numbers[:3], "."))
	}
	out.text, err = r.pattern.render(named(map[string]string{
		"raw": source, "version": v.text(), "major": numbers[0], "minor": numbers[1], "patch": numbers[2],
	}))
	return out, "", err
}
