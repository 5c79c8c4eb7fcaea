package tagrule

import (
	"fmt"
	"strings"

	"github.com/taglast/taglast/internal/escape"
)

// edgeValue is type=edge: the word edge on the default branch, or on the branch that it names.
func edgeValue(r Rule, e *evaluation) (ruleValue, string, error) {
	branch, ok := strings.CutPrefix(e.Ref, branchRef)
	want := r.attributes["branch"]
	if want == "" {
		want = e.DefaultBranch
	}
	switch {
	case !ok:
		return ruleValue{}, "needs a branch", nil
	case want == "":
		return ruleValue{}, "the default branch is not known", nil
	case branch != want:
		return ruleValue{}, fmt.Sprintf("the branch is %s, not %s", escape.Bounded(branch, 80), escape.Bounded(want, 80)), nil
	}
	return ruleValue{text: "edge"}, "", nil
}
