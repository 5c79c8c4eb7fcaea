package tagrule

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/taglast/taglast/internal/escape"
)

// call is the inside of a mustache: a name, arguments, named arguments.
type call struct {
	name   string
	quoted bool // the name is written as a string
	params []argument
	hash   []pair
	strip  bool // closed by "~}}"
}

type pair struct {
	key   string
	value argument
}

// argument is a string (quoted), a word that names nothing (undefined), or something else.
type argument struct {
	text              string
	quoted, undefined bool
}

var errUnclosed = errors.New("not closed")

// cursor reads tokens as Handlebars' lexer does.
type cursor struct{ rest string }

// blanks is \s of JavaScript inside of a class; Go's is ASCII alone.
const blanks = `\s\v\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}\x{feff}`

var (
	closing    = regexp.MustCompile(`^(}~?}}|~?}})`)
	number     = regexp.MustCompile(`^(-?[0-9]+(?:\.[0-9]+)?)[~})` + blanks + `]`)
	constant   = regexp.MustCompile(`^(true|false|undefined|null)[~})` + blanks + `]`)
	identifier = regexp.MustCompile(`^[^!"#%-,./;->@\[-^\x60{-~` + blanks + `]+`)
)

// call reads up to the closing braces; of a triple mustache they are three.
func (c *cursor) call(triple bool) (call, error) {
	name, err := c.argument()
	if err != nil {
		return call{}, err
	}
	out := call{name: name.text, quoted: name.quoted}
	if !name.quoted && !name.undefined {
		return call{}, fmt.Errorf("`%s` is no expression", escape.Bounded(name.text, 80))
	}
	for {
		c.blanks()
		if m := closing.FindString(c.rest); m != "" {
			if strings.HasPrefix(m, "}") && len(m) > 2 != triple || strings.HasPrefix(m, "~") && triple {
				return call{}, errors.New("braces that do not fit")
			}
			out.strip = strings.Contains(m, "~")
			c.rest = c.rest[len(m):]
			return out, nil
		}
		a, err := c.argument()
		if err != nil {
			return call{}, err
		}
		c.blanks()
		switch {
		case a.undefined && strings.HasPrefix(c.rest, "="):
			c.rest = c.rest[1:]
			value, err := c.argument()
			if err != nil {
				return call{}, err
			}
			out.hash = append(out.hash, pair{a.text, value})
		case len(out.hash) > 0:
			return call{}, errors.New("an argument after a named one")
		default:
			out.params = append(out.params, a)
		}
	}
}

func (c *cursor) blanks() { c.rest = strings.TrimLeftFunc(c.rest, blank) }

func (c *cursor) argument() (argument, error) {
	c.blanks()
	switch {
	case c.rest == "":
		return argument{}, errUnclosed
	case c.rest[0] == '"' || c.rest[0] == '\'':
		text, ok := c.quoted(c.rest[0])
		if !ok {
			return argument{}, errors.New("a quote that is not closed")
		}
		return argument{text: text, quoted: true}, nil
	}
	if m := constant.FindStringSubmatch(c.rest); m != nil {
		c.rest = c.rest[len(m[1]):]
		return argument{text: m[1], undefined: m[1] != "true"}, nil // a format that is false or null is none
	}
	if m := number.FindStringSubmatch(c.rest); m != nil {
		c.rest = c.rest[len(m[1]):]
		n, _ := parseNumber(m[1])
		return argument{text: m[1], undefined: n == 0}, nil
	}
	return c.path()
}

// path reads a.b/[c d]; this and . before it are the whole, .. is refused.
func (c *cursor) path() (argument, error) {
	c.rest = strings.TrimPrefix(c.rest, "./")
	var segments []string
	for {
		switch m := identifier.FindString(c.rest); {
		case m != "":
			c.rest = c.rest[len(m):]
			segments = append(segments, m)
		case strings.HasPrefix(c.rest, "["):
			text, ok := c.quoted(']')
			if !ok {
				return argument{}, errors.New("a `[` that is not closed")
			}
			segments = append(segments, text)
		default:
			return argument{}, fmt.Errorf("unexpected `%s`", escape.Bounded(c.rest[:min(1, len(c.rest))], 8))
		}
		switch {
		case c.rest == "" || !strings.ContainsRune("=~}/.)|", rune(c.rest[0])) && strings.TrimLeftFunc(c.rest, blank) == c.rest:
			return argument{}, fmt.Errorf("unexpected `%s`", escape.Bounded(c.rest[:min(1, len(c.rest))], 8))
		case c.rest[0] == '.' || c.rest[0] == '/':
			c.rest = c.rest[1:]
			continue
		}
		break
	}
	if len(segments) > 1 && segments[0] == "this" {
		segments = segments[1:]
	}
	text := strings.Join(segments, ".")
	return argument{text: text, undefined: text != "this"}, nil
}

// quoted reads to the closing character; a backslash before it makes it text, unless no other follows.
func (c *cursor) quoted(closing byte) (string, bool) {
	end := -1
	for i := 1; i < len(c.rest); i++ {
		if c.rest[i] != closing {
			continue
		}
		end = i
		if c.rest[i-1] != '\\' || i == 1 {
			break
		}
	}
	if end < 0 {
		return "", false
	}
	text := c.rest[1:end]
	c.rest = c.rest[end+1:]
	return strings.ReplaceAll(text, `\`+string(closing), string(closing)), true
}
