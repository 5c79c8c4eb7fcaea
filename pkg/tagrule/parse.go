package tagrule

import (
	"encoding/csv"
	"errors"
	"fmt"
	"slices"
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
	attrs    map[string]string // as written, and defaults
	priority float64

	enable, value, prefix, suffix template
	pattern                       template
	regex                         *regex // of type=match the pattern, else match=
}

// String is the line as written, without the blanks around it.
func (r Rule) String() string { return r.line }

// Parse reads one rule: a CSV record of key=value fields, a double-quoted field being a whole key=value. A field
// without a key is the value, a rule without a type is raw, so a bare word is itself; of an attribute that is given
// twice the later counts. All of that is the original's; unlike there, an unknown attribute, an unknown expression and a
// template that cannot be read are errors, whether the rule applies or not.
func Parse(line string) (Rule, error) {
	fields, err := record(line)
	if err != nil {
		return Rule{}, err
	}
	r := Rule{line: trim(line), attrs: map[string]string{}}
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
	case strings.ContainsFunc(trim(line), func(c rune) bool { return unicode.IsControl(c) && c != '\t' }):
		return nil, errors.New("a control character in the line")
	case trim(line) == "":
		return nil, errors.New("the line is empty")
	}
	r := csv.NewReader(strings.NewReader(trim(line)))
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
		return "value", trim(field)
	}
	return strings.ToLower(trim(field[:i])), trim(field[i+1:])
}

func kindOf(name string) (*kind, error) {
	for i := range kinds {
		if kinds[i].name == name {
			return &kinds[i], nil
		}
	}
	if near := nearest.Word(name, kindNames()); near != "" {
		return nil, fmt.Errorf("unknown type `%s`; did you mean `%s`?", escape.Bounded(name, 80), near)
	}
	return nil, fmt.Errorf("unknown type `%s`; it is one of %s", escape.Bounded(name, 80), strings.Join(kindNames(), ", "))
}

// otherwise gives an attribute that is not written its default.
func (r *Rule) otherwise(key, value string) {
	if _, ok := r.attrs[key]; !ok {
		r.attrs[key] = value
	}
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
	r.otherwise("enable", "true")
	if r.kind.check != nil {
		if err := r.kind.check(r); err != nil {
			return err
		}
	}
	for key, t := range map[string]*template{"value": &r.value, "prefix": &r.prefix, "suffix": &r.suffix, "enable": &r.enable} {
		if *t, err = parseTemplate(key, r.attrs[key], globalExpressions); err != nil {
			return err
		}
	}
	if r.kind.pattern != nil {
		if r.pattern, err = parseTemplate("pattern", r.attrs["pattern"], r.kind.pattern); err != nil {
			return err
		}
	}
	if r.enable.static() {
		if _, err := r.enabled(&facts{}); err != nil {
			return err
		}
	}
	r.priority = float64(r.kind.priority)
	if text, ok := r.attrs["priority"]; ok {
		if r.priority, ok = parseNumber(text); !ok {
			return fmt.Errorf("priority=%s is not a number", escape.Bounded(text, 80))
		}
	}
	return nil
}

// enabled is enable=, which must come to true or false.
func (r Rule) enabled(f *facts) (bool, error) {
	switch text, err := r.enable.render(f.global); {
	case err != nil:
		return false, err
	case text == "true" || text == "false":
		return text == "true", nil
	default:
		return false, fmt.Errorf("enable=%s: it is `true` or `false`", escape.Bounded(text, 80))
	}
}
