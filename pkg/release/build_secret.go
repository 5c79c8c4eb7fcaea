package release

import (
	"maps"
	"slices"
	"strings"

	"github.com/taglast/taglast/internal/nearest"
)

var secretParts = []string{"id", "env", "src", "source", "type"}

// secrets reads the secrets of a build, as buildx takes them.
func (r *resolver) secrets(n *node) ([]Secret, error) {
	lines, err := r.entries(n, false)
	if err != nil {
		return nil, err
	}
	var out []Secret
	for _, line := range lines {
		s, err := secret(line)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(out, func(other Secret) bool { return other.ID == s.ID }) {
			return nil, line.at.errorf("secret %s stands twice", quote(s.ID))
		}
		out = append(out, s)
	}
	return out, nil
}

func secret(line entry) (Secret, error) {
	if err := line.checkPlain("secrets"); err != nil {
		return Secret{}, err
	}
	parts, err := csvPairs(line, "secret")
	if err != nil {
		return Secret{}, err
	}
	for _, part := range slices.Sorted(maps.Keys(parts)) {
		if !slices.Contains(secretParts, part) {
			return Secret{}, unknownPart(line, "secret", part, secretParts)
		}
		if parts[part] == "" {
			return Secret{}, line.at.errorf("secret: `%s` has no value", part)
		}
	}
	s := Secret{ID: parts["id"], Env: parts["env"], Src: parts["src"]}
	if source, ok := parts["source"]; ok {
		if s.Src != "" {
			return Secret{}, line.at.errorf("secret: `src` and `source` are the same; one of them is asked for")
		}
		s.Src = source
	}
	if s.ID == "" {
		return Secret{}, line.at.errorf("secret %s has no `id`", quote(line.text)).
			withHint("it is \"id=NAME,env=VARIABLE\" or \"id=NAME,src=FILE\", in quotes: [ ] ends a text at its comma")
	}
	if err := s.resolve(line, parts["type"]); err != nil {
		return Secret{}, err
	}
	return s, checkVariable(s.Env, line.at)
}

// resolve decides between variable and file: buildx's type=env makes a source the name of a variable, and an id alone is
// one, too.
func (s *Secret) resolve(line entry, kind string) error {
	switch {
	case kind != "" && kind != "env" && kind != "file":
		return line.at.errorf("secret %s: unknown type %s; it is `env` or `file`", quote(s.ID), quote(kind))
	case s.Env != "" && s.Src != "":
		return line.at.errorf("secret %s is a variable or a file, not both", quote(s.ID))
	case kind == "file" && s.Src == "":
		return line.at.errorf("secret %s: `type=file` goes with `src`", quote(s.ID))
	case kind == "env" && s.Src != "":
		s.Env, s.Src = s.Src, ""
	case s.Env == "" && s.Src == "":
		s.Env = s.ID
	}
	if strings.Contains(s.Env, "=") {
		return line.at.errorf("secret %s: %s is not the name of a variable", quote(s.ID), quote(s.Env))
	}
	return nil
}

// unknownPart is the error for a part of a line that nobody knows.
func unknownPart(line entry, what, part string, known []string) error {
	if near := nearest.Word(part, known); near != "" {
		return line.at.errorf("%s: unknown part %s; did you mean `%s`?", what, quote(part), near)
	}
	return line.at.errorf("%s: unknown part %s; it is one of %s", what, quote(part), strings.Join(known, ", "))
}
