package image

import (
	"context"
	"fmt"

	"github.com/google/go-containerregistry/pkg/name"

	"github.com/taglast/taglast/internal/provenance"
	"github.com/taglast/taglast/pkg/release"
)

// Source is where the manifests of an image come from. SourceOf returns it; each kind is one file.
type Source interface {
	// Repositories are those that the source reads from: a layer may be mounted from them, and their limits count. None
	// where it reads from no registry.
	Repositories() []name.Repository
	// Local reports whether the source is read without a network.
	Local() bool
	// check says what is wrong that can be told without a network and without reading an image. Of env it uses the
	// folder, the platforms and the builder, which may be asked what it can do.
	check(ctx context.Context, env Env) error
	// gather reads the manifests, indexes and configs, each checked against its digest. It may be called again.
	gather(ctx context.Context, env Env) (gathered, error)
}

// gathered is what a source holds, read and checked.
type gathered struct {
	sources      []sourceImage
	dependencies []provenance.Dependency
	copyWhole    bool   // the source is an image, which stays as it is where it can
	byBuilder    bool   // a builder of this run made it: exactly what was asked for, with labels and annotations of ours
	hint         string // what to do where a platform is missing
}

// converters has one entry for each kind of source. A further kind is a file of its own and an entry here.
func converters() []converter {
	return []converter{converterOf(newOCI), converterOf(newDigests), converterOf(newImageSource), converterOf(newDockerfile)}
}

// SourceOf is the source that a release names. It is an error where its kind is none of this package's; nil has none.
func SourceOf(s release.Source) (Source, error) {
	for _, k := range converters() {
		if source, ok := k(s); ok {
			return source, nil
		}
	}
	return nil, fmt.Errorf("a source of type %T is not supported", s)
}

// converter makes the source of a release's value, and reports whether the value is of its kind.
type converter func(release.Source) (Source, bool)

// converterOf is the converter of the kind whose value in a release is an S.
func converterOf[S release.Source](convert func(S) Source) converter {
	return func(s release.Source) (Source, bool) {
		value, ok := s.(S)
		if !ok {
			return nil, false
		}
		return convert(value), true
	}
}
