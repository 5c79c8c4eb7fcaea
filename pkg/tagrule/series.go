package tagrule

import (
	"slices"
	"strings"
)

// series is the full versions whose tags have exactly one prefix and one suffix. This release has a version in it.
type series struct {
	prefix, suffix  string // what stands around the version: the rule's affixes, and text of its pattern
	version         fullVersion
	spellings       []string // how a tag may write the version
	fromVersionRule bool     // a semver or pep440 rule gave the tag, no plain text
	hasMetadata     bool     // build metadata or a local part follows the version in the tag

	releases, prereleases []fullVersion // that a repository's tags say, highest first
}

// series is the series of the full version that a tag says; ok is false where it says none.
func (t Tag) series() (s series, ok bool) {
	if t.value.alias || t.value.fixed || t.ruleIndex == noRule {
		return series{}, false
	}
	s = series{prefix: t.prefix, suffix: t.suffix, fromVersionRule: t.value.kind != ""}
	if s.fromVersionRule {
		ok = t.value.isFullVersion && s.locateVersion(t.withoutAffixes(), t.value)
	} else {
		ok = s.readPlainText(t.withoutAffixes(), t.value)
	}
	if t.value.suffixVaries { // another release has another suffix, which is like metadata then
		s.suffix, s.hasMetadata = strings.TrimSuffix(s.suffix, t.suffix), true
	}
	return s, ok
}

// readPlainText reads the version in a text that no version rule gave. A variant's name and metadata may follow it.
func (s *series) readPlainText(text string, v ruleValue) (ok bool) {
	if release, _, plus := strings.Cut(v.text, "+"); plus {
		text, s.hasMetadata = sanitise(release), true
	}
	version, variant := splitVariant(text)
	if s.version, ok = parseFullVersion(kindSemver, version, 2); !ok {
		s.version, ok = parseFullVersion(kindPEP440, version, 2)
	}
	s.suffix, s.spellings = variant+s.suffix, []string{s.version.text}
	return ok
}

// locateVersion looks for the version in the text that a version rule gave, and adds what stands around it to the affixes.
// A v before it, and metadata behind it, belong to the version. It returns false where the text says another thing.
func (s *series) locateVersion(text string, v ruleValue) bool {
	longest := ""
	for _, spelling := range v.spellings {
		if len(spelling) > len(longest) && strings.Contains(text, spelling) {
			longest = spelling
		}
	}
	if longest == "" {
		return false
	}
	before, behind, _ := strings.Cut(text, longest)
	if rest, ok := strings.CutPrefix(behind, v.metadata); ok && v.metadata != "" {
		behind, s.hasMetadata = rest, true
	}
	s.version, s.spellings = v.version, v.spellings
	s.prefix += strings.TrimSuffix(before, "v")
	s.suffix = behind + s.suffix
	return true
}

// allSeries are those in which this release has a version. Of two versions in one series the higher counts; but a plain
// text does not stand above what a version rule says, since it may be a date.
func (r Result) allSeries() []*series {
	var out []*series
	for _, t := range r.Tags {
		s, ok := t.series()
		if !ok {
			continue
		}
		i := slices.IndexFunc(out, func(o *series) bool { return o.prefix == s.prefix && o.suffix == s.suffix })
		switch {
		case i < 0:
			out = append(out, &s)
		case out[i].fromVersionRule != s.fromVersionRule:
			if s.fromVersionRule {
				out[i] = &s
			}
		case out[i].version.kind == s.version.kind && s.version.compare(out[i].version) > 0:
			out[i] = &s
		}
	}
	return out
}

// readVersions reads the versions of this series from a repository's tags.
func (s *series) readVersions(tags []string) {
	for _, tag := range tags {
		if len(tag) <= len(s.prefix)+len(s.suffix) || !strings.HasPrefix(tag, s.prefix) || !strings.HasSuffix(tag, s.suffix) {
			continue
		}
		v, ok := s.parseVersion(tag[len(s.prefix) : len(tag)-len(s.suffix)])
		if v.tag = tag; !ok || !v.isPlausibleBeside(s.version) {
			continue
		}
		if v.isPrerelease {
			s.prereleases = append(s.prereleases, v)
		} else {
			s.releases = append(s.releases, v)
		}
	}
	for _, list := range [][]fullVersion{s.releases, s.prereleases} {
		slices.SortFunc(list, func(a, b fullVersion) int { return b.compare(a) })
	}
}

// parseVersion reads a version of the series' kind. Where this release's has metadata, which a tag writes behind a dash, what
// follows another release's dash is metadata too, unless it is a pre-release.
func (s *series) parseVersion(text string) (fullVersion, bool) {
	minNumbers := 2
	if s.fromVersionRule && len(s.version.numbers()) < 2 {
		minNumbers = 1
	}
	v, ok := parseFullVersion(s.version.kind, text, minNumbers)
	release, _, dash := strings.Cut(text, "-")
	if !s.hasMetadata || !dash || ok && (!v.isPrerelease || v.prereleaseWord() != "" && v.isPlausibleBeside(s.version)) {
		return v, ok
	}
	return parseFullVersion(s.version.kind, release, minNumbers)
}
