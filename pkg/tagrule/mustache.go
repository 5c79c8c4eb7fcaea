package tagrule

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/taglast/taglast/internal/escape"
	"github.com/taglast/taglast/internal/nearest"
)

// parser reads a template of Handlebars 4: text, and mustaches of one expression each. Blocks, partials, decorators,
// sub-expressions and data variables are refused; a rule has no use for them.
type parser struct {
	attribute string // whose text it is, for errors
	text      string
	known     []string // the expressions that may stand in it

	rest  string
	parts []part
	nodes int  // of Handlebars' syntax tree: texts, comments, mustaches
	after bool // the last node is text that is not empty
	strip bool // the last mustache takes the blanks after it away ("~}}")
	raw   bool // some mustache is {{raw}}
}

// parseTemplate reads the text of an attribute in which the known expressions may stand.
func parseTemplate(attribute, text string, known []string) (template, error) {
	p := parser{attribute: attribute, text: text, known: known, rest: text}
	for p.rest != "" {
		i := strings.Index(p.rest, "{{")
		if i < 0 {
			p.content(p.rest)
			break
		}
		before, literal := p.rest[:i], false
		switch {
		case strings.HasSuffix(before, `\\`): // a backslash, then a mustache
			before = before[:i-1]
		case strings.HasSuffix(before, `\`): // braces that are meant
			before, literal = before[:i-1], true
		}
		p.content(before)
		p.rest = p.rest[i:]
		if literal {
			p.literal()
			continue
		}
		if err := p.mustache(); err != nil {
			return template{}, err
		}
	}
	return template{source: text, parts: p.parts, raw: p.raw && p.nodes == 1}, nil
}

func (p *parser) content(s string) {
	if s == "" {
		return
	}
	p.nodes++
	if p.strip {
		s = strings.TrimLeftFunc(s, blank)
	}
	p.strip = false
	if p.after = s != ""; p.after {
		p.parts = append(p.parts, part{text: s})
	}
}

// literal takes what follows an escaped "{{" up to the next braces, escaped or not.
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
	if n := len(p.parts); p.after {
		if p.parts[n-1].text = strings.TrimRightFunc(p.parts[n-1].text, blank); p.parts[n-1].text == "" {
			p.parts = p.parts[:n-1]
		}
	}
}

var (
	elseWord   = regexp.MustCompile(`^\s*else\b`)
	commentEnd = regexp.MustCompile(`--~?}}`)
)

// mustache reads one, with which the rest begins.
func (p *parser) mustache() error {
	if !strings.Contains(p.rest, "}}") {
		return p.unclosed()
	}
	if strings.HasPrefix(p.rest, "{{{{") {
		return p.errorf("a block")
	}
	p.nodes++
	open := 2
	if p.rest[2:3] == "~" {
		p.stripBefore()
		open++
	}
	p.strip, p.after = false, false
	inside := p.rest[open:]
	switch {
	case strings.HasPrefix(inside, "!"):
		return p.comment(inside)
	case strings.HasPrefix(inside, ">"):
		return p.errorf("a partial")
	case strings.HasPrefix(inside, "*"):
		return p.errorf("a decorator")
	case strings.HasPrefix(inside, "#"), strings.HasPrefix(inside, "^"), strings.HasPrefix(inside, "/"), elseWord.MatchString(inside):
		return p.errorf("a block")
	}
	triple := strings.HasPrefix(inside, "{")
	escaped := !triple && !strings.HasPrefix(inside, "&")
	if !escaped {
		inside = inside[1:]
	}
	c := cursor{rest: inside}
	call, err := c.call(triple)
	switch {
	case errors.Is(err, errUnclosed):
		return p.unclosed()
	case err != nil:
		return fmt.Errorf("%w in %s=%s", err, p.attribute, escape.Bounded(p.text, 200))
	}
	x, err := p.expression(call)
	if err != nil {
		return err
	}
	x.escape = escaped
	p.raw = p.raw || x.name == "raw" && !call.quoted
	p.parts = append(p.parts, part{expression: x})
	p.rest, p.strip = c.rest, call.strip
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
	p.strip = p.rest[end-1] == '~'
	p.rest = p.rest[end+2:]
	return nil
}

func (p *parser) unclosed() error {
	return fmt.Errorf("`{{` without `}}` in %s=%s", p.attribute, escape.Bounded(p.text, 200))
}

func (p *parser) errorf(what string) error {
	return fmt.Errorf("%s is not supported in %s=%s", what, p.attribute, escape.Bounded(p.text, 200))
}

// expression checks a call against what the attribute takes.
func (p *parser) expression(c call) (*expression, error) {
	if !slices.Contains(p.known, c.name) {
		return nil, p.unknown(c.name)
	}
	x := &expression{name: c.name}
	if c.name != "date" && c.name != "commit_date" {
		if len(c.params) > 0 || len(c.hash) > 0 {
			return nil, fmt.Errorf("`{{%s}}` takes no argument", c.name)
		}
		return x, nil
	}
	hint := fmt.Sprintf("write {{%s 'YYYYMMDD'}} or {{%s 'YYYYMMDD' tz='Asia/Tokyo'}}", c.name, c.name)
	for _, h := range c.hash {
		if h.key != "tz" || !h.value.quoted {
			return nil, fmt.Errorf("`{{%s}}` has an argument `%s` that is not tz='…'; %s", c.name, escape.Bounded(h.key, 80), hint)
		}
		var err error
		if x.zone, err = loadZone(h.value.text); err != nil {
			return nil, fmt.Errorf("`{{%s}}`: %w", c.name, err)
		}
	}
	if len(c.params) != 1 {
		return nil, fmt.Errorf("`{{%s}}` needs one format; %s", c.name, hint)
	}
	format := c.params[0]
	switch {
	case format.quoted:
		x.layout = parseLayout(format.text)
	case !format.undefined || slices.Contains(p.known, format.text):
		return nil, fmt.Errorf("`%s` is not a format; %s", escape.Bounded(format.text, 80), hint)
	}
	return x, nil
}

func (p *parser) unknown(name string) error {
	takes := "takes no expression"
	if len(p.known) > 0 {
		takes = "takes {{" + strings.Join(p.known, "}}, {{") + "}}"
	}
	shown := escape.Bounded(name, 80)
	if near := nearest.Word(name, p.known); near != "" {
		return fmt.Errorf("unknown expression `{{%s}}`; did you mean `{{%s}}`?", shown, near)
	}
	return fmt.Errorf("unknown expression `{{%s}}`: `%s` %s", shown, p.attribute, takes)
}
