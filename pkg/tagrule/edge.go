package tagrule

import (
	"fmt"
	"strings"

	"github.com/taglast/taglast/internal/escape"
)

// edgeValue is type=edge: the word edge on the default branch, or on the branch that it names.
func edgeValue(r Rule, f *facts) (made, string, error) {
	branch, ok := strings.CutPrefix(f.Ref, branchRef)
	want := r.attrs["branch"]
	if want == "" {
		want = f.DefaultBranch
	}
	switch {
	case !ok:
		return made{}, "needs a branch", nil
	case want == "":
		return made{}, "the default branch is not known", nil
	case branch != want:
		return made{}, fmt.Sprintf("the branch is %s, not %s", escape.Bounded(branch, 80), escape.Bounded(want, 80)), nil
	}
	return made{text: "edge"}, "", nil
}
