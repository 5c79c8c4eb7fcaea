package tagrule

import (
	"fmt"
	"path"
	"regexp"
	"time"

	"github.com/taglast/taglast/internal/escape"
)

// dateText is a day, with or without a time of day behind it: 20260131, 2026-01-31, 20260131-093000, 2026-01-31T09-30-00Z.
var dateText = regexp.MustCompile(`^(\d{4}(-?)\d\d(-?)\d\d)([-_.T]?\d\d[-.]?\d\d([-.]?\d\d)?Z?)?$`)

// implicitPostRelease is PEP 440's post-release without the word (2026-01 for 2026.post1). As a tag it is more likely a
// month or a series; the normal form, which type=pep440 writes, has the word.
var implicitPostRelease = regexp.MustCompile(`^[0-9]+(\.[0-9]+)?-[0-9]+$`)

// isFixedText says whether a text without prefix and suffix is of the fixed class: a full version (semver with or without
// v, pre-releases too; PEP 440 with three or more parts, or a pre-, post- or development part), or a date of day or finer.
func isFixedText(s string) bool {
	if _, ok := parseSemver(s); ok {
		return true
	}
	if v, ok := parsePEP440(s); ok && (len(v.numbers) >= 3 || v.isPreOrPost() && !implicitPostRelease.MatchString(s)) {
		return true
	}
	return isDate(s)
}

// isDate says whether a text is a day of the calendar, with or without a time of day.
func isDate(s string) bool {
	m := dateText.FindStringSubmatch(s)
	if m == nil || m[2] != m[3] {
		return false
	}
	_, err := time.Parse("2006"+m[2]+"01"+m[3]+"02", m[1])
	return err == nil
}

// Overrides are globs over whole tags (path.Match) that stand above the built-in classes. The zero value overrides none.
type Overrides struct {
	Fixed  []string // tags that never move
	Moving []string // tags that may move
}

// Apply returns the tags with the classes that o gives them. A glob that cannot be read, and a tag that globs of both
// kinds match, are errors.
func (o Overrides) Apply(tags []Tag) ([]Tag, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	out := make([]Tag, len(tags))
	for i, t := range tags {
		fixed, moving := firstMatch(o.Fixed, t.Text), firstMatch(o.Moving, t.Text)
		switch {
		case fixed != "" && moving != "":
			return nil, fmt.Errorf("tag `%s` is both in `fixed` (%s) and in `moving` (%s)", t.Text,
				escape.Bounded(fixed, 128), escape.Bounded(moving, 128))
		case fixed != "":
			t.Class = Fixed
		case moving != "":
			t.Class = Moving
		}
		out[i] = t
	}
	return out, nil
}

// check returns an error for the first glob that cannot be read.
func (o Overrides) check() error {
	for _, globs := range [][]string{o.Fixed, o.Moving} {
		for _, glob := range globs {
			if _, err := path.Match(glob, ""); err != nil {
				return fmt.Errorf("glob `%s`: %w", escape.Bounded(glob, 128), err)
			}
		}
	}
	return nil
}

// Matches says whether one of the globs (path.Match) matches a whole tag. One that cannot be read matches nothing.
func Matches(globs []string, tag string) bool { return firstMatch(globs, tag) != "" }

// firstMatch is the first of the globs that matches s, empty if none does.
func firstMatch(globs []string, s string) string {
	for _, glob := range globs {
		if ok, err := path.Match(glob, s); err == nil && ok {
			return glob
		}
	}
	return ""
}
