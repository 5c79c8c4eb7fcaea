package release

import (
	"regexp"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
)

// repositoryPath is the distribution specification's <name>.
var repositoryPath = regexp.MustCompile(`^[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*$`)

// hub are the names of Docker Hub's registry; they are one, written docker.io.
var hub = map[string]bool{"docker.io": true, "index.docker.io": true, "registry-1.docker.io": true}

// repository is a repository in its canonical form: lower case, with host; on Docker Hub docker.io/library/x for x.
func repository(e entry) (string, error) {
	text := strings.ToLower(e.text)
	host, path, found := strings.Cut(text, "/")
	if !found || !strings.ContainsAny(host, ".:") && host != "localhost" {
		return "", e.at.errorf("repository %s has no registry", quoted(e.text)).
			hinted("write docker.io/%s, or the name of another registry before it", strings.Trim(quoted(text), "`"))
	}
	if strings.ContainsAny(path, ":@") {
		return "", e.at.errorf("repository %s has a tag or digest", quoted(e.text)).hinted("tags come from `tags`")
	}
	if !repositoryPath.MatchString(path) {
		return "", e.at.errorf("repository %s: the name after the registry is lower-case letters and digits, with . _ - / between them", quoted(e.text))
	}
	if hub[host] {
		host = "docker.io"
	}
	repo, err := name.NewRepository(host + "/" + path)
	if err != nil {
		return "", e.at.errorf("repository %s: %s", quoted(e.text), quoted(err.Error()))
	}
	if host == "docker.io" {
		return host + "/" + repo.RepositoryStr(), nil
	}
	return repo.Name(), nil
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
	seen := map[string]bool{}
	for _, line := range lines {
		repo, err := repository(line)
		if err != nil {
			return err
		}
		if seen[repo] {
			return line.at.errorf("repository %s is named twice", repo)
		}
		seen[repo] = true
		img.Repositories = append(img.Repositories, repo)
	}
	return nil
}
