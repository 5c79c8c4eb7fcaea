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
	"github.com/taglast/taglast/pkg/tagrule/internal/js"
)

// maxLine bounds a line, in bytes, and with it what errors and reports repeat. No rule comes near it.
const maxLine = 4096

// Rule is one checked line of tag rules. Parse returns it; Evaluate refuses its zero value.
type Rule struct {
	line       string
	kind       *kind
	attributes map[string]string // as written, and defaults
	priority   float64

	enable, value, prefix, suffix js.Template
	pattern                       js.Template // the zero value where the type's pattern is no template
	regExp                        *js.RegExp  // of type=match its pattern, else match=; nil where there is none
}

// String is the line as written, without the blanks around it; empty for the zero value.
func (r Rule) String() string { return r.line }

// Parse reads one rule: a CSV record of key=value fields, a double-quoted field being a whole key=value. A field
// without a key is the value, a rule without a type is raw, so a bare word is itself; of an attribute that is given
// twice the later counts. All of that is the original's; unlike there, an unknown attribute, an unknown expression and a
// template that cannot be read are errors, whether the rule applies or not.
func Parse(line string) (Rule, error) {
	fields, err := parseRecord(line)
	if err != nil {
		return Rule{}, err
	}
	r := Rule{line: js.Trim(line), attributes: map[string]string{}}
	typ := "raw"
	for _, field := range fields {
		key, value := splitAttribute(field)
		if key == "type" {
			typ = value
			continue
		}
		r.attributes[key] = value
	}
	if r.kind, err = kindByName(typ); err != nil {
		return Rule{}, err
	}
	if err := r.check(); err != nil {
		return Rule{}, err
	}
	return r, nil
}

// parseRecord splits a line into its fields (RFC 4180 quoting).
func parseRecord(line string) ([]string, error) {
	switch {
	case len(line) > maxLine:
		return nil, fmt.Errorf("a line of %d bytes; at most %d are read", len(line), maxLine)
	case !utf8.ValidString(line):
		return nil, errors.New("the line is not valid UTF-8")
	case strings.ContainsFunc(js.Trim(line), func(c rune) bool { return unicode.IsControl(c) && c != '\t' }):
		return nil, errors.New("a control character in the line")
	case js.Trim(line) == "":
		return nil, errors.New("the line is empty")
	}
	r := csv.NewReader(strings.NewReader(js.Trim(line)))
	r.FieldsPerRecord = -1
	fields, err := r.Read()
	var syntax *csv.ParseError
	if errors.As(err, &syntax) {
		return nil, fmt.Errorf("%w: quotes go around a whole field: \"pattern=1,2\"", syntax.Err)
	}
	return fields, err
}

// splitAttribute splits a field at its first "=" that has something before it.
func splitAttribute(field string) (key, value string) {
	i := strings.IndexByte(field, '=')
	if i <= 0 {
		return "value", js.Trim(field)
	}
	return strings.ToLower(js.Trim(field[:i])), js.Trim(field[i+1:])
}

func kindByName(name string) (*kind, error) {
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

// setDefault sets an attribute that is not written.
func (r *Rule) setDefault(key, value string) {
	if _, ok := r.attributes[key]; !ok {
		r.attributes[key] = value
	}
}

// check checks the attributes against the rule's type, and parses them.
func (r *Rule) check() error {
	known := slices.Concat(r.kind.attributes, commonAttributes)
	keys := make([]string, 0, len(r.attributes))
	for key := range r.attributes {
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
		if _, ok := r.attributes[key]; !ok {
			return fmt.Errorf("type=%s needs `%s=`", r.kind.name, key)
		}
	}
	return r.parseAttributes()
}

// parseAttributes reads the attributes that are not text.
func (r *Rule) parseAttributes() (err error) {
	r.setDefault("enable", "true")
	if r.kind.check != nil {
		if err := r.kind.check(r); err != nil {
			return err
		}
	}
	for key, t := range map[string]*js.Template{"value": &r.value, "prefix": &r.prefix, "suffix": &r.suffix, "enable": &r.enable} {
		if *t, err = js.ParseTemplate(key, r.attributes[key], eventExpressions); err != nil {
			return err
		}
	}
	if r.kind.pattern != nil {
		if r.pattern, err = js.ParseTemplate("pattern", r.attributes["pattern"], *r.kind.pattern); err != nil {
			return err
		}
	}
	if r.enable.Static() {
		if _, err := r.isEnabled(&evaluation{}); err != nil {
			return err
		}
	}
	r.priority = float64(r.kind.priority)
	if text, ok := r.attributes["priority"]; ok {
		if r.priority, ok = js.ParseNumber(text); !ok {
			return fmt.Errorf("priority=%s is not a number", escape.Bounded(text, 80))
		}
	}
	return nil
}

// isEnabled is enable=, which must come to true or false.
func (r Rule) isEnabled(e *evaluation) (bool, error) {
	switch text, err := r.enable.Render(e.expressionValue); {
	case err != nil:
		return false, err
	case text == "true" || text == "false":
		return text == "true", nil
	default:
		return false, fmt.Errorf("enable=%s: it is `true` or `false`", escape.Bounded(text, 80))
	}
}
