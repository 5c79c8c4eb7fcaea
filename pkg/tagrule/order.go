package tagrule

import (
	"regexp"
	"slices"
	"strings"
)

// fullVersion is a full version of one of the two kinds: comparable with others of its kind, and with no others.
type fullVersion struct {
	text string // as a tag says it, without affixes and v
	sem  semanticVersion
	pep  pythonVersion
	kind string // semver or pep440
	pre  bool   // a pre-release or development release
	tag  string // the whole tag, of a version that was read from one
}

// parseFull reads a full version of that kind: semver M.m.p, or PEP 440 with three or more parts, or with two and a pre-,
// post- or development part (with one it could be a commit: 860c190); a v before it does not count.
func parseFull(kind, s string) (fullVersion, bool) {
	s = strings.TrimPrefix(s, "v")
	if len(s) < 3 || s[0] < '0' || s[0] > '9' { // nothing else begins a version; tens of thousands of tags are asked
		return fullVersion{}, false
	}
	if kind == "semver" {
		v, ok := parseSemver(s)
		return fullVersion{text: s, sem: v, kind: kind, pre: ok && v.Prerelease() != ""}, ok
	}
	if !pythonWords(s) {
		return fullVersion{}, false
	}
	v, ok := parsePEP440(s)
	if n := len(v.release()); !ok || n < 2 || n < 3 && !v.special() || bareNumbers.MatchString(s) {
		return fullVersion{}, false
	}
	return fullVersion{text: s, pep: v, kind: kind, pre: v.IsPreRelease()}, true
}

// pythonWords says that s has no letters but those that PEP 440 has: the whole grammar is slower to ask.
func pythonWords(s string) bool {
	for len(s) > 0 {
		n := 0
		for n < len(s) && (s[n]|0x20 >= 'a' && s[n]|0x20 <= 'z') {
			n++
		}
		if n > 0 {
			switch strings.ToLower(s[:n]) {
			case "a", "alpha", "b", "beta", "c", "rc", "pre", "preview", "post", "rev", "r", "dev":
			default:
				return false
			}
		}
		s = s[max(n, 1):]
	}
	return true
}

func (v fullVersion) compare(o fullVersion) int {
	if v.kind == "semver" {
		return v.sem.Compare(o.sem.Version)
	}
	return v.pep.Compare(o.pep.Version)
}

// words begin the pre-releases that people publish. What follows M.m.p- and begins with none of them is more likely the
// name of a variant: 1.2.0-alpine is not a pre-release of 1.2.0.
var words = []string{
	"a", "alpha", "b", "beta", "c", "canary", "dev", "ea", "edge", "insiders", "m", "milestone", "next", "nightly", "pre",
	"preview", "rc", "snapshot", "test",
}

var letters = regexp.MustCompile(`^[A-Za-z]*`)

// word are the letters that a semantic pre-release begins with.
func (v fullVersion) word() string {
	if v.kind != "semver" {
		return ""
	}
	return strings.ToLower(letters.FindString(v.sem.Prerelease()))
}

// plausible says that v is a release, or looks like a pre-release beside ours.
func (v fullVersion) plausible(ours fullVersion) bool {
	return !v.pre || v.kind != "semver" || v.word() == "" || v.word() == ours.word() || slices.Contains(words, v.word())
}

// variant splits a text that no version rule made, 1.2.3-alpine, into its version and the variant's name behind it.
func variant(s string) (version, suffix string) {
	if v, ok := parseFull("semver", s); ok && v.pre && v.word() != "" && !slices.Contains(words, v.word()) {
		i := strings.IndexByte(s, '-')
		return s[:i], s[i:]
	}
	return s, ""
}
