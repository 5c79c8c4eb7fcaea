package tagrule

import (
	"fmt"
	"slices"
	"strings"

	"github.com/taglast/taglast/internal/escape"
)

var (
	versionExpressions = []string{"raw", "version", "major", "minor", "patch"}
	semverExpressions  = append(slices.Clone(versionExpressions), "prerelease", "build")
)

const (
	kindSemver = "semver"
	kindPEP440 = "pep440"
)

// checkVersionMatch reads match=. The original takes what its first group matched, and fails where there is none.
func checkVersionMatch(r *Rule) (err error) {
	pattern := r.attrs["match"]
	if pattern == "" {
		return nil
	}
	if r.regex, err = compileRegex(pattern, ""); err != nil {
		return fmt.Errorf("match=%s: %w", escape.Bounded(pattern, 200), err)
	}
	if !r.regex.captures() {
		return fmt.Errorf("match=%s has no group; the version is what its first group matches: v(.*)", escape.Bounded(pattern, 200))
	}
	return nil
}

// source is the text that semver, pep440 and match rules read: their own value, else the release-version, else the git
// tag. Where there is none, the reason says so.
func (r Rule) source(f *facts) (text, reason string, err error) {
	switch tag, ok := strings.CutPrefix(f.Ref, tagRef); {
	case r.value.source != "":
		text, err = r.value.render(f.global)
	case f.Version != "":
		text = f.Version
	case ok:
		text = tag
	default:
		reason = "needs a git tag, or --release-version"
	}
	return text, reason, err
}

// version is the source of a rule that reads a version: what match= takes of it, where it matches, with a dash for each
// slash. As in the original, a match= that does not match leaves the text as it is.
func (r Rule) version(f *facts) (text, reason string, err error) {
	text, reason, err = r.source(f)
	if err != nil || reason != "" {
		return "", reason, err
	}
	if r.regex != nil {
		found, matched, ok, err := r.regex.group(text, 1)
		switch {
		case err != nil:
			return "", "", err
		case ok:
			text = found
		case matched:
			return "", "", fmt.Errorf("the first group of match= takes no part in the match in %s", escape.Bounded(text, 128)) // the original fails
		}
	}
	return strings.ReplaceAll(text, "/", "-"), "", nil
}

// spell adds a spelling of the version to those that a tag may have, and that of the source, without v and metadata.
func (m *made) spell(text string) {
	source, metadata, _ := strings.Cut(m.source, "+")
	if metadata != "" {
		m.metadata = sanitise("+" + metadata)
	}
	source = strings.TrimLeft(strings.TrimSpace(source), "vV")
	source = source[strings.IndexByte(source, '!')+1:] // an epoch is a prefix of the series
	m.spellings = append(m.spellings, sanitise(text), sanitise(source))
}

// named gives the values of a pattern's expressions.
func named(values map[string]string) func(*expression) (string, error) {
	return func(x *expression) (string, error) { return values[x.name], nil }
}

// alias tells of a pattern with which several versions give the same text.
func (t template) alias() bool {
	return (t.has("major") || t.has("minor")) && !t.has("version") && !t.has("raw") && !t.has("patch")
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
