package release

import (
	"strings"

	"github.com/google/go-containerregistry/pkg/name"

	"github.com/taglast/taglast/internal/buildcontext"
)

// dockerImage begins a context that is an image of a registry.
const dockerImage = "docker-image://"

// imageContext is where one image of the file is built from another.
type imageContext struct {
	image, context, from string
	at                   position
}

// namedContexts reads the further contexts of a build. Whether an image that one names is there is looked at once all
// images are read.
func (r *resolver) namedContexts(n *node, img *Image) ([]NamedContext, error) {
	read, err := r.variables(n, "context")
	if err != nil {
		return nil, err
	}
	var out []NamedContext
	for _, v := range read {
		c := NamedContext{Name: v.name, Value: strings.TrimSpace(v.value)}
		switch from, isImage := strings.CutPrefix(c.Value, "image:"); {
		case c.Value == "":
			return nil, v.at.errorf("context %s has no value: it is a folder, a URL or image:NAME", quote(v.name))
		case c.Value == "-":
			return nil, v.valueAt.errorf("`-` is the standard input, which is not read here; it is a path")
		case isImage:
			c.Value, c.Image = "", strings.TrimSpace(from)
			r.imageContexts = append(r.imageContexts, imageContext{img.Name, v.name, c.Image, v.valueAt})
		case strings.HasPrefix(c.Value, dockerImage):
			if _, err := name.ParseReference(strings.TrimPrefix(c.Value, dockerImage)); err != nil {
				return nil, v.valueAt.errorf("context %s: what stands behind %s is not an image reference", quote(v.name), dockerImage)
			}
		case buildcontext.IsAddress(c.Value):
			if err := checkRemote("context "+quote(v.name), entry{c.Value, v.valueAt}); err != nil {
				return nil, err
			}
		}
		out = append(out, c)
	}
	return out, nil
}
