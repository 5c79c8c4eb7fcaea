package js

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/taglast/taglast/internal/escape"
)

// parser reads a template of Handlebars 4: text, and mustaches of one expression each. Blocks, partials, decorators,
// sub-expressions and data variables are refused, since a tag rule has no use for them.
type parser struct {
	attribute  string // whose text it is, for errors
	text       string
	vocabulary Vocabulary

	rest        string
	parts       []part
	nodes       int    // how many nodes Handlebars' syntax tree has: texts, comments, mustaches
	afterText   bool   // the last node is text that is not empty
	stripBlanks bool   // the last mustache takes the blanks behind it away ("~}}")
	unquoted    string // the name in the last mustache, where it is written without quotes
}

// ParseTemplate reads a template in which the names of the vocabulary may stand. attribute is the name of what the text is
// given for (value, prefix, …): errors show it. Errors: an expression outside of the vocabulary, arguments that it does not
// take, braces that are not closed, and the parts of Handlebars that are not supported.
func ParseTemplate(attribute, text string, v Vocabulary) (Template, error) {
	p := parser{attribute: attribute, text: text, vocabulary: v, rest: text}
	for p.rest != "" {
		i := strings.Index(p.rest, "{{")
		if i < 0 {
			p.content(p.rest)
			break
		}
		before, literal := p.rest[:i], false
		switch {
		case strings.HasSuffix(before, `\\`): // an escaped backslash, then a mustache
			before = before[:i-1]
		case strings.HasSuffix(before, `\`): // escaped braces
			before, literal = before[:i-1], true
		}
		p.content(before)
		p.rest = p.rest[i:]
		if literal {
			p.literal()
			continue
		}
		if err := p.mustache(); err != nil {
			return Template{}, err
		}
	}
	t := Template{source: text, parts: p.parts}
	if p.nodes == 1 {
		t.only = p.unquoted
	}
	return t, nil
}

// content adds a text.
func (p *parser) content(s string) {
	if s == "" {
		return
	}
	p.nodes++
	if p.stripBlanks {
		s = strings.TrimLeftFunc(s, isBlank)
	}
	p.stripBlanks = false
	if p.afterText = s != ""; p.afterText {
		p.parts = append(p.parts, part{text: s})
	}
}

// literal adds as text what follows an escaped "{{" up to the next braces, escaped or not.
func (p *parser) literal() {
	end := len(p.rest)
	if i := strings.Index(p.rest[2:], "{{"); i >= 0 {
		end = i + 2
		for range 2 {
			if end > 2 && p.rest[end-1] == '\\' {
				end--
			}
		}
	}
	p.content(p.rest[:end])
	p.rest = p.rest[end:]
}

// stripBefore takes the blanks before a mustache away ("{{~").
func (p *parser) stripBefore() {
	if n := len(p.parts); p.afterText {
		if p.parts[n-1].text = strings.TrimRightFunc(p.parts[n-1].text, isBlank); p.parts[n-1].text == "" {
			p.parts = p.parts[:n-1]
		}
	}
}

var (
	elseWord   = regexp.MustCompile(`^\s*else\b`)
	commentEnd = regexp.MustCompile(`--~?}}`)
)

// mustache reads the mustache that the rest begins with.
func (p *parser) mustache() error {
	if !strings.Contains(p.rest, "}}") {
		return p.unclosed()
	}
	if strings.HasPrefix(p.rest, "{{{{") {
		return p.unsupported("a block")
	}
	p.nodes++
	open := 2
	if p.rest[2:3] == "~" {
		p.stripBefore()
		open++
	}
	p.stripBlanks, p.afterText = false, false
	inside := p.rest[open:]
	switch {
	case strings.HasPrefix(inside, "!"):
		return p.comment(inside)
	case strings.HasPrefix(inside, ">"):
		return p.unsupported("a partial")
	case strings.HasPrefix(inside, "*"):
		return p.unsupported("a decorator")
	case strings.HasPrefix(inside, "#"), strings.HasPrefix(inside, "^"), strings.HasPrefix(inside, "/"), elseWord.MatchString(inside):
		return p.unsupported("a block")
	}
	triple := strings.HasPrefix(inside, "{")
	escaped := !triple && !strings.HasPrefix(inside, "&")
	if !escaped {
		inside = inside[1:]
	}
	l := lexer{rest: inside}
	call, err := l.call(triple)
	switch {
	case errors.Is(err, errUnclosed):
		return p.unclosed()
	case err != nil:
		return fmt.Errorf("%w in %s=%s", err, p.attribute, escape.Bounded(p.text, 200))
	}
	x, err := p.vocabulary.expression(p.attribute, call)
	if err != nil {
		return err
	}
	x.escape = escaped
	if !call.quoted {
		p.unquoted = x.Name
	}
	p.parts = append(p.parts, part{expression: x})
	p.rest, p.stripBlanks = l.rest, call.strip
	return nil
}

// comment skips {{! … }} and {{!-- … --}}.
func (p *parser) comment(inside string) error {
	end := strings.Index(p.rest, "}}")
	if strings.HasPrefix(inside, "!--") {
		long := commentEnd.FindStringIndex(p.rest)
		if long == nil {
			return p.unclosed()
		}
		end = long[1] - 2
	}
	p.stripBlanks = p.rest[end-1] == '~'
	p.rest = p.rest[end+2:]
	return nil
}

func (p *parser) unclosed() error {
	return fmt.Errorf("`{{` without `}}` in %s=%s", p.attribute, escape.Bounded(p.text, 200))
}

func (p *parser) unsupported(what string) error {
	return fmt.Errorf("%s is not supported in %s=%s", what, p.attribute, escape.Bounded(p.text, 200))
}
