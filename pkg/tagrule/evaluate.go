package tagrule

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/taglast/taglast/internal/escape"
)

// Evaluate gives the tags of one image on one event. Rules are taken by priority, then as written. The first that gives
// a tag gives the version, and with latest=auto decides on latest. A text that several rules give counts once, where it
// came first. A result without tags is not an error: Skipped says why.
//
// Errors: a tag outside the grammar of the OCI distribution specification, or in the form of its referrers tags
// (sha256-<64 hex>); an enable= that comes to neither true nor false; {{sha}} without a commit; a commit's date that
// cannot be had; a regular expression that takes too long; a release-version on the push of a git tag that says another
// version; a rule that Parse did not return.
func Evaluate(rules []Rule, f Flavor, e Event) (Result, error) {
	if err := e.checkReleaseVersion(); err != nil {
		return Result{}, err
	}
	f, err := f.withTemplates()
	if err != nil {
		return Result{}, fmt.Errorf("flavor: %w", err)
	}
	ev := &evaluation{Event: e}
	result := Result{Outcomes: make([]Outcome, len(rules)), rules: rules}
	var (
		tags   tagSet
		latest bool
	)
	for _, i := range priorityOrder(rules) {
		r, o := rules[i], &result.Outcomes[i]
		if r.kind == nil {
			return Result{}, errors.New("a tag rule that was not parsed")
		}
		t, reason, err := r.tag(f, ev)
		if err != nil {
			return Result{}, fmt.Errorf("tag rule `%s`: %w", escape.Bounded(r.line, 200), err)
		}
		if o.Rule, o.Reason = r.line, reason; reason != "" {
			continue
		}
		if len(tags) == 0 {
			latest = f.hasLatest(t.value.latest)
		}
		t.ruleIndex, o.Gave = i, t.Text
		if err := tags.add(t); err != nil {
			return Result{}, err
		}
	}
	if latest {
		prefix, suffix := f.latestAffixes()
		t := newTag(prefix, ruleValue{text: "latest", alias: true}, suffix, "flavor latest="+cmp.Or(f.Latest, "auto"))
		t.Latest, t.ruleIndex = true, noRule
		if err := tags.add(t); err != nil {
			return Result{}, err
		}
		result.Outcomes = append(result.Outcomes, Outcome{Rule: t.Rule, Gave: t.Text})
	}
	if result.Tags = tags.classified(); len(result.Tags) > 0 {
		result.Version = result.Tags[0].Text
	}
	return result, nil
}

// priorityOrder is the order in which rules are taken, as indexes.
func priorityOrder(rules []Rule) []int {
	order := make([]int, len(rules))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(rules[b].priority, rules[a].priority) })
	return order
}

// tag is what one rule gives, or the reason why it gives none.
func (r Rule) tag(f Flavor, e *evaluation) (Tag, string, error) {
	enabled, err := r.isEnabled(e)
	if err != nil {
		return Tag{}, "", err
	}
	if !enabled {
		return Tag{}, "enable=false", nil
	}
	v, reason, err := r.kind.value(r, e)
	if err != nil || reason != "" {
		return Tag{}, reason, err
	}
	prefixTemplate, suffixTemplate := f.affixTemplates(r)
	prefix, err := prefixTemplate.Render(e.expressionValue)
	if err != nil {
		return Tag{}, "", err
	}
	suffix, err := suffixTemplate.Render(e.expressionValue)
	if err != nil {
		return Tag{}, "", err
	}
	v.prefixVaries, v.suffixVaries = !prefixTemplate.Static(), !suffixTemplate.Static()
	if prefix+v.text+suffix == "" {
		return Tag{}, "gives an empty text", nil
	}
	return newTag(prefix, v, suffix, r.line), "", nil
}
