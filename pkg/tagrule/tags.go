package tagrule

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/taglast/taglast/internal/escape"
	"github.com/taglast/taglast/internal/ociref"
)

// invalidCharacters may not stand in a tag; as in the original each run of them becomes one dash.
var invalidCharacters = regexp.MustCompile(`[^A-Za-z0-9._-]+`)

// sanitise puts a dash for each run of characters that may not stand in a tag.
func sanitise(s string) string { return invalidCharacters.ReplaceAllLiteralString(s, "-") }

// noRule is the ruleIndex of a tag that the flavor alone gives.
const noRule = -1

// newTag is the tag of a value between its affixes, which rule gives.
func newTag(prefix string, v ruleValue, suffix, rule string) Tag {
	return Tag{
		Text: sanitise(prefix + v.text + suffix), Rule: rule, prefix: sanitise(prefix), suffix: sanitise(suffix), value: v,
	}
}

// check refuses what no registry takes as a tag.
func (t Tag) check() error {
	switch {
	case !ociref.IsTag(t.Text):
		return fmt.Errorf("tag `%s` of `%s` is not valid: a tag is at most 128 of A-Z a-z 0-9 _ . - and begins with none of . -",
			escape.Bounded(t.Text, 160), escape.Bounded(t.Rule, 200))
	case ociref.LooksLikeFallbackTag(t.Text):
		return fmt.Errorf("tag `%s` of `%s` is in the form that registries use for referrers of a digest", t.Text, escape.Bounded(t.Rule, 200))
	}
	return nil
}

// tagSet collects tags, each text once.
type tagSet []Tag

// add adds a tag. Of a text that is in the set it only notes what is new: that it is latest, an alias, or fixed. A tag that
// no registry takes is an error.
func (s *tagSet) add(t Tag) error {
	if err := t.check(); err != nil {
		return err
	}
	for i := range *s {
		if old := &(*s)[i]; old.Text == t.Text {
			old.Latest = old.Latest || t.Latest
			old.value.alias = old.value.alias || t.value.alias
			old.value.fixed = old.value.fixed || t.value.fixed
			return nil
		}
	}
	*s = append(*s, t)
	return nil
}

// classified are the tags with their classes.
func (s tagSet) classified() []Tag {
	for i := range s {
		s[i].Class = s[i].class()
	}
	return s
}

// class is the built-in class of a tag.
func (t Tag) class() Class {
	_, saysVersion := t.series()
	switch {
	case t.value.alias:
		return Moving
	case saysVersion || t.value.fixed || isFixedText(t.withoutAffixes()):
		return Fixed
	}
	return Moving
}

// withoutAffixes is the text between the rule's prefix and suffix.
func (t Tag) withoutAffixes() string {
	return strings.TrimSuffix(strings.TrimPrefix(t.Text, t.prefix), t.suffix)
}
