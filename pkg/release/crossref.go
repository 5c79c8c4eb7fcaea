package release

import (
	"slices"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"

	"github.com/taglast/taglast/internal/nearest"
	"github.com/taglast/taglast/internal/ociref"
	"github.com/taglast/taglast/internal/weburl"
)

// cacheTarget is a reference that a build writes its cache to.
type cacheTarget struct {
	ref   name.Reference
	image string
	at    position
}

// checkReferences checks what images of the file say of each other, once all are read.
func (d *document) checkReferences(images []Image) error {
	named := map[string]Image{}
	for _, img := range images {
		named[img.Name] = img
	}
	for _, c := range d.imageContexts {
		if c.from == c.image {
			return c.at.errorf("context %s of image %s is the image itself", quote(c.context), c.image)
		}
		from, ok := named[c.from]
		if !ok {
			return c.unknownImage(images)
		}
		if err := c.checkPlatforms(named[c.image], from); err != nil {
			return err
		}
	}
	if err := d.checkCircle(images); err != nil {
		return err
	}
	return d.checkCacheTargets(images)
}

// checkPlatforms refuses an image for a platform that the image which it is built from does not have. One that names no
// platforms has whatever its source has.
func (c imageContext) checkPlatforms(img, from Image) error {
	if _, built := from.Source.(DockerfileSource); !built || len(from.Platforms) == 0 {
		return nil
	}
	for _, p := range img.Platforms {
		if !slices.Contains(from.Platforms, p) {
			return c.at.errorf("context %s: image %s is for %s, and image %s, from which it is built, is not", quote(c.context), c.image, p, c.from).
				withHint("add the platform to both, or take it out of both; `platforms` above `images` is for all of them")
		}
	}
	return nil
}

// unknownImage is the error for a context that is no image of the file.
func (c imageContext) unknownImage(images []Image) *Error {
	var others []string
	for _, img := range images {
		if img.Name != c.image {
			others = append(others, img.Name)
		}
	}
	e := c.at.errorf("context %s: there is no image %s", quote(c.context), quote(c.from))
	switch near := nearest.Word(c.from, others); {
	case near != "":
		e.Msg += "; did you mean `" + near + "`?"
	case len(others) == 0:
		e.Msg += ", and no other image"
	default:
		e.Msg += "; others are " + firstNames(others)
	}
	return e
}

// checkCircle refuses images that are built from each other in a circle: none of them could be the first.
func (d *document) checkCircle(images []Image) error {
	from := map[string][]imageContext{}
	for _, c := range d.imageContexts {
		from[c.image] = append(from[c.image], c)
	}
	done := map[string]bool{}
	var chain []imageContext
	var visit func(image string) error
	visit = func(image string) error {
		if done[image] {
			return nil
		}
		if i := slices.IndexFunc(chain, func(c imageContext) bool { return c.image == image }); i >= 0 {
			return circle(chain[i:])
		}
		for _, c := range from[image] {
			chain = append(chain, c)
			if err := visit(c.from); err != nil {
				return err
			}
			chain = chain[:len(chain)-1]
		}
		done[image] = true
		return nil
	}
	for _, img := range images {
		if err := visit(img.Name); err != nil {
			return err
		}
	}
	return nil
}

func circle(chain []imageContext) *Error {
	var names []string
	for _, c := range chain {
		names = append(names, c.image)
	}
	names = append(names, chain[0].image)
	if len(names) > 8 {
		names = append(append(names[:6:6], "…"), chain[0].image)
	}
	return chain[0].at.errorf("images are built from each other in a circle: %s", strings.Join(names, " from "))
}

// checkCacheTargets refuses a cache in a repository of the release, whichever tag it names: nobody attests a cache.
func (d *document) checkCacheTargets(images []Image) error {
	if len(d.cacheTargets) == 0 {
		return nil
	}
	published := map[string]bool{}
	for _, img := range images {
		for _, r := range img.Repositories {
			published[registryPlace(r)] = true
		}
	}
	for _, t := range d.cacheTargets {
		if repo := ociref.DisplayName(t.ref.Context()); published[registryPlace(t.ref.Context())] {
			return t.at.errorf("image %s: cache-to would write a tag into %s, a repository of this release, and nobody attests it", t.image, repo).
				withHint("name another repository: %s-cache", repo)
		}
	}
	return nil
}

// registryPlace is a repository in one spelling, however its host is written: with the port that is the default, with the dot
// that ends a name of DNS, or one of the names of this machine.
func registryPlace(r name.Repository) string {
	host, port, hasPort := strings.Cut(r.RegistryStr(), ":")
	if strings.HasPrefix(r.RegistryStr(), "[") {
		host, port, hasPort = strings.Cut(strings.TrimPrefix(r.RegistryStr(), "["), "]")
		port = strings.TrimPrefix(port, ":")
	}
	host = ociref.Host(strings.TrimSuffix(strings.ToLower(host), "."))
	switch {
	case weburl.Loopback(r.RegistryStr()):
		host = "localhost"
		if !hasPort || port == "" {
			port = "80"
		}
	case port == "443":
		port = ""
	}
	path := r.RepositoryStr()
	if host == ociref.Hub && !strings.Contains(path, "/") {
		path = "library/" + path
	}
	return host + ":" + port + "/" + path
}
