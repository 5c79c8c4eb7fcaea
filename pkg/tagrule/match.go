package tagrule

import (
	"fmt"
	"regexp"
	"strconv"

	"github.com/taglast/taglast/internal/escape"
)

var (
	// literal is a regular expression as JavaScript writes it: /pattern/flags.
	literal = regexp.MustCompile(`^/(.+)/(.*)$`)
	// canonical are the names of a JavaScript array's elements; any other number names nothing.
	canonical = regexp.MustCompile(`^(0|[1-9][0-9]*)$`)
)

func checkMatch(r *Rule) (err error) {
	r.otherwise("group", "0")
	if _, ok := parseNumber(r.attrs["group"]); !ok {
		return fmt.Errorf("group=%s is not a number", escape.Bounded(r.attrs["group"], 80))
	}
	pattern, flags := r.attrs["pattern"], ""
	if m := literal.FindStringSubmatch(pattern); m != nil {
		pattern, flags = m[1], m[2]
	}
	r.regex, err = compileRegex(pattern, flags)
	if err != nil {
		return fmt.Errorf("pattern=%s: %w", escape.Bounded(r.attrs["pattern"], 200), err)
	}
	return nil
}

// matchValue is type=match: a group of what a regular expression matches in the git tag or in the rule's value, slashes
// and all.
func matchValue(r Rule, f *facts) (made, string, error) {
	text, reason, err := r.source(f)
	if err != nil || reason != "" {
		return made{}, reason, err
	}
	group := -1
	if canonical.MatchString(r.attrs["group"]) {
		if group, err = strconv.Atoi(r.attrs["group"]); err != nil {
			group = -1
		}
	}
	found, matched, ok, err := r.regex.group(text, group)
	switch {
	case err != nil:
		return made{}, "", err
	case !matched:
		return made{}, fmt.Sprintf("the pattern does not match %s", escape.Bounded(text, 128)), nil
	case !ok:
		return made{}, fmt.Sprintf("the match in %s has no group %s", escape.Bounded(text, 128), escape.Bounded(r.attrs["group"], 80)), nil
	}
	return made{text: found, latest: true}, "", nil
}
