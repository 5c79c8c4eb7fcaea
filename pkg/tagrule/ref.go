package tagrule

import (
	"fmt"
	"strings"

	"github.com/taglast/taglast/internal/escape"
)

// refs are the values of event=.
var refs = map[string]struct {
	prefix, reason string
	latest         bool
}{
	"branch": {branchRef, "needs a branch", false},
	"tag":    {tagRef, "needs a git tag", true},
	"pr":     {pullRef, "needs a pull request", false},
}

// checkRef gives event=pr its prefix, which is a rule's own: a flavor's does not replace it.
func checkRef(r *Rule) error {
	event := r.attrs["event"]
	if _, ok := refs[event]; !ok {
		return fmt.Errorf("event=%s: it is `branch`, `tag` or `pr`", escape.Bounded(event, 80))
	}
	if event == "pr" {
		r.otherwise("prefix", "pr-")
	}
	return nil
}

// refValue is type=ref: the name of the branch or tag, or the number of the pull request.
func refValue(r Rule, f *facts) (made, string, error) {
	ref := refs[r.attrs["event"]]
	name, ok := strings.CutPrefix(f.Ref, ref.prefix)
	if !ok {
		return made{}, ref.reason, nil
	}
	if ref.prefix == pullRef {
		name = strings.TrimSuffix(name, "/merge")
	}
	return made{text: name, latest: ref.latest}, "", nil
}
