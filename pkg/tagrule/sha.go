package tagrule

import (
	"fmt"

	"github.com/taglast/taglast/internal/escape"
)

// defaultShortSHA is git's, and the original's.
const defaultShortSHA = 7

// checkSHA gives type=sha its prefix, which is a rule's own: a flavor's does not replace it.
func checkSHA(r *Rule) error {
	r.otherwise("prefix", "sha-")
	r.otherwise("format", "short")
	if format := r.attrs["format"]; format != "short" && format != "long" {
		return fmt.Errorf("format=%s: it is `short` or `long`", escape.Bounded(format, 80))
	}
	return nil
}

// shaValue is type=sha: the commit.
func shaValue(r Rule, f *facts) (made, string, error) {
	switch {
	case f.SHA == "":
		return made{}, "needs a commit", nil
	case r.attrs["format"] == "long":
		return made{text: f.SHA, fixed: true}, "", nil
	}
	return made{text: f.shortSHA(), fixed: true}, "", nil
}

func (e Event) shortSHA() string {
	n := e.ShortSHA
	if n <= 0 {
		n = defaultShortSHA
	}
	return e.SHA[:min(n, len(e.SHA))]
}
