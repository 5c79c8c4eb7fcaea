package release

import (
	"slices"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"

	"github.com/taglast/taglast/internal/ociref"
)

// repository reads a repository with its registry, in any letter case. Texts that mean the same repository give equal
// values: on Docker Hub x is library/x.
func repository(e entry) (name.Repository, error) {
	text := strings.ToLower(e.text)
	host, path, found := strings.Cut(text, "/")
	if !found || !strings.ContainsAny(host, ".:") && host != "localhost" {
		return name.Repository{}, e.at.errorf("repository %s has no registry", quote(e.text)).
			withHint("write "+ociref.Hub+"/%s, or the name of another registry before it", strings.Trim(quote(text), "`"))
	}
	if strings.ContainsAny(path, ":@") {
		return name.Repository{}, e.at.errorf("repository %s has a tag or digest", quote(e.text)).withHint("tags come from `tags`")
	}
	if !ociref.IsPath(path) {
		return name.Repository{}, e.at.errorf("repository %s: the name after the registry is lower-case letters and digits, with . _ - / between them", quote(e.text))
	}
	repo, err := name.NewRepository(ociref.Host(host) + "/" + path)
	if err == nil {
		repo, err = name.NewRepository(ociref.DisplayName(repo), name.StrictValidation)
	}
	if err != nil {
		return name.Repository{}, e.at.errorf("repository %s: %s", quote(e.text), quote(err.Error()))
	}
	return repo, nil
}

func (r *resolver) repositories(img *Image) error {
	n := r.value("repositories")
	if n == nil {
		return r.entry.at.errorf("image %s: missing key `repositories`", img.Name)
	}
	lines, err := r.entries(n, false)
	if err != nil {
		return err
	}
	if len(lines) == 0 {
		return n.at.errorf("`repositories` is empty")
	}
	for _, line := range lines {
		repo, err := repository(line)
		if err != nil {
			return err
		}
		if slices.Contains(img.Repositories, repo) {
			return line.at.errorf("repository %s is named twice", ociref.DisplayName(repo))
		}
		img.Repositories = append(img.Repositories, repo)
	}
	return nil
}
