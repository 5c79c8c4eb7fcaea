package release

import (
	"slices"
	"strings"

	"github.com/taglast/taglast/internal/nearest"
)

// checkKeys refuses keys of a map that l does not have, that stand twice, or that this version does not support, and
// those that are missing.
func checkKeys(n *node, l level) error {
	if n.kind != mapping {
		return n.at.errorf("%s is a map of keys, not %s", l.place, n.kind)
	}
	first := map[string]position{}
	for _, f := range n.fields {
		name := f.key.text
		if at, ok := first[name]; ok {
			return f.key.at.errorf("repeated key %s; it stands at line %d already", quote(name), at.line)
		}
		first[name] = f.key.at
		k, ok := l.lookup(name)
		switch {
		case !ok:
			return unknownKey(f, l)
		case k.unsupported:
			return f.key.at.errorf("`%s` is not supported by this version of taglast", name)
		}
	}
	for _, k := range l.keys {
		if _, ok := first[k.name]; k.required && !ok {
			return n.at.errorf("missing key `%s`", k.name)
		}
	}
	return nil
}

func unknownKey(f field, l level) error {
	name, at := f.key.text, f.key.at
	if instead, ok := foreignNames[name]; ok {
		return at.errorf("unknown key %s", quote(name)).withHint("%s", instead)
	}
	if near := nearest.Word(name, l.names()); near != "" {
		e := at.errorf("unknown key %s; did you mean `%s`?", quote(name), near)
		if k, _ := l.lookup(near); k.shape == list && f.value.kind == scalar && f.value.inline() {
			e.Msg += " It takes a list: " + near + ": [" + strings.Trim(quote(f.value.text), "`") + "]"
		}
		return e
	}
	for _, other := range []level{fileLevel(), imageLevel(), sourceLevel(), sbomLevel()} {
		if _, ok := other.lookup(name); ok {
			return at.errorf("misplaced key `%s`; it belongs to %s", name, other.place)
		}
	}
	names := l.names()
	slices.Sort(names)
	return at.errorf("unknown key %s; %s takes %s", quote(name), l.place, strings.Join(names, ", "))
}
