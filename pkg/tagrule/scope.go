package tagrule

import (
	"slices"
	"strings"
)

// series are the full versions that have exactly one prefix and one suffix, and this release's version in it.
type series struct {
	prefix, suffix string // what stands around the version: affixes, and text of the rule's pattern
	version        fullVersion
	source         string // the version as rules read it: with v, or in another spelling; empty where no rule read it
	ruled          bool   // a version rule made the tag, not a plain text
	metadata       bool   // build metadata or a local part follows the version in the tag

	releases, pres []fullVersion // that a repository's tags say, highest first
}

// version is the full version that a tag says; false where it says none.
func (t Tag) version() (series, bool) {
	if t.made.alias || t.made.fixed || t.index < 0 {
		return series{}, false
	}
	s := series{prefix: t.Prefix, suffix: t.Suffix, source: t.made.source, ruled: t.made.kind != ""}
	text := strings.TrimSuffix(strings.TrimPrefix(t.Text, t.Prefix), t.Suffix)
	var ok bool
	if s.ruled {
		ok = t.made.whole && s.find(text, t.made)
	} else {
		ok = s.plain(text, t.made)
	}
	if t.made.varies { // another release has another suffix: it stands for metadata
		s.suffix, s.metadata = strings.TrimSuffix(s.suffix, t.Suffix), true
	}
	return s, ok
}

// plain reads the version in a text that no version rule made: a variant's name and metadata may follow it.
func (s *series) plain(text string, m made) (ok bool) {
	if release, _, plus := strings.Cut(m.text, "+"); plus {
		text, s.metadata = sanitise(release), true
	}
	bare, name := variant(text)
	if s.version, ok = parseFull(kindSemver, bare, 2); !ok {
		s.version, ok = parseFull(kindPEP440, bare, 2)
	}
	s.suffix, s.source = name+s.suffix, bare
	return ok
}

// find looks for the version in the text that a version rule made, and takes what stands around it to the affixes. A v
// before it, and metadata behind it, are the version's. false where the text says another thing.
func (s *series) find(text string, m made) bool {
	found := ""
	for _, spelling := range m.spellings {
		if len(spelling) > len(found) && strings.Contains(text, spelling) {
			found = spelling
		}
	}
	if found == "" {
		return false
	}
	before, behind, _ := strings.Cut(text, found)
	if rest, ok := strings.CutPrefix(behind, m.metadata); ok && m.metadata != "" {
		behind, s.metadata = rest, true
	}
	s.version = m.version
	s.prefix += strings.TrimSuffix(before, "v")
	s.suffix = behind + s.suffix
	return true
}

// allSeries are those in which this release has a version. Of two versions in one series the higher counts; but a plain
// text does not stand above what a version rule says: it may be a date.
func (r Result) allSeries() []*series {
	var out []*series
	for _, t := range r.Tags {
		s, ok := t.version()
		if !ok {
			continue
		}
		i := slices.IndexFunc(out, func(o *series) bool { return o.prefix == s.prefix && o.suffix == s.suffix })
		switch {
		case i < 0:
			out = append(out, &s)
		case out[i].ruled != s.ruled:
			if s.ruled {
				out[i] = &s
			}
		case out[i].version.kind == s.version.kind && s.version.compare(out[i].version) > 0:
			out[i] = &s
		}
	}
	return out
}

// of are the series that an alias is in: the one whose affixes its text has, or are its name (alpine of the versions with
// -alpine); else the one that has the affixes of its rule; without such a one all of them.
func of(all []*series, t Tag) []*series {
	best := -1
	for i, s := range all {
		n := len(s.prefix) + len(s.suffix)
		fits := n > 0 && len(t.Text) > n && strings.HasPrefix(t.Text, s.prefix) && strings.HasSuffix(t.Text, s.suffix)
		named := n > 0 && strings.TrimRight(s.prefix, "-_.")+strings.TrimLeft(s.suffix, "-_.") == t.Text
		if (fits || named) && (best < 0 || n > len(all[best].prefix)+len(all[best].suffix)) {
			best = i
		}
	}
	if best < 0 {
		best = slices.IndexFunc(all, func(s *series) bool { return s.prefix == t.Prefix && s.suffix == t.Suffix })
	}
	if best < 0 {
		return all
	}
	return all[best : best+1]
}

// read takes the versions of this series out of a repository's tags.
func (s *series) read(tags []string) {
	for _, tag := range tags {
		if len(tag) <= len(s.prefix)+len(s.suffix) || !strings.HasPrefix(tag, s.prefix) || !strings.HasSuffix(tag, s.suffix) {
			continue
		}
		v, ok := s.parse(tag[len(s.prefix) : len(tag)-len(s.suffix)])
		if v.tag = tag; !ok || !v.plausible(s.version) {
			continue
		}
		if v.pre {
			s.pres = append(s.pres, v)
		} else {
			s.releases = append(s.releases, v)
		}
	}
	for _, list := range [][]fullVersion{s.releases, s.pres} {
		slices.SortFunc(list, func(a, b fullVersion) int { return b.compare(a) })
	}
}

// parse reads a version of the series' kind. Where ours has metadata, which a tag writes behind a dash, what follows a
// release and is no pre-release is metadata too.
func (s *series) parse(text string) (fullVersion, bool) {
	min := 2
	if s.ruled && len(s.version.numbers()) < 2 {
		min = 1
	}
	v, ok := parseFull(s.version.kind, text, min)
	release, _, dash := strings.Cut(text, "-")
	if !s.metadata || !dash || ok && (!v.pre || v.word() != "" && v.plausible(s.version)) {
		return v, ok
	}
	return parseFull(s.version.kind, release, min)
}

// ours is this release's version as an alias sees it: that of its own rule, else the series'.
func (s *series) ours(t Tag) fullVersion {
	if t.made.whole && t.made.kind == s.version.kind {
		return t.made.version
	}
	return s.version
}

// higher is what keeps an alias back: the highest release above ours with which it would be the same tag; where ours is a
// pre-release, any release, or the highest pre-release above ours. A release is not kept back by pre-releases.
func (r Result) higher(s *series, t Tag) (fullVersion, bool) {
	ours := s.ours(t)
	lists := [][]fullVersion{s.releases}
	if ours.pre {
		lists = append(lists, s.pres)
	}
	for _, list := range lists {
		for _, v := range list {
			if v.compare(ours) <= 0 && (v.pre || !ours.pre) {
				break // those that follow are lower still
			}
			if r.scoped(s, t, v) {
				return v, true
			}
		}
	}
	return fullVersion{}, false
}

// scoped says whether the alias t, made on a release of v, would be the same tag. What cannot be told is yes: then the
// alias stays.
func (r Result) scoped(s *series, t Tag, v fullVersion) bool {
	if t.index < 0 {
		return true // latest
	}
	text := strings.TrimPrefix(strings.TrimSuffix(strings.TrimPrefix(t.Text, s.prefix), s.suffix), "v")
	if s.ours(t).begins(text) {
		return v.begins(text)
	}
	if s.source == "" {
		return true
	}
	source := v.text
	if strings.HasPrefix(s.source, "v") {
		source = "v" + source
	}
	there := func(in string) string { return strings.ReplaceAll(in, s.source, source) }
	rule, e := r.rules[t.index], r.event
	if value := rule.attrs["value"]; value != "" && strings.Contains(value, s.source) {
		rule = rule.withValue(there(value))
	}
	e.Ref, e.Version = there(e.Ref), there(e.Version)
	made, ok, err := rule.textOn(r.flavor, e)
	return err != nil || ok && made == t.Text
}
