package release

import "strings"

// Source says where the manifests of an image come from: an OCISource, a DigestsSource, an
// ImageSource or a DockerfileSource.
type Source interface {
	// Kind is the key under `source` that has it: oci, digests, image or dockerfile.
	Kind() string
}

// sourceKind is one kind of source as a release file has it.
type sourceKind struct {
	keys  []key // the first is the kind's name; the others go with it
	parse func(r *resolver, n *node, img *Image) (Source, error)
}

// sourceKinds are the kinds of which a source is exactly one, in the order in which messages name them. Parser, flags,
// schema and hints are derived from this list: a further kind is a file of its own and an entry here.
func sourceKinds() []sourceKind {
	return []sourceKind{ociKind, digestsKind, imageKind, dockerfileKind}
}

// SourceKinds are the names of the kinds of sources: keys under `source`, and the KIND of --source KIND=VALUE.
func SourceKinds() []string {
	var names []string
	for _, k := range sourceKinds() {
		names = append(names, k.name())
	}
	return names
}

func (k sourceKind) name() string { return k.keys[0].name }

// has reports whether a key belongs to the kind.
func (k sourceKind) has(name string) bool {
	_, ok := level{keys: k.keys}.lookup(name)
	return ok
}

// source reads the source of an image, by its kind.
func (r *resolver) source(img *Image) error {
	n := r.entry.value("source")
	var kinds []sourceKind
	var names []string
	for _, k := range sourceKinds() {
		if n.value(k.name()) != nil {
			kinds, names = append(kinds, k), append(names, k.name())
		}
	}
	if len(kinds) != 1 {
		e := n.at.errorf("image %s: a source has exactly one of `%s`", img.Name, strings.Join(SourceKinds(), "`, `"))
		if len(kinds) > 1 {
			e.Msg += "; here are `" + strings.Join(names, "` and `") + "`"
		}
		return e
	}
	for _, f := range n.fields {
		if !kinds[0].has(f.key.text) {
			return f.key.at.errorf("misplaced key `%s`; it goes with `%s`", f.key.text, strings.Join(kindsWith(f.key.text), "` or `"))
		}
	}
	var err error
	img.Source, err = kinds[0].parse(r, n, img)
	return err
}

// kindsWith are the names of the kinds that a key goes with.
func kindsWith(key string) []string {
	var names []string
	for _, k := range sourceKinds() {
		if k.has(key) {
			names = append(names, k.name())
		}
	}
	return names
}

// singleText is the text of a source's key: one line, not empty.
func (r *resolver) singleText(n *node) (entry, error) {
	lines, err := r.entries(n, false)
	if err != nil {
		return entry{}, err
	}
	if n.kind != scalar || len(lines) != 1 {
		return entry{}, n.at.errorf("one text is asked for here")
	}
	return lines[0], nil
}
