package tagrule

import (
	"errors"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/taglast/taglast/pkg/tagrule/internal/js"
)

var (
	// eventExpressions may stand in value, prefix, suffix and enable.
	eventExpressions = js.Vocabulary{
		Variables:   []string{"branch", "tag", "sha", "base_ref", "is_default_branch", "is_not_default_branch"},
		DateHelpers: []string{"date", "commit_date"},
	}
	dateExpressions = js.Vocabulary{DateHelpers: eventExpressions.DateHelpers}
)

// errUnknownExpression is never returned for a parsed rule, since its templates have expressions of their vocabulary only.
var errUnknownExpression = errors.New("unknown expression")

// evaluation is an event while rules are evaluated on it.
type evaluation struct {
	Event
	date    time.Time // what CommitDate returned
	dateErr error
	asked   bool // CommitDate was called
}

// commitDate calls the event's CommitDate the first time, and keeps what it returned.
func (e *evaluation) commitDate() (time.Time, error) {
	if !e.asked {
		e.asked, e.date = true, e.Now
		if e.CommitDate != nil {
			e.date, e.dateErr = e.CommitDate()
		}
	}
	return e.date, e.dateErr
}

// expressionValue is the value of an expression of eventExpressions.
func (e *evaluation) expressionValue(x *js.Expression) (string, error) {
	switch x.Name {
	case "branch":
		return trimRefPrefix(e.Ref, branchRef), nil
	case "tag":
		return trimRefPrefix(e.Ref, tagRef), nil
	case "sha":
		if e.SHA == "" {
			return "", errors.New("the event has no commit")
		}
		return e.shortSHA(), nil
	case "base_ref":
		return e.BaseRef, nil
	case "is_default_branch":
		return strconv.FormatBool(e.isOnDefaultBranch()), nil
	case "is_not_default_branch":
		return strconv.FormatBool(!e.isOnDefaultBranch()), nil
	case "date":
		return x.Format.Format(e.Now, x.Location)
	case "commit_date":
		date, err := e.commitDate()
		if err != nil {
			return "", err
		}
		return x.Format.Format(date, x.Location)
	}
	return "", errUnknownExpression
}

// trimRefPrefix is what follows the prefix in a ref, and empty where the ref has another prefix.
func trimRefPrefix(ref, prefix string) string {
	name, ok := strings.CutPrefix(ref, prefix)
	if !ok {
		return ""
	}
	return name
}

// defaultBranchEvents are events that GitHub runs only on the default branch.
var defaultBranchEvents = regexp.MustCompile(`create|discussion|issues|schedule`)

func (e Event) isOnDefaultBranch() bool {
	branch := strings.TrimPrefix(e.Ref, branchRef)
	return branch != "" && (branch == e.DefaultBranch || defaultBranchEvents.MatchString(e.Name))
}
