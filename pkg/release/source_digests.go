package release

import (
	"regexp"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
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

// digestText is a digest as matrix jobs write it: hex with or without the algorithm.
var digestText = regexp.MustCompile(`^(?:sha256[:-])?([0-9a-f]{64})$`)

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
	if value.kind == scalar && len(lines) == 1 && !digestText.MatchString(lines[0].text) {
		s.Dir = lines[0].text
	} else if s.List, err = digestList(lines); err != nil {
		return nil, err
	}
	where := n.value("repository")
	if where == nil {
		s.Repository, err = name.NewRepository(img.Repositories[0], name.StrictValidation)
		return s, err
	}
	one, err := r.single(where)
	if err != nil {
		return nil, err
	}
	text, err := repository(one)
	if err != nil {
		return nil, err
	}
	s.Repository, err = name.NewRepository(text, name.StrictValidation)
	return s, err
}

func digestList(lines []entry) ([]v1.Hash, error) {
	var out []v1.Hash
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
		out = append(out, v1.Hash{Algorithm: "sha256", Hex: m[1]})
	}
	return out, nil
}
