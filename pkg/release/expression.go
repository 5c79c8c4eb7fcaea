package release

import (
	"regexp"
	"slices"
	"strings"

	"github.com/taglast/taglast/internal/escape"
)

var (
	expression = regexp.MustCompile(`\$\{\{(.*?)\}\}`)
	// contextPath is an expression that only names a value: github.ref_name, steps.meta.outputs.version.
	contextPath = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]*(\.[A-Za-z_][A-Za-z0-9_-]*)+$`)
)

// reservedVariables are environment variables that a step needs as they are: no hint may set them.
var reservedVariables = []string{"PATH", "HOME", "USER", "SHELL", "TMPDIR", "CI"}

// expressionError says of a GitHub expression in the file how to pass its value instead.
func (d *document) expressionError(n *node) error {
	at := d.locate(n, "${{")
	line := n.text
	if i := strings.Index(line, "${{"); i >= 0 {
		line = line[strings.LastIndexByte(line[:i], '\n')+1:]
		line, _, _ = strings.Cut(line, "\n")
	}
	first := expression.FindString(line)
	if first == "" {
		return at.errorf("`${{` is not evaluated here: GitHub does not read this file").withHint("a dollar is written $$")
	}
	e := at.errorf("%s is not evaluated here: GitHub does not read this file", quote(first))
	var env, names []string
	write := expression.ReplaceAllStringFunc(line, func(found string) string {
		name := variableName(expression.FindStringSubmatch(found)[1])
		if !slices.Contains(names, name) {
			names = append(names, name)
			env = append(env, name+": "+quoteYAML(found))
		}
		return "${" + name + "}"
	})
	return e.withHint("set `env: {%s}` on the step and write %s",
		escape.Bounded(strings.Join(env, ", "), 300), escape.Bounded(quoteYAML(strings.TrimSpace(write)), 300))
}

// variableName is a name for the value of an expression: OWNER for github.repository_owner.
func variableName(expression string) string {
	path := strings.TrimSpace(expression)
	if !contextPath.MatchString(path) {
		return "VALUE"
	}
	last := path[strings.LastIndexByte(path, '.')+1:]
	if short, ok := strings.CutPrefix(last, "repository_"); ok && short != "" {
		last = short
	}
	name := strings.ToUpper(strings.ReplaceAll(last, "-", "_"))
	if slices.Contains(reservedVariables, name) || strings.HasPrefix(name, "GITHUB_") {
		name = "RELEASE_" + name
	}
	return name
}
