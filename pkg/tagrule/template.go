package tagrule

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// maxText bounds what a template gives; a tag has 128 characters.
const maxText = 1 << 16

// template is text with {{expressions}}, as Handlebars reads it, in the order of its parts.
type template struct {
	source string
	parts  []part
	raw    bool // it is one {{raw}} and nothing beside
}

type part struct {
	text       string
	expression *expression // nil for text
}

// expression is what stands in {{ }}, checked.
type expression struct {
	name   string
	escape bool   // as in HTML
	layout layout // of a date
	zone   zone
}

// plain is a template without expressions.
func plain(s string) template {
	if s == "" {
		return template{}
	}
	return template{source: s, parts: []part{{text: s}}}
}

// static says whether the template gives the same text on every event.
func (t template) static() bool {
	return !slices.ContainsFunc(t.parts, func(p part) bool { return p.expression != nil })
}

func (t template) has(name string) bool {
	return slices.ContainsFunc(t.parts, func(p part) bool { return p.expression != nil && p.expression.name == name })
}

// entities are what Handlebars escapes in {{ }}, though its output is no HTML here: a branch a&b is a tag a-amp-b.
var entities = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&#x27;", "`", "&#x60;", "=", "&#x3D;")

// render puts the values in their places.
func (t template) render(value func(*expression) (string, error)) (string, error) {
	if len(t.parts) == 1 && t.parts[0].expression == nil {
		return t.parts[0].text, nil
	}
	var b strings.Builder
	for _, p := range t.parts {
		s := p.text
		if p.expression != nil {
			var err error
			if s, err = value(p.expression); err != nil {
				return "", fmt.Errorf("{{%s}}: %w", p.expression.name, err)
			}
			if p.expression.escape {
				s = entities.Replace(s)
			}
		}
		if b.Len()+len(s) > maxText {
			return "", errors.New("the text is too long")
		}
		b.WriteString(s)
	}
	return b.String(), nil
}
