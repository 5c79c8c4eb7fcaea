package inputs

import (
	"path"
	"slices"
	"strings"

	"github.com/taglast/taglast/internal/hint"
	"github.com/taglast/taglast/internal/ociref"
)

// target is what one image of the release goes to: repositories that get the same tags.
type target struct {
	name         string // of the image; empty: the last part of its first repository
	repositories []string
	tags         []string
}

// targets reads full references, as `tags` of docker/build-push-action are. Repositories with the same tags are one
// target; those with other tags are another image of the release, from the same source.
func targets(references []string) ([]target, error) {
	var repositories []target // one each
	for _, text := range references {
		repository, tag, err := splitReference(text)
		if err != nil {
			return nil, err
		}
		i := slices.IndexFunc(repositories, func(t target) bool { return t.repositories[0] == repository })
		if i < 0 {
			i, repositories = len(repositories), append(repositories, target{repositories: []string{repository}})
		}
		if !slices.Contains(repositories[i].tags, tag) {
			repositories[i].tags = append(repositories[i].tags, tag)
		}
	}
	var out []target
	for _, t := range repositories {
		i := slices.IndexFunc(out, func(other target) bool { return slices.Equal(sorted(t.tags), sorted(other.tags)) })
		if i < 0 {
			out = append(out, t)
			continue
		}
		out[i].repositories = append(out[i].repositories, t.repositories...)
	}
	return named(out)
}

func sorted(list []string) []string { return slices.Sorted(slices.Values(list)) }

// named gives the images names: the last part of the first repository, and where an image before has that, the whole
// repository, so that a name does not depend on how many come before it.
func named(targets []target) ([]target, error) {
	var names []string
	for i, t := range targets {
		name := path.Base(t.repositories[0])
		if slices.Contains(names, name) {
			targets[i].name = strings.NewReplacer("/", "-", ":", "-").Replace(t.repositories[0])
			name = targets[i].name
		}
		if slices.Contains(names, name) {
			return nil, errorf("tags", "two images would have the name %s; write them into a release file", quote(name))
		}
		names = append(names, name)
	}
	return targets, nil
}

// splitReference reads a reference; without a tag it means latest, as everywhere.
func splitReference(text string) (repository, tag string, err error) {
	if strings.Contains(text, "@") {
		return "", "", errorf("tags", "%s has a digest: it is registry/repository:tag", quote(text))
	}
	repository, tag = text, "latest"
	if i := strings.LastIndexByte(text, ':'); i > strings.LastIndexByte(text, '/') {
		repository, tag = text[:i], text[i+1:]
	}
	switch {
	case strings.Contains(text, "type=") || !strings.Contains(text, "/") && !strings.Contains(text, ":"):
		return "", "", hint.With(errorf("tags", "%s is not a full reference, registry/repository:tag", quote(text)),
			"name the repositories in `images`: then `tags` are rules")
	case !ociref.IsTag(tag):
		return "", "", errorf("tags", "%s: %s is not a tag", quote(text), quote(tag))
	}
	return onHub(repository), tag, nil
}

// onHub is a name as docker reads it: one without a registry is on Docker Hub.
func onHub(repository string) string {
	repository = strings.ToLower(repository)
	host, rest, found := strings.Cut(repository, "/")
	if found && (strings.ContainsAny(host, ".:") || host == "localhost") {
		return ociref.Host(host) + "/" + rest
	}
	return ociref.Hub + "/" + repository
}
