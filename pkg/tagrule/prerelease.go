package tagrule

import (
	"regexp"
	"slices"
	"strings"
)

// prereleaseWords begin the pre-releases that people publish. What follows M.m.p- and begins with none of them is more
// likely the name of a variant: 1.2.0-alpine is not a pre-release of 1.2.0.
var prereleaseWords = []string{
	"a", "alpha", "b", "beta", "c", "canary", "dev", "ea", "edge", "insiders", "m", "milestone", "next", "nightly", "pre",
	"preview", "rc", "snapshot", "test",
}

var leadingLetters = regexp.MustCompile(`^[A-Za-z]*`)

// prereleaseWord is the letters that a semantic pre-release begins with; empty where it begins with others.
func (v fullVersion) prereleaseWord() string {
	if v.kind != kindSemver {
		return ""
	}
	return strings.ToLower(leadingLetters.FindString(v.semantic.Prerelease()))
}

// prereleaseVariant is what follows the first dash in a semantic pre-release: of rc.1-alpine the name of a variant.
func (v fullVersion) prereleaseVariant() string {
	if v.kind != kindSemver {
		return ""
	}
	_, variant, _ := strings.Cut(v.semantic.Prerelease(), "-")
	return variant
}

// isPlausibleBeside says whether v, read from a tag, is likely a version of the same software as own: a release, unless it
// is a date and own begins with no year, or what looks like a pre-release, and not like a variant.
func (v fullVersion) isPlausibleBeside(own fullVersion) bool {
	if !v.isPrerelease {
		return !v.isDate() || own.startsWithYear()
	}
	word := v.prereleaseWord()
	known := word == "" || word == own.prereleaseWord() || slices.Contains(prereleaseWords, word)
	return v.kind != kindSemver || known && v.prereleaseVariant() == own.prereleaseVariant()
}

// splitVariant splits a text that no version rule gave, 1.2.3-alpine, into its version and the variant's name behind it.
func splitVariant(s string) (version, suffix string) {
	v, ok := parseFullVersion(kindSemver, s, 2)
	if ok && v.isPrerelease && v.prereleaseWord() != "" && !slices.Contains(prereleaseWords, v.prereleaseWord()) {
		i := strings.IndexByte(s, '-')
		return s[:i], s[i:]
	}
	return s, ""
}
