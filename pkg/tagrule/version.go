package tagrule

import (
	"fmt"
	"strings"

	"github.com/taglast/taglast/internal/escape"
	"github.com/taglast/taglast/pkg/tagrule/internal/js"
)

var (
	versionExpressions = js.Vocabulary{Variables: []string{"raw", "version", "major", "minor", "patch"}}
	semverExpressions  = js.Vocabulary{Variables: []string{"raw", "version", "major", "minor", "patch", "prerelease", "build"}}
)

// checkVersionMatch compiles match=. The original takes what its first group matches, and fails where there is none.
func checkVersionMatch(r *Rule) (err error) {
	pattern := r.attributes["match"]
	if pattern == "" {
		return nil
	}
	if r.regExp, err = js.CompileRegExp(pattern, ""); err != nil {
		return fmt.Errorf("match=%s: %w", escape.Bounded(pattern, 200), err)
	}
	if !r.regExp.HasGroups() {
		return fmt.Errorf("match=%s has no group; the version is what its first group matches: v(.*)", escape.Bounded(pattern, 200))
	}
	return nil
}

// source is the text that semver, pep440 and match rules read: their own value, else the release-version, else the git
// tag. Where there is none, the reason says so.
func (r Rule) source(e *evaluation) (text, reason string, err error) {
	switch tag, ok := strings.CutPrefix(e.Ref, tagRef); {
	case r.value.Source() != "":
		text, err = r.value.Render(e.expressionValue)
	case e.Version != "":
		text = e.Version
	case ok:
		text = tag
	default:
		reason = "needs a git tag, or --release-version"
	}
	return text, reason, err
}

// versionSource is the source of a rule that reads a version: what match= takes of it, where it matches, with a dash for
// each slash. As in the original, a match= that does not match leaves the text as it is.
func (r Rule) versionSource(e *evaluation) (text, reason string, err error) {
	text, reason, err = r.source(e)
	if err != nil || reason != "" {
		return "", reason, err
	}
	if r.regExp != nil {
		m, err := r.regExp.Group(text, 1)
		switch {
		case err != nil:
			return "", "", err
		case m.Present:
			text = m.Text
		case m.Matched: // the original fails
			return "", "", fmt.Errorf("the first group of match= takes no part in the match in %s", escape.Bounded(text, 128))
		}
	}
	return strings.ReplaceAll(text, "/", "-"), "", nil
}

// addSpellings adds the version as text writes it, and as source does, without v and metadata.
func (v *ruleValue) addSpellings(text string) {
	source, metadata, _ := strings.Cut(v.source, "+")
	if metadata != "" {
		v.metadata = sanitise("+" + metadata)
	}
	source = strings.TrimLeft(strings.TrimSpace(source), "vV")
	source = source[strings.IndexByte(source, '!')+1:] // an epoch is a prefix of the series
	v.spellings = append(v.spellings, sanitise(text), sanitise(source))
}

// isAliasPattern says whether a pattern leaves out a part of the version, so that several versions give the same text.
func isAliasPattern(pattern js.Template) bool {
	return (pattern.Has("major") || pattern.Has("minor")) && !pattern.Has("version") && !pattern.Has("raw") && !pattern.Has("patch")
}

// checkReleaseVersion refuses a release-version on the push of a git tag that says another one. A tag says a version where
// it, or what follows its last slash, is one.
func (e Event) checkReleaseVersion() error {
	tag, ok := strings.CutPrefix(e.Ref, tagRef)
	if e.Version == "" || !ok || e.Name != "push" {
		return nil
	}
	last := tag[strings.LastIndexByte(tag, '/')+1:]
	tagSemantic, tagIsSemantic := parseSemver(last)
	semantic, isSemantic := parseSemver(e.Version)
	if tagIsSemantic && isSemantic && tagSemantic.text() == semantic.text() {
		return nil
	}
	tagPython, tagIsPython := parsePEP440(last)
	python, isPython := parsePEP440(e.Version)
	if tagIsPython && isPython && tagPython.Equal(python.Version) {
		return nil
	}
	if !tagIsSemantic && !tagIsPython {
		return nil
	}
	return fmt.Errorf("release-version is %s, but the git tag %s that was pushed says another version",
		escape.Bounded(e.Version, 128), escape.Bounded(tag, 128))
}
