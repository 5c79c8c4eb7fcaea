package tagrule

import (
	"slices"
	"strings"
)

// series are the full versions that have exactly one prefix and one suffix, and this release's version in it.
type series struct {
	prefix, suffix string
	version        fullVersion
	source         string // the version as rules read it: with v, or in another spelling; empty where no rule read it

	above []fullVersion // what of a repository's tags may keep an alias back, highest first; releases before pre-releases
}

// version is the full version that a tag says; false where it says none.
func (t Tag) version() (s series, ok bool) {
	if t.made.alias || t.made.fixed || t.index < 0 {
		return series{}, false
	}
	s = series{prefix: t.Prefix, suffix: t.Suffix, source: t.made.source}
	text := strings.TrimSuffix(strings.TrimPrefix(t.Text, t.Prefix), t.Suffix)
	switch {
	case t.made.kind != "" && t.made.source != "":
		if _, ok = parseFull(t.made.kind, text); !ok && !strings.Contains(text, t.made.source) {
			return s, false // a part of the version, or a word
		}
		s.version, ok = parseFull(t.made.kind, t.made.source)
	default:
		bare, name := variant(text)
		if s.version, ok = parseFull("semver", bare); !ok {
			s.version, ok = parseFull("pep440", bare)
		}
		s.suffix, s.source = name+s.suffix, bare
	}
	return s, ok
}

// allSeries are those in which this release has a version. Of two versions in one series the higher counts.
func (r Result) allSeries() []*series {
	var out []*series
	for _, t := range r.Tags {
		s, ok := t.version()
		if !ok {
			continue
		}
		i := slices.IndexFunc(out, func(o *series) bool {
			return o.prefix == s.prefix && o.suffix == s.suffix && o.version.kind == s.version.kind
		})
		switch {
		case i < 0:
			out = append(out, &s)
		case s.version.compare(out[i].version) > 0:
			out[i] = &s
		}
	}
	return out
}

// of are the series that an alias is in: the one whose prefix and suffix it has, or whose suffix is its name (alpine of
// the versions with -alpine); without such a one all of them.
func of(all []*series, t Tag) []*series {
	if t.made.kind == "" && t.index >= 0 { // a text: its affixes may be a part of it
		best := -1
		for i, s := range all {
			n := len(s.prefix) + len(s.suffix)
			fits := n > 0 && len(t.Text) > n && strings.HasPrefix(t.Text, s.prefix) && strings.HasSuffix(t.Text, s.suffix)
			named := n > 0 && strings.TrimRight(s.prefix, "-_.")+strings.TrimLeft(s.suffix, "-_.") == t.Text
			if (fits || named) && (best < 0 || n > len(all[best].prefix)+len(all[best].suffix)) {
				best = i
			}
		}
		if best >= 0 {
			return all[best : best+1]
		}
	}
	if i := slices.IndexFunc(all, func(s *series) bool { return s.prefix == t.Prefix && s.suffix == t.Suffix }); i >= 0 {
		return all[i : i+1]
	}
	return all
}

// read takes out of a repository's tags the versions that may keep an alias of this series back: those that are higher,
// and where ours is a pre-release, every release. A release is not kept back by pre-releases.
func (s *series) read(tags []string) {
	for _, tag := range tags {
		if len(tag) <= len(s.prefix)+len(s.suffix) || !strings.HasPrefix(tag, s.prefix) || !strings.HasSuffix(tag, s.suffix) {
			continue
		}
		v, ok := parseFull(s.version.kind, tag[len(s.prefix):len(tag)-len(s.suffix)])
		v.tag = tag
		switch {
		case !ok || !v.plausible(s.version), v.pre && !s.version.pre:
		case v.compare(s.version) > 0, s.version.pre && !v.pre:
			s.above = append(s.above, v)
		}
	}
	slices.SortFunc(s.above, func(a, b fullVersion) int {
		if a.pre != b.pre {
			if a.pre {
				return 1
			}
			return -1
		}
		return b.compare(a)
	})
}

// scoped says whether the alias t, made on a release of v, would be the same tag.
func (r Result) scoped(s *series, t Tag, v fullVersion) bool {
	if t.index < 0 {
		return true // latest
	}
	text := strings.TrimPrefix(strings.TrimSuffix(strings.TrimPrefix(t.Text, s.prefix), s.suffix), "v")
	if strings.HasPrefix(s.version.text, text+".") && strings.Trim(text, "0123456789.") == "" {
		return strings.HasPrefix(v.text, text+".") // 1.2 of 1.2.3
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
	made, ok := rule.textOn(r.flavor, e)
	return ok && made == t.Text
}
