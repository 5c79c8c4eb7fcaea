package tagrule

import (
	"fmt"
	"strings"

	"github.com/taglast/taglast/internal/escape"
)

// refKinds are the values of event=.
var refKinds = map[string]struct {
	prefix, reason string
	latest         bool
}{
	"branch": {branchRef, "needs a branch", false},
	"tag":    {tagRef, "needs a git tag", true},
	"pr":     {pullRef, "needs a pull request", false},
}

// checkRef gives event=pr its default prefix. It counts as written in the rule, so that a flavor's does not replace it.
func checkRef(r *Rule) error {
	event := r.attributes["event"]
	if _, ok := refKinds[event]; !ok {
		return fmt.Errorf("event=%s: it is `branch`, `tag` or `pr`", escape.Bounded(event, 80))
	}
	if event == "pr" {
		r.setDefault("prefix", "pr-")
	}
	return nil
}

// refValue is type=ref: the name of the branch or tag, or the number of the pull request.
func refValue(r Rule, e *evaluation) (ruleValue, string, error) {
	ref := refKinds[r.attributes["event"]]
	name, ok := strings.CutPrefix(e.Ref, ref.prefix)
	if !ok {
		return ruleValue{}, ref.reason, nil
	}
	if ref.prefix == pullRef {
		name = strings.TrimSuffix(name, "/merge")
	}
	return ruleValue{text: name, latest: ref.latest}, "", nil
}
