package tagrule

import (
	"fmt"
	"strings"

	"github.com/taglast/taglast/internal/escape"
)

var versionExpressions = []string{"version", "major", "minor", "patch"}

// source is the text that a version rule reads: its own value, else the release-version, else the git tag. As in the
// original a slash becomes a dash before the version is read. Where there is none, the reason says so.
func (r Rule) source(e Event) (text, reason string) {
	switch tag, ok := strings.CutPrefix(e.Ref, tagRef); {
	case r.attrs["value"] != "":
		text = r.attrs["value"]
	case e.Version != "":
		text = e.Version
	case ok:
		text = tag
	default:
		return "", "needs a git tag, or --release-version"
	}
	return strings.ReplaceAll(text, "/", "-"), ""
}

// alias tells of a pattern with which several versions give the same text.
func (t template) alias() bool {
	return (t.has("major") || t.has("minor")) && !t.has("version") && !t.has("patch")
}

// agree refuses a release-version on the push of a git tag that says another one. A tag says a version where it, or
// what follows its last slash, is one.
func (e Event) agree() error {
	tag, ok := strings.CutPrefix(e.Ref, tagRef)
	if e.Version == "" || !ok || e.Name != "push" {
		return nil
	}
	last := tag[strings.LastIndexByte(tag, '/')+1:]
	tagSem, tagIsSem := parseSemver(last)
	ourSem, ourIsSem := parseSemver(e.Version)
	if tagIsSem && ourIsSem && tagSem.text() == ourSem.text() {
		return nil
	}
	tagPep, tagIsPep := parsePEP440(last)
	ourPep, ourIsPep := parsePEP440(e.Version)
	if tagIsPep && ourIsPep && tagPep.Equal(ourPep.Version) {
		return nil
	}
	if !tagIsSem && !tagIsPep {
		return nil
	}
	return fmt.Errorf("release-version is %s, but the git tag %s that was pushed says another version",
		escape.Bounded(e.Version, 128), escape.Bounded(tag, 128))
}
