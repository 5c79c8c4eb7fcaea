package view

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/taglast/taglast/internal/escape"
	"github.com/taglast/taglast/internal/hint"
	"github.com/taglast/taglast/pkg/publish"
	"github.com/taglast/taglast/pkg/release"
)

// Failure is an error in the program's words: what became of the tags, what failed, on which reference, why; and a hint
// of what to do. Title is the first line without `error: `.
func Failure(r *publish.Report, err error) (title, detail, hinted string) {
	message := escape.Lines(err.Error())
	first, rest, _ := strings.Cut(message, "\n")
	hinted = escape.Lines(hint.Of(err))
	var file *release.Error
	if errors.As(err, &file) {
		return first, rest, hinted
	}
	return became(r, err) + " " + first, rest, hinted
}

// became says what became of the tags: the first words of every failure.
func became(r *publish.Report, err error) string {
	var e *publish.Error
	switch {
	case r != nil && (r.Outcome == publish.Partial || r.Outcome == publish.Published && !r.DryRun):
		s := r.Count()
		return fmt.Sprintf("%d of %d tags are written.", s.Written()+s.Unchanged, s.Total)
	case errors.As(err, &e) && e.Usage:
		return "nothing was sent."
	default:
		return "no tag was changed."
	}
}

// WriteFailure writes err to a terminal or log: `error:` and `hint:` with their further lines under them.
func WriteFailure(w io.Writer, r *publish.Report, err error) {
	title, detail, hinted := Failure(r, err)
	fmt.Fprintln(w, "error: "+title)
	indent(w, detail)
	if hinted != "" {
		first, rest, _ := strings.Cut(hinted, "\n")
		fmt.Fprintln(w, "hint:  "+first)
		indent(w, rest)
	}
}

func indent(w io.Writer, text string) {
	if text == "" {
		return
	}
	for line := range strings.SplitSeq(text, "\n") {
		fmt.Fprintln(w, strings.TrimRight("       "+line, " "))
	}
}
