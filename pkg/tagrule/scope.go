package tagrule

import (
	"slices"
	"strings"
)

// seriesOf are the series that an alias is in: the one whose affixes its text has, or are its name (alpine of the versions
// with -alpine); else the one that has the affixes of its rule; without such a one all of them.
func seriesOf(t Tag, all []*series) []*series {
	best := -1
	for i, s := range all {
		n := len(s.prefix) + len(s.suffix)
		hasAffixes := n > 0 && len(t.Text) > n && strings.HasPrefix(t.Text, s.prefix) && strings.HasSuffix(t.Text, s.suffix)
		isName := n > 0 && strings.TrimRight(s.prefix, "-_.")+strings.TrimLeft(s.suffix, "-_.") == t.Text
		if (hasAffixes || isName) && (best < 0 || n > len(all[best].prefix)+len(all[best].suffix)) {
			best = i
		}
	}
	if best < 0 {
		best = slices.IndexFunc(all, func(s *series) bool { return s.prefix == t.prefix && s.suffix == t.suffix })
	}
	if best < 0 {
		return all
	}
	return all[best : best+1]
}

// ownVersion is this release's version as an alias sees it: that of its own rule, else the series'.
func (s *series) ownVersion(t Tag) fullVersion {
	if t.value.isFullVersion && t.value.kind == s.version.kind {
		return t.value.version
	}
	return s.version
}

// higherVersion is what keeps an alias back: the highest release in its scope above this release's version; where that is a
// pre-release, any release, or the highest pre-release above it. A release is not kept back by pre-releases.
func (r Result) higherVersion(s *series, t Tag) (fullVersion, bool) {
	own := s.ownVersion(t)
	lists := [][]fullVersion{s.releases}
	if own.isPrerelease {
		lists = append(lists, s.prereleases)
	}
	for _, list := range lists {
		for _, v := range list {
			if v.compare(own) <= 0 && (v.isPrerelease || !own.isPrerelease) {
				break // those that follow are lower still
			}
			if r.inScope(s, t, v) {
				return v, true
			}
		}
	}
	return fullVersion{}, false
}

// inScope says whether alias t names the newest of versions that v is one of: whether its rule would give the same tag on
// the release of v. Where that cannot be told, it would: then the alias stays.
func (r Result) inScope(s *series, t Tag, v fullVersion) bool {
	if t.ruleIndex == noRule {
		return true // the flavor's latest is the same on every release
	}
	spellings := slices.Concat(s.spellings, t.value.spellings)
	if t.value.prefixVaries && saysVersion(t.prefix, spellings) || t.value.suffixVaries && saysVersion(t.suffix, spellings) {
		return false
	}
	rule := r.rules[t.ruleIndex]
	if patternText := rule.kind.patternText; patternText != nil {
		if text, ok := patternText(rule, v); ok {
			return sanitise(text) == sanitise(t.value.text)
		}
	}
	text := strings.TrimPrefix(strings.TrimSuffix(strings.TrimPrefix(t.Text, s.prefix), s.suffix), "v")
	switch {
	case s.ownVersion(t).startsWith(text): // 1.2, which no pattern over a version gave
		return v.startsWith(text)
	case rule.kind.name == kindMatch:
		return rule.givesSameMatch(t, spellings, v.text)
	}
	return !saysVersion(sanitise(t.value.text), spellings)
}

// givesSameMatch says whether a match rule would give the alias t with another version in place of this release's, in the
// text that the rule reads. Where its text says no version, it would.
func (r Rule) givesSameMatch(t Tag, spellings []string, version string) bool {
	start, end := findVersion(t.value.source, spellings)
	if start < 0 {
		return true
	}
	m, err := r.matchGroup(t.value.source[:start] + version + t.value.source[end:])
	return err != nil || m.Present && sanitise(m.Text) == sanitise(t.value.text)
}

// saysVersion says whether the whole version stands in a text: then another release gives another text.
func saysVersion(text string, spellings []string) bool {
	start, _ := findVersion(text, spellings)
	return start >= 0
}

// findVersion is where one of a version's spellings stands in a text without a digit beside it; -1 if none does.
func findVersion(text string, spellings []string) (start, end int) {
	for _, spelling := range spellings {
		for from := 0; spelling != ""; {
			i := strings.Index(text[from:], spelling)
			if i < 0 {
				break
			}
			start, end = from+i, from+i+len(spelling)
			if !digitAt(text, start-1) && !digitAt(text, end) {
				return start, end
			}
			from = start + 1
		}
	}
	return -1, -1
}

func digitAt(s string, i int) bool { return i >= 0 && i < len(s) && s[i] >= '0' && s[i] <= '9' }
