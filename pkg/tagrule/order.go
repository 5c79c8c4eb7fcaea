package tagrule

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// fullVersion is a version of one of the two kinds: comparable with others of its kind, and with no others. Build metadata
// and local parts are no part of it.
type fullVersion struct {
	text string // as a tag says it, without affixes and v
	sem  semanticVersion
	pep  pythonVersion
	kind string // semver or pep440
	pre  bool   // a pre-release or development release
	tag  string // the whole tag, of a version that was read from one
}

// parseFull reads a full version of that kind: semver M.m.p, or PEP 440 with three or more parts, or with so few as min and
// a pre-, post- or development part; a v before it does not count. In texts that no version rule made, min is two: with
// one part it could be a commit (860c190).
func parseFull(kind, s string, min int) (fullVersion, bool) {
	s = strings.TrimPrefix(strings.TrimPrefix(s, "v"), "V")
	if len(s) < 3 || s[0] < '0' || s[0] > '9' { // nothing else begins a version; tens of thousands of tags are asked
		return fullVersion{}, false
	}
	if kind == kindSemver {
		v, ok := parseSemver(s)
		return fullVersion{text: s, sem: v, kind: kind, pre: ok && v.Prerelease() != ""}, ok
	}
	if !pythonWords(s) {
		return fullVersion{}, false
	}
	v, ok := parsePEP440(s)
	if n := len(v.release()); !ok || n < min || n < 3 && !v.special() || bareNumbers.MatchString(s) {
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
	if v.kind == kindSemver {
		return v.sem.Compare(o.sem.Version)
	}
	return v.pep.Compare(o.pep.Version)
}

// numbers are those of the release, as they are written without leading zeros.
func (v fullVersion) numbers() []string {
	if v.kind == kindSemver {
		return []string{strconv.FormatUint(v.sem.Major(), 10), strconv.FormatUint(v.sem.Minor(), 10), strconv.FormatUint(v.sem.Patch(), 10)}
	}
	return v.pep.release()
}

// begins says whether a text is the beginning of the version's numbers, not all of them: 1.2 of 1.2.3, 2026.01 of 2026.1.5.
func (v fullVersion) begins(text string) bool {
	parts, numbers := strings.Split(text, "."), v.numbers()
	if text == "" || len(parts) >= len(numbers) {
		return false
	}
	for i, part := range parts {
		if strings.Trim(part, "0123456789") != "" || part == "" || withoutZeros(part) != withoutZeros(numbers[i]) {
			return false
		}
	}
	return true
}

func withoutZeros(number string) string {
	return strings.TrimLeft(number[:len(number)-1], "0") + number[len(number)-1:]
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
	if v.kind != kindSemver {
		return ""
	}
	return strings.ToLower(letters.FindString(v.sem.Prerelease()))
}

// tail is what follows the first dash in a semantic pre-release: of rc.1-alpine the name of a variant.
func (v fullVersion) tail() string {
	if v.kind != kindSemver {
		return ""
	}
	_, tail, _ := strings.Cut(v.sem.Prerelease(), "-")
	return tail
}

// plausible says that v, which a tag says, is a version beside ours: a release, unless it is a date and ours are none, or
// what looks like a pre-release, and not like a variant.
func (v fullVersion) plausible(ours fullVersion) bool {
	if !v.pre {
		return !v.isDate() || calendar(ours)
	}
	known := v.word() == "" || v.word() == ours.word() || slices.Contains(words, v.word())
	return v.kind != kindSemver || known && v.tail() == ours.tail()
}

// calendar says that a version's first number is a year.
func calendar(v fullVersion) bool {
	year, err := strconv.Atoi(v.numbers()[0])
	return err == nil && year >= 1990 && year < 2200
}

// isDate tells of 2026.10.31, which is no version where versions do not begin with a year.
func (v fullVersion) isDate() bool {
	n := v.numbers()
	if len(n) != 3 || !calendar(v) {
		return false
	}
	_, err := time.Parse("2006.1.2", strings.Join(n, "."))
	return err == nil
}

// variant splits a text that no version rule made, 1.2.3-alpine, into its version and the variant's name behind it.
func variant(s string) (version, suffix string) {
	if v, ok := parseFull(kindSemver, s, 2); ok && v.pre && v.word() != "" && !slices.Contains(words, v.word()) {
		i := strings.IndexByte(s, '-')
		return s[:i], s[i:]
	}
	return s, ""
}
