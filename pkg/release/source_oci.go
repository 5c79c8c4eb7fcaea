package release

// OCISource is one or more OCI layouts, directories or tars, whose images are merged.
type OCISource struct {
	Paths []string // paths or globs as written; relative ones start at the file's folder
	Ref   string   // picks one image where a layout has several; empty: not given
}

// Kind is oci.
func (OCISource) Kind() string { return "oci" }

var ociKind = sourceKind{
	keys: []key{
		{name: "oci", shape: list, doc: "OCI layouts (directory or tar) or a docker save tar: a path, a glob or a list."},
		{name: "ref", doc: "With oci: picks an image where there are several."},
	},
	parse: (*resolver).ociSource,
}

func (r *resolver) ociSource(n *node, _ *Image) (Source, error) {
	paths, err := r.entries(n.value("oci"), false)
	if err != nil {
		return nil, err
	}
	if len(paths) == 0 {
		return nil, n.value("oci").at.errorf("`oci` is empty")
	}
	var s OCISource
	for _, p := range paths {
		s.Paths = append(s.Paths, p.text)
	}
	if ref := n.value("ref"); ref != nil {
		one, err := r.singleText(ref)
		if err != nil {
			return nil, err
		}
		s.Ref = one.text
	}
	return s, nil
}
