package image

import (
	"context"
	"fmt"

	"github.com/google/go-containerregistry/pkg/name"

	"github.com/taglast/taglast/internal/provenance"
	"github.com/taglast/taglast/pkg/release"
)

// Source is where the manifests of an image come from. SourceOf makes it; each kind is one file.
type Source interface {
	// Repositories are those that the source reads from: a layer may be mounted from them, and their limits count. None
	// where it reads from no registry.
	Repositories() []name.Repository
	// Local reports whether the source is read without a network.
	Local() bool
	// check says what is wrong that can be told without a network and without reading an image. Of env it uses the
	// folder and the platforms.
	check(env Env) error
	// gather reads the manifests, indexes and configs, each checked against its digest. It may be called again.
	gather(ctx context.Context, env Env) (gathered, error)
}

// gathered is what a source gave.
type gathered struct {
	trees  []tree
	deps   []provenance.Dependency
	copied bool   // the source is an image, which stays as it is where it can
	hint   string // what to do where a platform is missing
}

// kinds are the kinds of sources. A further kind is a file of its own and an entry here.
func kinds() []kind {
	return []kind{of(newOCI), of(newDigests), of(newImageSource)}
}

// SourceOf is the source that a release names. It is an error where its kind is none of this package's; nil has none.
func SourceOf(s release.Source) (Source, error) {
	for _, k := range kinds() {
		if source, ok := k(s); ok {
			return source, nil
		}
	}
	return nil, fmt.Errorf("a source of type %T is not supported", s)
}

// kind makes the source of a release's value, and reports whether the value is of its kind.
type kind func(release.Source) (Source, bool)

// of is the kind whose value in a release is an S.
func of[S release.Source](convert func(S) Source) kind {
	return func(s release.Source) (Source, bool) {
		value, ok := s.(S)
		if !ok {
			return nil, false
		}
		return convert(value), true
	}
}
