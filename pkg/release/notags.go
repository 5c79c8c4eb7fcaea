package release

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/taglast/taglast/internal/escape"
	"github.com/taglast/taglast/pkg/tagrule"
)

// NoTags is the error for an image with IfNoTagsError whose rules give no tag on an event: each rule with its reason.
func NoTags(image string, e tagrule.Event, skipped []tagrule.Outcome) *Error {
	on := strings.TrimSpace(e.Name + " of " + e.Ref)
	if e.Name == "" {
		on = e.Ref
	}
	err := position{}.errorf("image %s: no rule gives a tag on %s", image, escape.Bounded(on, 200))
	width := 0
	for _, s := range skipped {
		width = max(width, utf8.RuneCountInString(escape.Bounded(s.Rule, 100)))
	}
	var lines []string
	for _, s := range skipped {
		lines = append(lines, fmt.Sprintf("       %-*s     %s", width, escape.Bounded(s.Rule, 100), s.Reason))
	}
	err.Snippet = strings.Join(lines, "\n")
	err.Hint = "run this job on tags only, or set `if-no-tags: skip`"
	if branch, ok := strings.CutPrefix(e.Ref, "refs/heads/"); ok && e.Name == "push" {
		rule := "type=ref,event=branch"
		if e.DefaultBranch == "" || e.DefaultBranch == branch {
			rule = "type=edge"
		}
		err.Hint = "add `" + rule + "` for pushes to " + escape.Bounded(branch, 100) + ", or " + err.Hint
	}
	return err
}
