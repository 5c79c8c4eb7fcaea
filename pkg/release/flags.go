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

	// What no flag says, and other descriptions of one image do.

	Name  string    // of the image; empty: the last part of its first repository
	Build []Setting // keys of the source of a Dockerfile, beside or in the place of Sources
	SBOM  bool      // BuildKit makes SBOMs, or left them in the source
	// Place is what a mistake calls the place of a key of the image, or of one of Build; nil: its flag, --tag for tags.
	Place func(key string) string
}

// Setting is a key of a source and its values, of which only a list has several. They are the texts that are meant:
// nothing in them is a placeholder, a comment or a further line.
type Setting struct {
	Key    string
	Values []string
}

// flagOf is the flag of each key of an image that has one.
var flagOf = map[string]string{
	"repositories": "--repository", "source": "--source", "tags": "--tag", "flavor": "--flavor", "platforms": "--platform",
	"annotations": "--annotation", "labels": "--label", "release-version": "--release-version",
}

// place is what a mistake calls the place of a key.
func (f Flags) place(key string) string {
	switch flag, known := flagOf[key]; {
	case f.Place != nil:
		return f.Place(key)
	case known:
		return flag
	default:
		return flagOf["source"]
	}
}

// FromFlags makes the release of the one image that flags describe, named after the last part of its first repository.
// Values mean what they mean in a file, but ${NAME} is the shell's and is not replaced. Paths are relative to the working
// directory. A mistake is an *Error whose File is the flag.
func FromFlags(f Flags) (*File, error) {
	d := newDocument("", nil, nil)
	d.flags = true
	item := &node{kind: mapping}
	for _, l := range []struct {
		key    string
		values []string
	}{
		{"repositories", f.Repositories},
		{"tags", f.Tags},
		{"flavor", f.Flavor},
		{"platforms", f.Platforms},
	} {
		if len(l.values) > 0 {
			item.set(l.key, flagList(f.place(l.key), l.values))
		}
	}
	if f.ReleaseVersion != "" {
		item.set("release-version", flagText(f.place("release-version"), f.ReleaseVersion))
	}
	for _, need := range []string{"repositories", "tags"} {
		if item.value(need) == nil {
			return nil, position{}.errorf("neither a release file nor %s", f.place(need))
		}
	}
	for _, m := range []struct {
		key    string
		values []string
	}{{"annotations", f.Annotations}, {"labels", f.Labels}} {
		n, err := flagMap(f.place(m.key), m.values)
		if err != nil {
			return nil, err
		}
		item.set(m.key, n)
	}
	source, err := flagSource(f.place("source"), f.Sources)
	if err != nil {
		return nil, err
	}
	for _, setting := range f.Build {
		source.set(setting.Key, setting.node(f.place(setting.Key)))
	}
	item.set("source", source)
	if f.SBOM {
		item.set(sbomKey.name, flagText(f.place(sbomKey.name), "true"))
	}
	name := f.Name
	if name == "" {
		if name, err = flagName(item.value("repositories").items[0]); err != nil {
			return nil, err
		}
	}
	item.set("name", flagText(f.place("repositories"), name))
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

func flagSource(flag string, values []string) (*node, error) {
	source := &node{kind: mapping, at: position{file: flag}}
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
			source.set(kind, flagText(flag, value))
		case k.shape != list && k.shape != variables:
			return nil, source.at.errorf("`%s` is given twice", kind)
		case old.kind == scalar:
			*old = *flagList(flag, []string{old.text, value})
		default:
			old.items = append(old.items, flagText(flag, value))
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

// node is the value of a setting, as it is written at a place.
func (s Setting) node(place string) *node {
	n := flagList(place, s.Values)
	for _, item := range n.items {
		item.literal = true
	}
	if k, _ := sourceLevel().lookup(s.Key); k.shape != list && k.shape != variables && len(n.items) == 1 {
		return n.items[0]
	}
	return n
}

func (n *node) set(name string, value *node) {
	n.fields = append(n.fields, field{&node{kind: scalar, text: name, at: value.at}, value})
}
