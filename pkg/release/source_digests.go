package release

import (
	"slices"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/taglast/taglast/internal/ociref"
)

// DigestsSource is digests of manifests in a registry, as the jobs of a matrix leave them: a directory whose file names
// they are, or a list.
type DigestsSource struct {
	Dir        string          // relative to the file's folder; empty where there is a list
	List       []v1.Hash       // sha256, each once; nil where there is a directory
	Repository name.Repository // where the manifests are: the image's first repository where the file names none
}

// Kind is digests.
func (DigestsSource) Kind() string { return "digests" }

var digestsKind = sourceKind{
	keys: []key{
		{name: "digests", shape: list, doc: "A directory whose file names are digests, or a list of digests."},
		{name: "repository", doc: "With digests: where the manifests are; default the first repository."},
	},
	parse: (*resolver).digestsSource,
}

func (r *resolver) digestsSource(n *node, img *Image) (Source, error) {
	value := n.value("digests")
	lines, err := r.entries(value, false)
	if err != nil {
		return nil, err
	}
	if len(lines) == 0 {
		return nil, value.at.errorf("`digests` is empty")
	}
	var s DigestsSource
	_, notDigest := ociref.ParseDigestName(lines[0].text)
	if value.kind == scalar && len(lines) == 1 && notDigest != nil {
		s.Dir = lines[0].text
	} else if s.List, err = digestList(lines); err != nil {
		return nil, err
	}
	where := n.value("repository")
	if where == nil {
		s.Repository = img.Repositories[0]
		return s, nil
	}
	one, err := r.singleText(where)
	if err != nil {
		return nil, err
	}
	if s.Repository, err = repository(one); err != nil {
		return nil, err
	}
	return s, nil
}

func digestList(lines []entry) ([]v1.Hash, error) {
	var out []v1.Hash
	for _, line := range lines {
		h, err := ociref.ParseDigestName(line.text)
		if err != nil {
			return nil, line.at.errorf("%s is not a digest: it is 64 hex digits, with or without sha256: before them", quote(line.text))
		}
		if slices.Contains(out, h) {
			return nil, line.at.errorf("digest %s is named twice", h)
		}
		out = append(out, h)
	}
	return out, nil
}
