package tagrule

import (
	"fmt"
	"regexp"

	"github.com/taglast/taglast/internal/escape"
	"github.com/taglast/taglast/pkg/tagrule/internal/js"
)

// regExpLiteral is a regular expression as JavaScript writes it: /pattern/flags.
var regExpLiteral = regexp.MustCompile(`^/(.+)/(.*)$`)

func checkMatch(r *Rule) (err error) {
	r.setDefault("group", "0")
	if _, ok := js.ParseNumber(r.attributes["group"]); !ok {
		return fmt.Errorf("group=%s is not a number", escape.Bounded(r.attributes["group"], 80))
	}
	pattern, flags := r.attributes["pattern"], ""
	if m := regExpLiteral.FindStringSubmatch(pattern); m != nil {
		pattern, flags = m[1], m[2]
	}
	r.regExp, err = js.CompileRegExp(pattern, flags)
	if err != nil {
		return fmt.Errorf("pattern=%s: %w", escape.Bounded(r.attributes["pattern"], 200), err)
	}
	return nil
}

// matchGroup is what the rule's group matches in a text.
func (r Rule) matchGroup(text string) (js.GroupMatch, error) {
	return r.regExp.Group(text, js.ArrayIndex(r.attributes["group"]))
}

// matchValue is type=match: a group of what a regular expression matches in the git tag or in the rule's value. Slashes are
// searched as they are.
func matchValue(r Rule, e *evaluation) (ruleValue, string, error) {
	text, reason, err := r.source(e)
	if err != nil || reason != "" {
		return ruleValue{}, reason, err
	}
	m, err := r.matchGroup(text)
	switch {
	case err != nil:
		return ruleValue{}, "", err
	case !m.Matched:
		return ruleValue{}, fmt.Sprintf("the pattern does not match %s", escape.Bounded(text, 128)), nil
	case !m.Present:
		return ruleValue{}, fmt.Sprintf("the match in %s has no group %s", escape.Bounded(text, 128), escape.Bounded(r.attributes["group"], 80)), nil
	}
	return ruleValue{text: m.Text, latest: true, source: text}, "", nil
}
