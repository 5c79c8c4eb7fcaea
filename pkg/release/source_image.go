package release

import "github.com/google/go-containerregistry/pkg/name"

// ImageSource is an image or index in any registry, which is copied whole.
type ImageSource struct {
	Ref name.Reference // with a tag or a digest; without either in the file it is the tag latest
}

// Kind is image.
func (ImageSource) Kind() string { return "image" }

var imageKind = sourceKind{
	keys:  []key{{name: "image", doc: "An image or index in any registry, copied whole."}},
	parse: (*resolver).imageSource,
}

func (r *resolver) imageSource(n *node, _ *Image) (Source, error) {
	one, err := r.singleText(n.value("image"))
	if err != nil {
		return nil, err
	}
	ref, err := name.ParseReference(one.text)
	if err != nil {
		return nil, one.at.errorf("%s is not an image reference", quote(one.text)).
			withHint("it is registry/repository:tag or registry/repository@sha256:…")
	}
	return ImageSource{ref}, nil
}
