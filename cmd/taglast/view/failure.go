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
func Failure(r *publish.Report, err error) (title, detail, hintText string) {
	var releaseErr *release.Error
	ofRelease := errors.As(err, &releaseErr)
	message := err.Error()
	var e *publish.Error
	if errors.As(err, &e) && e.Usage { // found before the first stage began: naming it would be noise
		message = e.Message()
	}
	first, rest, _ := strings.Cut(escape.Lines(message), "\n")
	hintText = escape.Lines(hintOf(err))
	if ofRelease {
		rest = outdent(rest)
	}
	if ofRelease && releaseErr.Line > 0 { // the place in the file comes first, as compilers write it
		return first, rest, hintText
	}
	return tagsOutcome(r, err) + " " + first, rest, hintText
}

// hintOf is the hint of a publish.Error, or of what else has one.
func hintOf(err error) string {
	var e *publish.Error
	if errors.As(err, &e) && e.Hint != "" {
		return e.Hint
	}
	return hint.Of(err)
}

// margin is what stands before the further lines of errors and hints: under the text of the first.
const margin = "       "

// outdent takes the margin off the lines of a release.Error, whose text has it.
func outdent(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		lines[i] = strings.TrimPrefix(line, margin)
	}
	return strings.Join(lines, "\n")
}

// tagsOutcome says what became of the tags: the first words of every failure.
func tagsOutcome(r *publish.Report, err error) string {
	var e *publish.Error
	switch {
	case r != nil && (r.Outcome == publish.Partial || r.Outcome == publish.Published && !r.DryRun):
		s := r.Count()
		return fmt.Sprintf("%d of %d tags are written.", s.Right(), s.Wanted())
	case errors.As(err, &e) && e.Usage:
		return "nothing was sent."
	default:
		return "no tag was changed."
	}
}

// WriteFailure writes err to a terminal or log: `error:` and `hint:` with their further lines under them.
func WriteFailure(w io.Writer, r *publish.Report, err error) {
	title, detail, hintText := Failure(r, err)
	fmt.Fprintln(w, "error: "+title)
	indent(w, detail)
	if hintText != "" {
		first, rest, _ := strings.Cut(hintText, "\n")
		fmt.Fprintln(w, "hint:  "+first)
		indent(w, rest)
	}
}

func indent(w io.Writer, text string) {
	if text == "" {
		return
	}
	for line := range strings.SplitSeq(text, "\n") {
		fmt.Fprintln(w, strings.TrimRight(margin+line, " "))
	}
}
