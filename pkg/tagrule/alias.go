package tagrule

import "fmt"

// Alias says whether a moving tag may move to this release.
type Alias struct {
	Keep    bool
	Ours    string // this release's version, as its tag says it
	Higher  string // what keeps it: the highest version of the alias's scope, as its tag says it
	Tag     string // that version's tag
	Allowed bool   // it moves though there is a higher version: allow-downgrade

	prerelease bool // ours is a pre-release, and what keeps the alias is a release
}

// Reason is why an alias is kept, in words; empty where it moves.
func (a Alias) Reason() string {
	switch {
	case !a.Keep:
		return ""
	case a.prerelease:
		return fmt.Sprintf("this release is %s, a pre-release, and %s is a release", a.Ours, a.Higher)
	default:
		return fmt.Sprintf("this release is %s and %s is higher", a.Ours, a.Higher)
	}
}

// Versioned says whether the rules gave a full version: then every moving tag is an alias of it.
func (r Result) Versioned() bool { return len(r.allSeries()) > 0 }

// Aliases says of each moving tag, by its text, whether it may move, given the tags that the image's repositories have.
//
// An alias is of the versions that have exactly the prefix and suffix of the version rule beside it; what is left when
// both are taken off must be a full version. Its scope are those of them with which its rule would give the same tag: of
// 1.2 the versions 1.2.x, of latest all. It moves only if this release is the highest of the scope; a pre-release moves
// no alias of releases. What a glob of allow (path.Match) matches moves all the same. Without a version the map is empty.
func (r Result) Aliases(there, allow []string) map[string]Alias {
	all := r.allSeries()
	out := make(map[string]Alias)
	if len(all) == 0 {
		return out
	}
	for _, s := range all {
		s.read(there)
	}
	for _, t := range r.Tags {
		if t.Class == Moving {
			out[t.Text] = r.alias(all, t, allow)
		}
	}
	return out
}

func (r Result) alias(all []*series, t Tag, allow []string) Alias {
	in := of(all, t)
	for _, s := range in {
		v, kept := r.higher(s, t)
		if !kept {
			continue
		}
		ours := s.ours(t)
		a := Alias{Keep: true, Ours: ours.text, Higher: v.text, Tag: v.tag, prerelease: ours.pre && !v.pre}
		if Matches(allow, t.Text) {
			a.Keep, a.Allowed = false, true
		}
		return a
	}
	return Alias{Ours: in[0].ours(t).text}
}
