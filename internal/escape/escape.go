// Package escape makes foreign text inert: on one line of a log, a terminal or an error (Text, Bounded), in a table
// cell of a job summary (Markdown), and inside a workflow command of the GitHub Actions runner (CommandData,
// CommandProperty).
//
// Foreign text is whatever this program did not write itself: answers of registries, labels, annotations, file names
// and contents, claims of tokens.
package escape

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// ellipsis ends a text that Bounded has cut.
const ellipsis = "…"

// Text returns s on one line, with nothing in it that a terminal, a log viewer or the runner would act upon.
//
// Every rune that Go does not call printable (control characters, line and paragraph separators, bidirectional
// controls, zero width characters, spaces other than U+0020) and every byte that is no UTF-8 becomes the escape that Go
// would write: \n, \x1b, \u202e. A "##[", which the runner takes for a command anywhere in a line, becomes "##\[",
// and a "::" that only blanks precede becomes "\::". Backslashes stay as they are: the result is for people to read,
// not to be parsed back. Text of a result is that result.
func Text(s string) string {
	return escapeText(s, -1)
}

// Bounded is Text, no longer than limit bytes; a text that was cut ends in an ellipsis and never within an escape.
func Bounded(s string, limit int) string {
	return escapeText(s, max(limit, 0))
}

// Lines is Text for a text whose line breaks are to stay: each line is escaped by itself, and "\n" stays between them.
// It is for messages that this program has composed, not for foreign text alone.
func Lines(s string) string {
	lines := strings.Split(s, "\n")
	for i, line := range lines {
		lines[i] = Text(strings.TrimSuffix(line, "\r"))
	}
	return strings.Join(lines, "\n")
}

// HasControl reports whether s has a control character or a line separator: a text with one is refused where a name or a
// claim is expected.
func HasControl(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) || r == '\u2028' || r == '\u2029' })
}

// escapeText escapes s into at most limit bytes; a negative limit means none.
func escapeText(s string, limit int) string {
	if limit < 0 && isPlain(s) {
		return s
	}
	var b strings.Builder
	fit := 0 // length of the output with which the ellipsis still fits
	atStart := true
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		b.WriteString(escapeRune(s[i:i+size], r, b.String(), atStart && strings.HasPrefix(s[i:], "::")))
		if r != ' ' { // every other blank is escaped, and then no longer blank
			atStart = false
		}
		i += size
		if limit < 0 {
			continue
		}
		if b.Len() > limit {
			return withEllipsis(b.String()[:fit], limit)
		}
		if b.Len()+len(ellipsis) <= limit {
			fit = b.Len()
		}
	}
	return b.String()
}

// withEllipsis appends the ellipsis where it fits into limit bytes.
func withEllipsis(s string, limit int) string {
	if len(s)+len(ellipsis) > limit {
		return s
	}
	return s + ellipsis
}

// escapeRune returns the output for one rune, whose bytes are raw, after the output before it. command says that a
// workflow command begins there.
func escapeRune(raw string, r rune, before string, command bool) string {
	switch {
	case r == utf8.RuneError && len(raw) == 1:
		return fmt.Sprintf(`\x%02x`, raw[0])
	case command:
		return `\:`
	case r == '[' && strings.HasSuffix(before, "##"):
		return `\[`
	case !isInert(r):
		q := strconv.QuoteRuneToASCII(r)
		return q[1 : len(q)-1]
	}
	return raw
}

// isInert reports whether r may stand in a line as it is. Beyond what Go calls printable, those characters are out that
// Unicode asks to ignore in display, and variation selectors: they are marks or letters, and cannot be seen.
func isInert(r rune) bool {
	return strconv.IsPrint(r) && !unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}

// isPlain reports whether s needs no escaping, in the usual case: it is printable ASCII without a command.
func isPlain(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return !strings.Contains(s, "##[") && !strings.HasPrefix(strings.TrimLeft(s, " "), "::")
}
