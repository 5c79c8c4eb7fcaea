package tagrule

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/taglast/taglast/internal/escape"
)

var (
	// outside matches what may not stand in a tag; as in the original each run of it becomes one dash.
	outside = regexp.MustCompile(`[^A-Za-z0-9._-]+`)
	// grammar is the distribution specification's <reference> as a tag.
	grammar = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$`)
	// fallback is the distribution specification's referrers tag: a name that says it is a digest.
	fallback = regexp.MustCompile(`^sha256-[0-9a-fA-F]{64}$`)
)

// Evaluate gives the tags of one image on one event. Rules are taken by priority, then as written. The first that gives
// a tag gives the version, and with latest=auto decides on latest. A text that several rules give counts once, where it
// came first. No tag is not an error: Skipped says why.
//
// Errors: a tag outside the grammar of the OCI distribution specification, or in the form of its referrers tags
// (sha256-<64 hex>); a release-version on the push of a git tag that says another version; a rule Parse did not make.
func Evaluate(rules []Rule, f Flavor, e Event) (Result, error) {
	if err := e.agree(); err != nil {
		return Result{}, err
	}
	order := make([]int, len(rules))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(rules[b].priority, rules[a].priority) })

	var (
		set     tagSet
		latest  bool
		reasons = make([]string, len(rules))
	)
	for _, i := range order {
		r := rules[i]
		if r.kind == nil {
			return Result{}, errors.New("a tag rule that was not parsed")
		}
		value, reason := r.give(e)
		prefix, suffix := f.affixes(r)
		if reason == "" && prefix+value.text+suffix == "" {
			reason = "gives an empty text"
		}
		if reason != "" {
			reasons[i] = reason
			continue
		}
		if len(set.tags) == 0 {
			latest = f.latest(value.latest)
		}
		if err := set.add(affixed(prefix, value.text, suffix, r.line), value.alias); err != nil {
			return Result{}, err
		}
	}
	if latest {
		prefix, suffix := f.latestAffixes()
		t := affixed(prefix, "latest", suffix, "flavor latest="+cmp.Or(f.Latest, "auto"))
		t.Latest = true
		if err := set.add(t, true); err != nil {
			return Result{}, err
		}
	}
	result := Result{Tags: set.classified()}
	if len(result.Tags) > 0 {
		result.Version = result.Tags[0].Text
	}
	for i, reason := range reasons {
		if reason != "" {
			result.Skipped = append(result.Skipped, Skip{Rule: rules[i].line, Reason: reason})
		}
	}
	return result, nil
}

func (r Rule) give(e Event) (made, string) {
	if !r.enable {
		return made{}, "enable=false"
	}
	return r.kind.value(r, e)
}

func sanitise(s string) string { return outside.ReplaceAllLiteralString(s, "-") }

func affixed(prefix, text, suffix, rule string) Tag {
	return Tag{Text: sanitise(prefix + text + suffix), Prefix: sanitise(prefix), Suffix: sanitise(suffix), Rule: rule}
}

// tagSet collects tags, each text once.
type tagSet struct {
	tags  []Tag
	alias []bool // of the tag at the same place: some alias rule gives it
}

func (s *tagSet) add(t Tag, alias bool) error {
	switch {
	case !grammar.MatchString(t.Text):
		return fmt.Errorf("tag `%s` of `%s` is not valid: a tag is at most 128 of A-Z a-z 0-9 _ . - and begins with none of . -",
			escape.Bounded(t.Text, 160), escape.Bounded(t.Rule, 200))
	case fallback.MatchString(t.Text):
		return fmt.Errorf("tag `%s` of `%s` is in the form that registries use for referrers of a digest", t.Text, escape.Bounded(t.Rule, 200))
	}
	for i := range s.tags {
		if s.tags[i].Text == t.Text {
			s.tags[i].Latest = s.tags[i].Latest || t.Latest
			s.alias[i] = s.alias[i] || alias
			return nil
		}
	}
	s.tags, s.alias = append(s.tags, t), append(s.alias, alias)
	return nil
}

func (s *tagSet) classified() []Tag {
	for i := range s.tags {
		t := &s.tags[i]
		t.Class = Moving
		if !s.alias[i] && fixedText(strings.TrimSuffix(strings.TrimPrefix(t.Text, t.Prefix), t.Suffix)) {
			t.Class = Fixed
		}
	}
	return s.tags
}
