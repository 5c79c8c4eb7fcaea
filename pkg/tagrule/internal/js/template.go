package js

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// maxRendered bounds what a template renders to, in bytes; a tag has 128 characters.
const maxRendered = 1 << 16

// Template is a Handlebars template: text with {{expressions}}. Its zero value renders to the empty text.
type Template struct {
	source string
	parts  []part
	only   string // the name of the expression that is all of the template; empty where there is another node, or none
}

// part is a piece of text, or an expression.
type part struct {
	text       string
	expression *Expression // nil for text
}

// Expression is what stands in {{ }}: a name of the template's vocabulary and, behind a date helper, a format.
type Expression struct {
	Name     string
	Format   DateFormat     // of a date helper; nil is moment's default format
	Location *time.Location // of a date helper with tz='…'; nil is UTC

	escape bool // the value is escaped as in HTML
}

// Source is the text that was parsed.
func (t Template) Source() string { return t.source }

// Static says whether the template has no expression, and so renders to the same text whatever the values are.
func (t Template) Static() bool {
	return !slices.ContainsFunc(t.parts, func(p part) bool { return p.expression != nil })
}

// Has says whether the expression of that name stands in the template.
func (t Template) Has(name string) bool {
	return slices.ContainsFunc(t.parts, func(p part) bool { return p.expression != nil && p.expression.Name == name })
}

// IsOnly says whether the expression of that name, written without quotes, is all of the template: there is no text and no
// comment beside it.
func (t Template) IsOnly(name string) bool { return name != "" && t.only == name }

// htmlEntities are what Handlebars escapes in {{ }}, though its output is no HTML here: a branch a&b gives a tag a-amp-b.
var htmlEntities = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&#x27;", "`", "&#x60;", "=", "&#x3D;")

// Render puts the values of the expressions in their places. It asks value for each expression in its order; value may be
// nil for a static template. Errors: one of value, and a text of more than 64 KiB.
func (t Template) Render(value func(*Expression) (string, error)) (string, error) {
	if len(t.parts) == 1 && t.parts[0].expression == nil {
		return t.parts[0].text, nil
	}
	var b strings.Builder
	for _, p := range t.parts {
		s := p.text
		if p.expression != nil {
			var err error
			if s, err = value(p.expression); err != nil {
				return "", fmt.Errorf("{{%s}}: %w", p.expression.Name, err)
			}
			if p.expression.escape {
				s = htmlEntities.Replace(s)
			}
		}
		if b.Len()+len(s) > maxRendered {
			return "", errors.New("the text is too long")
		}
		b.WriteString(s)
	}
	return b.String(), nil
}
