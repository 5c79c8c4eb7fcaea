package release

import (
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/taglast/taglast/internal/jobsecret"
)

// maxValue bounds a value after its placeholders are replaced.
const maxValue = 256 << 10

// scope is what placeholders mean for one value.
type scope struct {
	image    string // the image's name; empty while it is not known
	rule     bool   // a tag rule: {{…}} of other names belong to it
	platform bool   // a path for each platform: those of platformPlaceholders stay in it
}

// isGitHubToken reports whether a variable is one that workflows commonly pass GitHub's token by.
func isGitHubToken(name string) bool {
	return strings.EqualFold(name, "GITHUB_TOKEN") || strings.EqualFold(name, "GH_TOKEN")
}

var envName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*`)

// expand replaces the placeholders of a value, once: what they stand for is text.
func (d *document) expand(n *node, s scope) (string, error) {
	if n.kind != scalar {
		return "", n.at.errorf("a text is asked for here, not %s", n.kind)
	}
	out, err := d.replace(n, n.text, s, 0)
	if err == nil && !utf8.ValidString(out) {
		err = n.at.errorf("the value is not valid UTF-8 once its placeholders are replaced")
	}
	return out, err
}

func (d *document) replace(n *node, in string, s scope, depth int) (string, error) {
	var b strings.Builder
	for in != "" {
		i := strings.IndexAny(in, "${")
		if i < 0 {
			i = len(in)
		}
		b.WriteString(in[:i])
		in = in[i:]
		out, used, err := d.placeholder(n, in, s, depth)
		if err != nil {
			return "", err
		}
		b.WriteString(out)
		in = in[used:]
		if b.Len() > maxValue {
			return "", n.at.errorf("the value has more than %d bytes once its placeholders are replaced", maxValue)
		}
	}
	return b.String(), nil
}

// placeholder replaces what in begins with, and says how much of in that was.
func (d *document) placeholder(n *node, in string, s scope, depth int) (out string, used int, err error) {
	switch {
	case in == "":
		return "", 0, nil
	case strings.HasPrefix(in, "{{"):
		return d.braced(n, in, s)
	case in[0] != '$' || d.flags:
		return in[:1], 1, nil
	case strings.HasPrefix(in, "$$"):
		return "$", 2, nil
	case strings.HasPrefix(in, "${{"):
		return "", 0, d.expressionError(n)
	case strings.HasPrefix(in, "${"):
		return d.variable(n, in, s, depth)
	case envName.MatchString(in[1:]):
		name := envName.FindString(in[1:])
		return "", 0, d.locate(n, "$"+name).errorf("`$%s` is no placeholder", name).
			withHint("write ${%s} for the environment variable, or $$%s for the text itself", name, name)
	}
	return "$", 1, nil
}

// variable replaces ${NAME} and ${NAME:-default}, as Compose does; but a name that is not set is an error.
func (d *document) variable(n *node, in string, s scope, depth int) (string, int, error) {
	end := closing(in)
	if end < 0 || depth > 8 {
		return "", 0, d.locate(n, in[:2]).errorf("`${` without its `}`").withHint("a dollar is written $$")
	}
	inside := in[2:end]
	name := envName.FindString(inside)
	fallback, hasFallback := strings.CutPrefix(inside[len(name):], ":-")
	if name == "" || !hasFallback && len(name) != len(inside) {
		return "", 0, d.locate(n, in[:2]).errorf("%s is not known here", quote(in[:end+1])).
			withHint("only ${NAME} and ${NAME:-default} are; a dollar is written $$")
	}
	if jobsecret.Is(name) || isGitHubToken(name) {
		return "", 0, d.locate(n, "${"+name).errorf("%s is a secret, and values of this file are published", name).
			withHint("a build gets one by `secrets`: id=NAME,env=VAR")
	}
	value, set := d.getenv(name)
	switch {
	case hasFallback && value == "":
		out, err := d.replace(n, fallback, s, depth+1)
		return out, end + 1, err
	case !set:
		return "", 0, d.locate(n, "${"+name).errorf("environment variable %s is not set", name).
			withHint("set it, or write ${%s:-default}", name)
	}
	return value, end + 1, nil
}

// closing is the place of the } that ends the ${ which in begins with, -1 without one. Defaults may hold placeholders.
func closing(in string) int {
	depth := 0
	for i := 0; i < len(in); i++ {
		switch {
		case strings.HasPrefix(in[i:], "${"):
			depth++
			i++
		case strings.HasPrefix(in[i:], "{{"):
			if end := strings.Index(in[i:], "}}"); end > 0 {
				i += end + 1
			}
		case in[i] == '}':
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return -1
}

// known says which placeholders in braces a value may have; what is the word for them.
func (s scope) known(what string) string {
	if !s.platform {
		return "the only " + what + " here is {{image}}"
	}
	return "known " + what + "s here are {{image}}, {{" + strings.Join(platformPlaceholderNames(), "}}, {{") + "}}"
}

// braced replaces {{image}}; in a tag rule what else stands in braces is the rule's, and in a path for each platform what
// names a part of it stays, without blanks.
func (d *document) braced(n *node, in string, s scope) (string, int, error) {
	end := strings.Index(in, "}}")
	name := ""
	if end > 0 {
		name = strings.TrimSpace(in[2:end])
	}
	switch {
	case name == "image" && s.image != "":
		return s.image, end + 2, nil
	case name == "image":
		return "", 0, d.locate(n, "{{").errorf("{{image}} is the image's name and cannot stand in it")
	case s.rule:
		return "{{", 2, nil
	case s.platform && slices.Contains(platformPlaceholderNames(), name):
		return "{{" + name + "}}", end + 2, nil
	case end < 0:
		return "", 0, d.locate(n, "{{").errorf("`{{` without `}}`; %s", s.known("placeholder"))
	}
	return "", 0, d.locate(n, in[:2]).errorf("unknown placeholder %s; %s", quote(in[:end+2]), s.known("one"))
}

// locate is the place of a needle in a value; the value's own where the text is written otherwise (an escape, a fold).
func (d *document) locate(n *node, needle string) position {
	if n.at.line < 1 || n.at.line > len(d.lines) {
		return n.at
	}
	last := min(len(d.lines), n.at.line+strings.Count(n.text, "\n")+1)
	for line := n.at.line; line <= last; line++ {
		runes := []rune(d.lines[line-1])
		skip := 0
		if line == n.at.line {
			skip = min(max(n.at.column-1, 0), len(runes))
		}
		if i := strings.Index(string(runes[skip:]), needle); i >= 0 {
			return d.at(line, skip+utf8.RuneCountInString(string(runes[skip:])[:i])+1)
		}
	}
	return n.at
}
