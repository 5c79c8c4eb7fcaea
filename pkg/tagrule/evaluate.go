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
// (sha256-<64 hex>); an enable= that comes to neither true nor false; {{sha}} without a commit; a commit's date that
// cannot be had; a regular expression that takes too long; a release-version on the push of a git tag that says another
// version; a rule Parse did not make.
func Evaluate(rules []Rule, f Flavor, e Event) (Result, error) {
	if err := e.agree(); err != nil {
		return Result{}, err
	}
	f, err := f.parsed()
	if err != nil {
		return Result{}, fmt.Errorf("flavor: %w", err)
	}
	on := &facts{Event: e}
	e.CommitDate = on.commitDate // asked once, for whoever looks at this event again
	result := Result{Outcomes: make([]Outcome, len(rules)), rules: rules, flavor: f, event: e}
	var (
		set    tagSet
		latest bool
	)
	for _, i := range byPriority(rules) {
		r, o := rules[i], &result.Outcomes[i]
		if r.kind == nil {
			return Result{}, errors.New("a tag rule that was not parsed")
		}
		t, reason, err := r.tag(f, on)
		if err != nil {
			return Result{}, fmt.Errorf("tag rule `%s`: %w", escape.Bounded(r.line, 200), err)
		}
		if o.Rule, o.Reason = r.line, reason; reason != "" {
			continue
		}
		if len(set) == 0 {
			latest = f.latest(t.made.latest)
		}
		t.index, o.Gave = i, t.Text
		if err := set.add(t); err != nil {
			return Result{}, err
		}
	}
	if latest {
		prefix, suffix := f.latestAffixes()
		t := affixed(prefix, made{text: "latest", alias: true}, suffix, "flavor latest="+cmp.Or(f.Latest, "auto"))
		t.Latest, t.index = true, -1
		if err := set.add(t); err != nil {
			return Result{}, err
		}
		result.Outcomes = append(result.Outcomes, Outcome{Rule: t.Rule, Gave: t.Text})
	}
	if result.Tags = set.classified(); len(result.Tags) > 0 {
		result.Version = result.Tags[0].Text
	}
	return result, nil
}

// byPriority is the order in which rules are taken.
func byPriority(rules []Rule) []int {
	order := make([]int, len(rules))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(rules[b].priority, rules[a].priority) })
	return order
}

// tag is what one rule gives, or the reason why it gives none.
func (r Rule) tag(f Flavor, on *facts) (Tag, string, error) {
	enabled, err := r.enabled(on)
	if err != nil {
		return Tag{}, "", err
	}
	if !enabled {
		return Tag{}, "enable=false", nil
	}
	m, reason, err := r.kind.value(r, on)
	if err != nil || reason != "" {
		return Tag{}, reason, err
	}
	prefix, suffix, err := f.affixes(r, on)
	if err != nil {
		return Tag{}, "", err
	}
	_, behind := f.templates(r)
	m.varies = !behind.static()
	if prefix+m.text+suffix == "" {
		return Tag{}, "gives an empty text", nil
	}
	return affixed(prefix, m, suffix, r.line), "", nil
}

// textOn is the text of the tag that the rule gives on another event. ok is false where it gives none, or one that no
// registry takes.
func (r Rule) textOn(f Flavor, e Event) (text string, ok bool, err error) {
	if f, err = f.parsed(); err != nil {
		return "", false, err
	}
	t, reason, err := r.tag(f, &facts{Event: e})
	if err != nil || reason != "" || t.check() != nil {
		return "", false, err
	}
	return t.Text, true, nil
}

// withValue is the rule with another value=, taken as it is.
func (r Rule) withValue(v string) Rule {
	r.value = plain(v)
	return r
}

func sanitise(s string) string { return outside.ReplaceAllLiteralString(s, "-") }

func affixed(prefix string, m made, suffix, rule string) Tag {
	return Tag{
		Text: sanitise(prefix + m.text + suffix), Prefix: sanitise(prefix), Suffix: sanitise(suffix), Rule: rule, made: m,
	}
}

// check refuses what no registry takes as a tag.
func (t Tag) check() error {
	switch {
	case !grammar.MatchString(t.Text):
		return fmt.Errorf("tag `%s` of `%s` is not valid: a tag is at most 128 of A-Z a-z 0-9 _ . - and begins with none of . -",
			escape.Bounded(t.Text, 160), escape.Bounded(t.Rule, 200))
	case fallback.MatchString(t.Text):
		return fmt.Errorf("tag `%s` of `%s` is in the form that registries use for referrers of a digest", t.Text, escape.Bounded(t.Rule, 200))
	}
	return nil
}

// tagSet collects tags, each text once.
type tagSet []Tag

func (s *tagSet) add(t Tag) error {
	if err := t.check(); err != nil {
		return err
	}
	for i := range *s {
		if old := &(*s)[i]; old.Text == t.Text {
			old.Latest = old.Latest || t.Latest
			old.made.alias = old.made.alias || t.made.alias
			old.made.fixed = old.made.fixed || t.made.fixed
			return nil
		}
	}
	*s = append(*s, t)
	return nil
}

func (s tagSet) classified() []Tag {
	for i := range s {
		t := &s[i]
		t.Class = Moving
		_, version := t.version()
		if !t.made.alias && (version || t.made.fixed || fixedText(strings.TrimSuffix(strings.TrimPrefix(t.Text, t.Prefix), t.Suffix))) {
			t.Class = Fixed
		}
	}
	return s
}
