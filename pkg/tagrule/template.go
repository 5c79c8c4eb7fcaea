package tagrule

import (
	"fmt"
	"slices"
	"strings"

	"github.com/taglast/taglast/internal/escape"
	"github.com/taglast/taglast/internal/nearest"
)

// template is text with {{expressions}}, as handlebars reads it, in the order of its parts.
type template []part

type part struct {
	text string
	name string // of an expression; empty for text
}

// laterExpressions are those of the original that this version does not have, in any attribute.
var laterExpressions = []string{
	"raw", "branch", "tag", "sha", "base_ref", "is_default_branch", "is_not_default_branch", "date", "commit_date",
	"prerelease", "build",
}

// parseTemplate reads the text of an attribute in which the known expressions may stand.
func parseTemplate(attribute, text string, known []string) (template, error) {
	var t template
	for rest := text; rest != ""; {
		before, after, found := strings.Cut(rest, "{{")
		if before != "" {
			t = append(t, part{text: before})
		}
		if !found {
			break
		}
		inside, tail, closed := strings.Cut(after, "}}")
		switch {
		case !closed:
			return nil, fmt.Errorf("`{{` without `}}` in %s=%s", attribute, escape.Bounded(text, 200))
		case strings.HasSuffix(before, `\`) || strings.HasPrefix(inside, "{"):
			return nil, fmt.Errorf("`\\{{` and `{{{` are not supported in %s=%s", attribute, escape.Bounded(text, 200))
		}
		name := strings.TrimSpace(inside)
		if !slices.Contains(known, name) {
			return nil, expressionError(attribute, name, known)
		}
		t = append(t, part{name: name})
		rest = tail
	}
	return t, nil
}

func expressionError(attribute, name string, known []string) error {
	takes := "takes no expression"
	if len(known) > 0 {
		takes = "takes {{" + strings.Join(known, "}}, {{") + "}}"
	}
	word, _, _ := strings.Cut(name, " ")
	shown := escape.Bounded(name, 80)
	if slices.Contains(laterExpressions, word) {
		return fmt.Errorf("`{{%s}}` is not supported by this version of taglast: `%s` %s", shown, attribute, takes)
	}
	if near := nearest.Word(name, known); near != "" {
		return fmt.Errorf("unknown expression `{{%s}}`; did you mean `{{%s}}`?", shown, near)
	}
	return fmt.Errorf("unknown expression `{{%s}}`: `%s` %s", shown, attribute, takes)
}

// render puts the values in their places.
func (t template) render(values map[string]string) string {
	var b strings.Builder
	for _, p := range t {
		b.WriteString(p.text)
		b.WriteString(values[p.name])
	}
	return b.String()
}

func (t template) has(name string) bool {
	return slices.ContainsFunc(t, func(p part) bool { return p.name == name })
}
