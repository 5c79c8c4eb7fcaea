package release

import (
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/taglast/taglast/internal/escape"
)

var (
	// unquotedBraces matches a line up to a value that begins with {{ outside of quotes.
	unquotedBraces = regexp.MustCompile(`^((?:\s*-\s+)*\s*(?:[^\s#'"{\[-][^#'"{\[]*:\s+)?(?:\[\s*)?)\{\{`)
	// dashes are what a list puts before its entry.
	dashes = regexp.MustCompile(`^(?:-\s+)+`)
)

// findBraces looks for the unquoted braces at which YAML lost its way: the last up to the line after the one
// that it names, else the first.
func (d *document) findBraces(line int) error {
	found, column := 0, 0
	for i, text := range d.lines {
		m := unquotedBraces.FindStringSubmatch(text)
		if m == nil || found > 0 && i > line {
			continue
		}
		found, column = i+1, utf8.RuneCountInString(m[1])+1
	}
	if found == 0 {
		return nil
	}
	return d.bracesError(found, column)
}

// bracesError is the error for a value that begins with {{ at a place.
func (d *document) bracesError(line, column int) error {
	e := d.at(line, column).errorf("a value that begins with {{ must be quoted, or YAML reads it as a map")
	if line < 1 || line > len(d.lines) {
		return e
	}
	runes := []rune(strings.TrimRight(d.lines[line-1], "\r"))
	if column < 1 || column > len(runes) || len(runes) > 160 {
		return e
	}
	before, after := strings.TrimLeft(string(runes[:column-1]), " "), string(runes[column-1:])
	if short := dashes.ReplaceAllLiteralString(before, ""); short != "" {
		before = short
	}
	value := bracesValue(after)
	const indent = "           "
	e.Snippet = indent + escape.Text(before+after) + "\n" + indent + strings.Repeat(" ", utf8.RuneCountInString(before)) + "^"
	return e.withHint("%s", escape.Text(before+quoteYAML(value)+after[len(value):]))
}

// bracesValue is the value that s begins with: up to a comment, a comma, a closing bracket or brace, the end of the line.
func bracesValue(s string) string {
	for i := 0; i < len(s); i++ {
		switch {
		case strings.HasPrefix(s[i:], "{{"):
			if end := strings.Index(s[i:], "}}"); end > 0 {
				i += end + 1
			}
		case strings.IndexByte(",]}", s[i]) >= 0, strings.HasPrefix(s[i:], " #"):
			return strings.TrimRight(s[:i], " ")
		}
	}
	return strings.TrimRight(s, " ")
}

// quoteYAML is a YAML text on one line.
func quoteYAML(s string) string {
	if strings.ContainsAny(s, `"\`) {
		return "'" + strings.ReplaceAll(s, "'", "''") + "'"
	}
	return `"` + s + `"`
}
