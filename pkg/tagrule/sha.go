package tagrule

import (
	"fmt"

	"github.com/taglast/taglast/internal/escape"
)

// defaultShortSHA is how many characters git shows, and the original.
const defaultShortSHA = 7

// checkSHA gives type=sha its default prefix. It counts as written in the rule, so that a flavor's does not replace it.
func checkSHA(r *Rule) error {
	r.setDefault("prefix", "sha-")
	r.setDefault("format", "short")
	if format := r.attributes["format"]; format != "short" && format != "long" {
		return fmt.Errorf("format=%s: it is `short` or `long`", escape.Bounded(format, 80))
	}
	return nil
}

// shaValue is type=sha: the commit.
func shaValue(r Rule, e *evaluation) (ruleValue, string, error) {
	switch {
	case e.SHA == "":
		return ruleValue{}, "needs a commit", nil
	case r.attributes["format"] == "long":
		return ruleValue{text: e.SHA, fixed: true}, "", nil
	}
	return ruleValue{text: e.shortSHA(), fixed: true}, "", nil
}

// shortSHA is the first characters of the commit, as many as the event says.
func (e Event) shortSHA() string {
	n := e.ShortSHA
	if n <= 0 {
		n = defaultShortSHA
	}
	return e.SHA[:min(n, len(e.SHA))]
}
