package release

import (
	"regexp"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
)

// digestText is a digest as matrix jobs write it: hex with or without the algorithm.
var digestText = regexp.MustCompile(`^(?:sha256[:-])?([0-9a-f]{64})$`)

// sourceKinds are the keys of which a source has exactly one.
var sourceKinds = []string{SourceOCI, SourceDigests, SourceImage}

// companions are keys that go with one kind alone.
var companions = map[string]string{"ref": SourceOCI, "repository": SourceDigests}

func (r *resolver) source(img *Image) error {
	n := r.entry.value("source")
	var kinds []string
	for _, kind := range sourceKinds {
		if n.value(kind) != nil {
			kinds = append(kinds, kind)
		}
	}
	if len(kinds) != 1 {
		e := n.at.errorf("image %s: a source has exactly one of `%s`", img.Name, strings.Join(sourceKinds, "`, `"))
		if len(kinds) > 1 {
			e.Msg += "; here are `" + strings.Join(kinds, "` and `") + "`"
		}
		return e
	}
	img.Source.Kind = kinds[0]
	for _, f := range n.fields {
		if kind, ok := companions[f.key.text]; ok && kind != kinds[0] {
			return f.key.at.errorf("misplaced key `%s`; it goes with `%s`", f.key.text, kind)
		}
	}
	switch kinds[0] {
	case SourceOCI:
		return r.ociSource(n, img)
	case SourceDigests:
		return r.digestsSource(n, img)
	}
	return r.imageSource(n, img)
}

// single is the text of a source's key: one line, not empty.
func (r *resolver) single(n *node) (entry, error) {
	lines, err := r.entries(n, false)
	if err != nil {
		return entry{}, err
	}
	if n.kind != scalar || len(lines) != 1 {
		return entry{}, n.at.errorf("one text is asked for here")
	}
	return lines[0], nil
}

func (r *resolver) ociSource(n *node, img *Image) error {
	paths, err := r.entries(n.value("oci"), false)
	if err != nil {
		return err
	}
	if len(paths) == 0 {
		return n.value("oci").at.errorf("`oci` is empty")
	}
	img.Source.OCI = &OCISource{}
	for _, p := range paths {
		img.Source.OCI.Paths = append(img.Source.OCI.Paths, p.text)
	}
	if ref := n.value("ref"); ref != nil {
		one, err := r.single(ref)
		if err != nil {
			return err
		}
		img.Source.OCI.Ref = one.text
	}
	return nil
}

func (r *resolver) digestsSource(n *node, img *Image) error {
	value := n.value("digests")
	lines, err := r.entries(value, false)
	if err != nil {
		return err
	}
	if len(lines) == 0 {
		return value.at.errorf("`digests` is empty")
	}
	s := &DigestsSource{Repository: img.Repositories[0]}
	img.Source.Digests = s
	if value.kind == scalar && len(lines) == 1 && !digestText.MatchString(lines[0].text) {
		s.Dir = lines[0].text
	} else if s.List, err = digestList(lines); err != nil {
		return err
	}
	if where := n.value("repository"); where != nil {
		one, err := r.single(where)
		if err != nil {
			return err
		}
		s.Repository, err = repository(one)
		return err
	}
	return nil
}

func digestList(lines []entry) ([]string, error) {
	var out []string
	seen := map[string]bool{}
	for _, line := range lines {
		m := digestText.FindStringSubmatch(line.text)
		if m == nil {
			return nil, line.at.errorf("%s is not a digest: it is 64 hex digits, with or without sha256: before them", quoted(line.text))
		}
		if seen[m[1]] {
			return nil, line.at.errorf("digest sha256:%s is named twice", m[1])
		}
		seen[m[1]] = true
		out = append(out, "sha256:"+m[1])
	}
	return out, nil
}

func (r *resolver) imageSource(n *node, img *Image) error {
	one, err := r.single(n.value("image"))
	if err != nil {
		return err
	}
	if _, err := name.ParseReference(one.text); err != nil {
		return one.at.errorf("%s is not an image reference", quoted(one.text)).
			hinted("it is registry/repository:tag or registry/repository@sha256:…")
	}
	img.Source.Image = one.text
	return nil
}
