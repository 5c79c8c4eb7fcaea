package tagrule

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"
)

var (
	dateExpressions   = []string{"date", "commit_date"}
	globalExpressions = []string{
		"branch", "tag", "sha", "base_ref", "is_default_branch", "is_not_default_branch", "date", "commit_date",
	}
)

// facts are an event during one evaluation.
type facts struct {
	Event
	day  time.Time // {{commit_date}}, once it was asked for
	err  error
	seen bool
}

// commitDate asks for the commit's date once.
func (f *facts) commitDate() (time.Time, error) {
	if !f.seen {
		f.seen, f.day = true, f.Now
		if f.CommitDate != nil {
			f.day, f.err = f.CommitDate()
		}
	}
	return f.day, f.err
}

// global is the value of an expression that stands in enable, value, prefix or suffix.
func (f *facts) global(x *expression) (string, error) {
	switch x.name {
	case "branch":
		return after(f.Ref, branchRef), nil
	case "tag":
		return after(f.Ref, tagRef), nil
	case "sha":
		if f.SHA == "" {
			return "", errors.New("the event has no commit")
		}
		return f.shortSHA(), nil
	case "base_ref":
		return f.BaseRef, nil
	case "is_default_branch":
		return fmt.Sprint(f.onDefaultBranch()), nil
	case "is_not_default_branch":
		return fmt.Sprint(!f.onDefaultBranch()), nil
	case "date":
		return x.layout.format(f.Now, x.zone)
	case "commit_date":
		day, err := f.commitDate()
		if err != nil {
			return "", err
		}
		return x.layout.format(day, x.zone)
	}
	return "", errors.New("unknown expression")
}

// after is what follows a prefix; nothing where s does not begin with it.
func after(s, prefix string) string {
	rest, ok := strings.CutPrefix(s, prefix)
	if !ok {
		return ""
	}
	return rest
}

// onDefault are events that GitHub runs on the default branch alone.
var onDefault = regexp.MustCompile(`create|discussion|issues|schedule`)

func (e Event) onDefaultBranch() bool {
	branch := strings.TrimPrefix(e.Ref, branchRef)
	return branch != "" && (branch == e.DefaultBranch || onDefault.MatchString(e.Name))
}
