package tagrule

import (
	"strconv"
	"strings"
	"time"
)

// fullVersion is a version of one of the two kinds. It is comparable with others of its kind only. Build metadata and local
// parts are no part of it.
type fullVersion struct {
	text         string          // as a tag says it, without affixes and v
	semantic     semanticVersion // of kindSemver
	python       pythonVersion   // of kindPEP440
	kind         string          // kindSemver or kindPEP440
	isPrerelease bool            // it is a pre-release or a development release
	tag          string          // the whole tag, of a version that was read from one
}

// parseFullVersion reads a full version of that kind: semver M.m.p, or PEP 440 with three or more numbers, or with
// minNumbers and a pre-, post- or development part. A v before it does not count. In texts that no version rule gave,
// minNumbers is two: a text with one number could be a commit (860c190).
func parseFullVersion(kind, s string, minNumbers int) (fullVersion, bool) {
	s = strings.TrimPrefix(strings.TrimPrefix(s, "v"), "V")
	if len(s) < 3 || s[0] < '0' || s[0] > '9' { // nothing else begins a version; tens of thousands of tags are asked
		return fullVersion{}, false
	}
	if kind == kindSemver {
		v, ok := parseSemver(s)
		return fullVersion{text: s, semantic: v, kind: kind, isPrerelease: ok && v.Prerelease() != ""}, ok
	}
	if !hasOnlyPEP440Words(s) {
		return fullVersion{}, false
	}
	v, ok := parsePEP440(s)
	if n := len(v.numbers); !ok || n < minNumbers || n < 3 && !v.isPreOrPost() || implicitPostRelease.MatchString(s) {
		return fullVersion{}, false
	}
	return fullVersion{text: s, python: v, kind: kind, isPrerelease: v.IsPreRelease()}, true
}

// hasOnlyPEP440Words says whether s has no words but those of PEP 440. It is a quick check before the whole grammar.
func hasOnlyPEP440Words(s string) bool {
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
		return v.semantic.Compare(o.semantic.Version)
	}
	return v.python.Compare(o.python.Version)
}

// numbers are those of the release, without leading zeros.
func (v fullVersion) numbers() []string {
	if v.kind == kindSemver {
		return []string{
			strconv.FormatUint(v.semantic.Major(), 10), strconv.FormatUint(v.semantic.Minor(), 10), strconv.FormatUint(v.semantic.Patch(), 10),
		}
	}
	return v.python.numbers
}

// startsWith says whether a text is the first of the version's numbers, and not all: 1.2 of 1.2.3, 2026.01 of 2026.1.5.
func (v fullVersion) startsWith(text string) bool {
	parts, numbers := strings.Split(text, "."), v.numbers()
	if text == "" || len(parts) >= len(numbers) {
		return false
	}
	for i, part := range parts {
		if strings.Trim(part, "0123456789") != "" || part == "" || trimZeros(part) != trimZeros(numbers[i]) {
			return false
		}
	}
	return true
}

// trimZeros takes leading zeros off a number, but not its last digit.
func trimZeros(number string) string {
	return strings.TrimLeft(number[:len(number)-1], "0") + number[len(number)-1:]
}

// startsWithYear says whether the version's first number is a year.
func (v fullVersion) startsWithYear() bool {
	year, err := strconv.Atoi(v.numbers()[0])
	return err == nil && year >= 1990 && year < 2200
}

// isDate tells of 2026.10.31, which is no version where versions do not begin with a year.
func (v fullVersion) isDate() bool {
	n := v.numbers()
	if len(n) != 3 || !v.startsWithYear() {
		return false
	}
	_, err := time.Parse("2006.1.2", strings.Join(n, "."))
	return err == nil
}
