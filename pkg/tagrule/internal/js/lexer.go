package js

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/taglast/taglast/internal/escape"
)

// call is the inside of a mustache: a name, arguments, and named arguments (Handlebars calls them hash).
type call struct {
	name   string
	quoted bool // the name is written as a string
	params []argument
	hash   []namedArgument
	strip  bool // closed by "~}}"
}

type namedArgument struct {
	key   string
	value argument
}

// argument is a string (quoted), a word that names no value (undefined), or a number, a constant or this.
type argument struct {
	text              string
	quoted, undefined bool
}

var errUnclosed = errors.New("not closed")

// lexer reads tokens as that of Handlebars does.
type lexer struct{ rest string }

// blanks is JavaScript's \s as the inside of a character class; Go's \s is only ASCII.
const blanks = `\s\v\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}\x{feff}`

var (
	closing    = regexp.MustCompile(`^(}~?}}|~?}})`)
	number     = regexp.MustCompile(`^(-?[0-9]+(?:\.[0-9]+)?)[~})` + blanks + `]`)
	constant   = regexp.MustCompile(`^(true|false|undefined|null)[~})` + blanks + `]`)
	identifier = regexp.MustCompile(`^[^!"#%-,./;->@\[-^\x60{-~` + blanks + `]+`)
)

// call reads up to the closing braces, of which a triple mustache has three.
func (l *lexer) call(triple bool) (call, error) {
	name, err := l.argument()
	if err != nil {
		return call{}, err
	}
	out := call{name: name.text, quoted: name.quoted}
	if !name.quoted && !name.undefined {
		return call{}, fmt.Errorf("`%s` is no expression", escape.Bounded(name.text, 80))
	}
	for {
		l.blanks()
		if m := closing.FindString(l.rest); m != "" {
			if strings.HasPrefix(m, "}") && len(m) > 2 != triple || strings.HasPrefix(m, "~") && triple {
				return call{}, errors.New("braces that do not fit")
			}
			out.strip = strings.Contains(m, "~")
			l.rest = l.rest[len(m):]
			return out, nil
		}
		a, err := l.argument()
		if err != nil {
			return call{}, err
		}
		l.blanks()
		switch {
		case a.undefined && strings.HasPrefix(l.rest, "="):
			l.rest = l.rest[1:]
			value, err := l.argument()
			if err != nil {
				return call{}, err
			}
			out.hash = append(out.hash, namedArgument{a.text, value})
		case len(out.hash) > 0:
			return call{}, errors.New("an argument after a named one")
		default:
			out.params = append(out.params, a)
		}
	}
}

func (l *lexer) blanks() { l.rest = strings.TrimLeftFunc(l.rest, isBlank) }

// argument reads a string, a constant, a number or a path.
func (l *lexer) argument() (argument, error) {
	l.blanks()
	switch {
	case l.rest == "":
		return argument{}, errUnclosed
	case l.rest[0] == '"' || l.rest[0] == '\'':
		text, ok := l.quoted(l.rest[0])
		if !ok {
			return argument{}, errors.New("a quote that is not closed")
		}
		return argument{text: text, quoted: true}, nil
	}
	if m := constant.FindStringSubmatch(l.rest); m != nil {
		l.rest = l.rest[len(m[1]):]
		return argument{text: m[1], undefined: m[1] != "true"}, nil // a format that is false or null counts as none
	}
	if m := number.FindStringSubmatch(l.rest); m != nil {
		l.rest = l.rest[len(m[1]):]
		n, _ := ParseNumber(m[1])
		return argument{text: m[1], undefined: n == 0}, nil
	}
	return l.path()
}

// path reads a.b/[c d]. A "this." or "./" before it changes nothing; ".." is refused.
func (l *lexer) path() (argument, error) {
	l.rest = strings.TrimPrefix(l.rest, "./")
	var segments []string
	for {
		switch m := identifier.FindString(l.rest); {
		case m != "":
			l.rest = l.rest[len(m):]
			segments = append(segments, m)
		case strings.HasPrefix(l.rest, "["):
			text, ok := l.quoted(']')
			if !ok {
				return argument{}, errors.New("a `[` that is not closed")
			}
			segments = append(segments, text)
		default:
			return argument{}, fmt.Errorf("unexpected `%s`", escape.Bounded(l.rest[:min(1, len(l.rest))], 8))
		}
		switch {
		case l.rest == "" || !strings.ContainsRune("=~}/.)|", rune(l.rest[0])) && strings.TrimLeftFunc(l.rest, isBlank) == l.rest:
			return argument{}, fmt.Errorf("unexpected `%s`", escape.Bounded(l.rest[:min(1, len(l.rest))], 8))
		case l.rest[0] == '.' || l.rest[0] == '/':
			l.rest = l.rest[1:]
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

// quoted reads up to the closing character. One with a backslash before it belongs to the text, unless no other follows.
func (l *lexer) quoted(closing byte) (string, bool) {
	end := -1
	for i := 1; i < len(l.rest); i++ {
		if l.rest[i] != closing {
			continue
		}
		end = i
		if l.rest[i-1] != '\\' || i == 1 {
			break
		}
	}
	if end < 0 {
		return "", false
	}
	text := l.rest[1:end]
	l.rest = l.rest[end+1:]
	return strings.ReplaceAll(text, `\`+string(closing), string(closing)), true
}
