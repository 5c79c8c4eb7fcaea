package tagrule

import "fmt"

// Alias says whether a moving tag may move to this release.
type Alias struct {
	Keep   bool   // it stays where it is
	Ours   string // this release's version, as its tag says it
	Higher string // the highest version of the alias's scope, as its tag says it; empty where this release's is the highest
	Tag    string // the tag of Higher

	prereleaseBesideRelease bool // Ours is a pre-release, and Higher is a release
}

// Reason is why an alias is kept, in words; empty where it moves.
func (a Alias) Reason() string {
	switch {
	case !a.Keep:
		return ""
	case a.prereleaseBesideRelease:
		return fmt.Sprintf("this release is %s, a pre-release, and %s is a release", a.Ours, a.Higher)
	default:
		return fmt.Sprintf("this release is %s and %s is higher", a.Ours, a.Higher)
	}
}

// Versioned says whether the rules gave a full version: then every moving tag is an alias of it.
func (r Result) Versioned() bool { return len(r.allSeries()) > 0 }

// Aliases says of each moving tag, by its text, whether it may move, given the tags that the image's repositories have.
//
// An alias is of the versions that have exactly the prefix and suffix of the version rule beside it, and between them a
// full version. Its scope is those of them with which its rule would give the same tag: of 1.2 the versions 1.2.x, of
// latest all. It moves only if this release is the highest of the scope; a pre-release moves no alias of releases. An alias
// that a glob of allowDowngrade (path.Match) matches moves all the same: Keep is false, and Higher is what it moves back
// from. Without a version the map is empty. Both arguments may be nil.
func (r Result) Aliases(published, allowDowngrade []string) map[string]Alias {
	all := r.allSeries()
	out := make(map[string]Alias)
	if len(all) == 0 {
		return out
	}
	for _, s := range all {
		s.readVersions(published)
	}
	for _, t := range r.Tags {
		if t.Class == Moving {
			out[t.Text] = r.alias(t, seriesOf(t, all), allowDowngrade)
		}
	}
	return out
}

// alias decides on one alias, which is in these series.
func (r Result) alias(t Tag, in []*series, allowDowngrade []string) Alias {
	for _, s := range in {
		if v, ok := r.higherVersion(s, t); ok {
			own := s.ownVersion(t)
			return Alias{
				Keep: !Matches(allowDowngrade, t.Text), Ours: own.text, Higher: v.text, Tag: v.tag,
				prereleaseBesideRelease: own.isPrerelease && !v.isPrerelease,
			}
		}
	}
	return Alias{Ours: in[0].ownVersion(t).text}
}
