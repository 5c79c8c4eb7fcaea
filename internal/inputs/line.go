package inputs

import (
	"errors"
	"slices"
	"strings"
)

// record is one entry of an input of several lines, as docker's actions read them: a line of comma-separated fields. A
// field in double quotes may hold commas and line breaks, and a quote that is written twice.
type record struct {
	text   string   // the entry with its commas: as written, but for quotes around the whole of it
	fields []string // as CSV has them
}

var (
	errOpenQuote  = errors.New("a double quote is not closed")
	errAfterQuote = errors.New("text after a closing double quote: quotes go around a whole entry, and one within it is written twice")
)

// records reads the entries of an input. Empty lines do not count, nor do those that begin with #. Blanks before an entry
// are dropped; those after it are dropped by whoever does not need them.
func records(value string) ([]record, error) {
	var out []record
	for value != "" {
		value = strings.TrimLeft(value, " \t\r\n")
		if value == "" {
			break
		}
		if value[0] == '#' {
			_, value, _ = strings.Cut(value, "\n")
			continue
		}
		r, rest, err := readRecord(value)
		if err != nil {
			return nil, err
		}
		out, value = append(out, r), rest
	}
	return out, nil
}

// readRecord reads the record that value begins with, and gives what comes after its line.
func readRecord(value string) (r record, rest string, err error) {
	if value[0] != '"' { // one line: quotes further within protect commas, and stay
		line, rest, _ := strings.Cut(value, "\n")
		line = strings.TrimSuffix(line, "\r")
		fields, after, err := readFields(line)
		if err != nil || after != "" {
			fields, err = strings.Split(line, ","), nil
		}
		return record{line, fields}, rest, err
	}
	fields, rest, err := readFields(value)
	return record{strings.Join(fields, ","), fields}, rest, err
}

// readFields reads comma-separated fields up to the end of a line, and gives what comes after it.
func readFields(value string) (fields []string, rest string, err error) {
	for {
		var field string
		if strings.HasPrefix(value, `"`) {
			if field, value, err = readQuoted(value[1:]); err != nil {
				return nil, "", err
			}
		} else {
			end := strings.IndexAny(value, ",\n")
			if end < 0 {
				end = len(value)
			}
			field, value = strings.TrimSuffix(value[:end], "\r"), value[end:]
		}
		fields = append(fields, field)
		var more bool
		if value, more = strings.CutPrefix(value, ","); !more {
			return fields, strings.TrimPrefix(value, "\n"), nil
		}
	}
}

// readQuoted reads a field up to its closing quote and the comma or line break after it, which stays.
func readQuoted(value string) (field, rest string, err error) {
	var b strings.Builder
	for {
		text, after, closed := strings.Cut(value, `"`)
		b.WriteString(text)
		switch {
		case !closed:
			return "", "", errOpenQuote
		case strings.HasPrefix(after, `"`):
			b.WriteByte('"')
			value = after[1:]
			continue
		}
		after = strings.TrimLeft(after, " \t\r")
		if after != "" && after[0] != ',' && after[0] != '\n' {
			return "", "", errAfterQuote
		}
		return b.String(), after, nil
	}
}

// texts are the entries of an input that keep their commas, without blanks around them.
func texts(value string) ([]string, error) {
	all, err := records(value)
	var out []string
	for _, r := range all {
		if text := strings.TrimSpace(r.text); text != "" {
			out = append(out, text)
		}
	}
	return out, err
}

// items are the entries of an input whose commas separate as line breaks do.
func items(value string) ([]string, error) {
	all, err := records(value)
	var out []string
	for _, r := range all {
		for _, field := range r.fields {
			if field = strings.TrimSpace(field); field != "" {
				out = append(out, field)
			}
		}
	}
	return slices.Clip(out), err
}

// single is an input that is one text, without blanks around it.
func single(value string) ([]string, error) {
	if value = strings.TrimSpace(value); value == "" {
		return nil, nil
	}
	return []string{value}, nil
}
