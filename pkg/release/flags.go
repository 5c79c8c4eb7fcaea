package release

import (
	"path"
	"slices"
	"strings"

	"github.com/taglast/taglast/internal/nearest"
)

// Flags describe one image without a release file. Each value of a list may hold several lines.
type Flags struct {
	Repositories   []string
	Sources        []string // KIND=VALUE: a key of source and its value
	Tags           []string
	Flavor         []string
	Platforms      []string
	Annotations    []string // [LEVEL:]KEY=VALUE
	Labels         []string // KEY=VALUE
	ReleaseVersion string
}

// FromFlags makes the release of the one image that flags describe, named after the last part of its first repository.
// Values mean what they mean in a file, but ${NAME} is the shell's and is not replaced. Paths are relative to the working
// directory. A mistake is an *Error whose File is the flag.
func FromFlags(f Flags) (*File, error) {
	d := newDocument("", nil, nil)
	d.flags = true
	item := &node{kind: mapping}
	for _, l := range []struct {
		key, flag string
		values    []string
	}{
		{"repositories", "--repository", f.Repositories},
		{"tags", "--tag", f.Tags},
		{"flavor", "--flavor", f.Flavor},
		{"platforms", "--platform", f.Platforms},
	} {
		if len(l.values) > 0 {
			item.set(l.key, flagList(l.flag, l.values))
		}
	}
	if f.ReleaseVersion != "" {
		item.set("release-version", flagText("--release-version", f.ReleaseVersion))
	}
	for _, need := range [][2]string{{"repositories", "--repository"}, {"tags", "--tag"}} {
		if item.value(need[0]) == nil {
			return nil, position{}.errorf("neither a release file nor %s", need[1])
		}
	}
	for _, m := range []struct {
		key, flag string
		values    []string
	}{{"annotations", "--annotation", f.Annotations}, {"labels", "--label", f.Labels}} {
		n, err := flagMap(m.flag, m.values)
		if err != nil {
			return nil, err
		}
		item.set(m.key, n)
	}
	source, err := flagSource(f.Sources)
	if err != nil {
		return nil, err
	}
	item.set("source", source)
	name, err := flagName(item.value("repositories").items[0])
	if err != nil {
		return nil, err
	}
	item.set("name", flagText("--repository", name))
	images := &node{kind: sequence, items: []*node{item}}
	root := &node{kind: mapping}
	root.set("images", images)
	resolved, err := d.resolve(root)
	if err != nil {
		return nil, err
	}
	return &File{Dir: ".", Images: resolved}, nil
}

// flagName is the last part of a repository.
func flagName(n *node) (string, error) {
	first, _, _ := strings.Cut(strings.TrimSpace(n.text), "\n")
	repo, err := repository(entry{strings.TrimSpace(first), n.at})
	if err != nil {
		return "", err
	}
	return path.Base(repo.RepositoryStr()), nil
}

func flagSource(values []string) (*node, error) {
	source := &node{kind: mapping, at: position{file: "--source"}}
	for _, v := range values {
		kind, value, found := strings.Cut(v, "=")
		k, known := sourceLevel().lookup(kind)
		switch {
		case !found:
			return nil, source.at.errorf("%s is not KIND=VALUE", quote(v))
		case !known:
			e := source.at.errorf("unknown kind %s", quote(kind))
			if instead, ok := foreignNames[kind]; ok {
				return nil, e.withHint("%s", instead)
			}
			if near := nearest.Word(kind, sourceLevel().names()); near != "" {
				e.Msg += "; did you mean `" + near + "`?"
			}
			return nil, e
		case k.unsupported:
			return nil, source.at.errorf("`%s` is not supported by this version of taglast", kind)
		}
		switch old := source.value(kind); {
		case old == nil:
			source.set(kind, flagText("--source", value))
		case k.shape != list && k.shape != variables:
			return nil, source.at.errorf("`%s` is given twice", kind)
		case old.kind == scalar:
			*old = *flagList("--source", []string{old.text, value})
		default:
			old.items = append(old.items, flagText("--source", value))
		}
	}
	return source, nil
}

func flagMap(flag string, values []string) (*node, error) {
	n := &node{kind: mapping, at: position{file: flag}}
	for _, v := range values {
		for line := range strings.Lines(v) {
			if line = strings.TrimSpace(line); line == "" || line[0] == '#' {
				continue
			}
			key, value, found := strings.Cut(line, "=")
			if !found {
				return nil, n.at.errorf("%s is not KEY=VALUE", quote(line))
			}
			if slices.ContainsFunc(n.fields, func(f field) bool { return f.key.text == key }) {
				return nil, n.at.errorf("%s is given twice", quote(key))
			}
			n.fields = append(n.fields, field{flagText(flag, key), flagText(flag, value)})
		}
	}
	return n, nil
}

func flagText(flag, text string) *node {
	return &node{kind: scalar, text: text, at: position{file: flag}}
}

func flagList(flag string, values []string) *node {
	n := &node{kind: sequence, at: position{file: flag}}
	for _, v := range values {
		n.items = append(n.items, flagText(flag, v))
	}
	return n
}

func (n *node) set(name string, value *node) {
	n.fields = append(n.fields, field{&node{kind: scalar, text: name, at: value.at}, value})
}
