package tagrule

import (
	"encoding/csv"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/taglast/taglast/internal/escape"
	"github.com/taglast/taglast/internal/nearest"
)

// maxLine is far above any rule; it bounds what errors and reports repeat.
const maxLine = 4096

// Rule is one checked line of tag rules. Parse makes it; Evaluate refuses its zero value.
type Rule struct {
	line     string
	kind     *kind
	attrs    map[string]string
	pattern  template
	priority int
	enable   bool
}

// String is the line as written, without the blanks around it.
func (r Rule) String() string { return r.line }

// Parse reads one rule: a CSV record of key=value fields, a double-quoted field being a whole key=value. A field
// without a key is the value, a rule without a type is raw, so a bare word is itself; of an attribute that is given
// twice the later counts. All of that is the original's; unlike there, an unknown attribute and an expression that this
// version does not know are errors.
func Parse(line string) (Rule, error) {
	fields, err := record(line)
	if err != nil {
		return Rule{}, err
	}
	r := Rule{line: strings.TrimSpace(line), attrs: map[string]string{}, enable: true}
	typ := "raw"
	for _, field := range fields {
		key, value := attribute(field)
		if key == "type" {
			typ = value
			continue
		}
		r.attrs[key] = value
	}
	if r.kind, err = kindOf(typ); err != nil {
		return Rule{}, err
	}
	if err := r.check(); err != nil {
		return Rule{}, err
	}
	return r, nil
}

// record splits a line into its fields (RFC 4180 quoting).
func record(line string) ([]string, error) {
	switch {
	case len(line) > maxLine:
		return nil, fmt.Errorf("a line of %d bytes; at most %d are read", len(line), maxLine)
	case !utf8.ValidString(line):
		return nil, errors.New("the line is not valid UTF-8")
	case strings.ContainsFunc(strings.TrimSpace(line), func(c rune) bool { return unicode.IsControl(c) && c != '\t' }):
		return nil, errors.New("a control character in the line")
	case strings.TrimSpace(line) == "":
		return nil, errors.New("the line is empty")
	}
	r := csv.NewReader(strings.NewReader(strings.TrimSpace(line)))
	r.FieldsPerRecord = -1
	fields, err := r.Read()
	var syntax *csv.ParseError
	if errors.As(err, &syntax) {
		return nil, fmt.Errorf("%w: quotes go around a whole field: \"pattern=1,2\"", syntax.Err)
	}
	return fields, err
}

// attribute splits a field at its first "=" that has something before it.
func attribute(field string) (key, value string) {
	i := strings.IndexByte(field, '=')
	if i <= 0 {
		return "value", strings.TrimSpace(field)
	}
	return strings.ToLower(strings.TrimSpace(field[:i])), strings.TrimSpace(field[i+1:])
}

func kindOf(name string) (*kind, error) {
	for i := range kinds {
		if kinds[i].name == name {
			return &kinds[i], nil
		}
	}
	known := strings.Join(kindNames(), ", ")
	if slices.Contains(laterKinds, name) {
		return nil, fmt.Errorf("type `%s` is not supported by this version of taglast; it knows %s", name, known)
	}
	if near := nearest.Word(name, slices.Concat(kindNames(), laterKinds)); near != "" {
		return nil, fmt.Errorf("unknown type `%s`; did you mean `%s`?", escape.Bounded(name, 80), near)
	}
	return nil, fmt.Errorf("unknown type `%s`; this version knows %s", escape.Bounded(name, 80), known)
}

// check checks the attributes against the rule's type and reads those that are not text.
func (r *Rule) check() error {
	known := slices.Concat(r.kind.attributes, common)
	keys := make([]string, 0, len(r.attrs))
	for key := range r.attrs {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	for _, key := range keys {
		if slices.Contains(known, key) {
			continue
		}
		if slices.Contains(r.kind.later, key) {
			return fmt.Errorf("attribute `%s` of type=%s is not supported by this version of taglast", key, r.kind.name)
		}
		if near := nearest.Word(key, known); near != "" {
			return fmt.Errorf("unknown attribute `%s`; did you mean `%s`?", escape.Bounded(key, 80), near)
		}
		slices.Sort(known)
		return fmt.Errorf("unknown attribute `%s`; type=%s takes %s", escape.Bounded(key, 80), r.kind.name, strings.Join(known, ", "))
	}
	for _, key := range r.kind.required {
		if _, ok := r.attrs[key]; !ok {
			return fmt.Errorf("type=%s needs `%s=`", r.kind.name, key)
		}
	}
	return r.read()
}

func (r *Rule) read() (err error) {
	for _, key := range []string{"value", "prefix", "suffix", "enable"} {
		if _, err := parseTemplate(key, r.attrs[key], nil); err != nil {
			return err
		}
	}
	if r.pattern, err = parseTemplate("pattern", r.attrs["pattern"], r.kind.pattern); err != nil {
		return err
	}
	switch enable, ok := r.attrs["enable"]; {
	case !ok || enable == "true":
	case enable == "false":
		r.enable = false
	default:
		return fmt.Errorf("enable=%s: it is `true` or `false`", escape.Bounded(enable, 80))
	}
	r.priority = r.kind.priority
	if text, ok := r.attrs["priority"]; ok {
		if r.priority, err = strconv.Atoi(text); err != nil {
			return fmt.Errorf("priority=%s is not a whole number", escape.Bounded(text, 80))
		}
	}
	return nil
}
