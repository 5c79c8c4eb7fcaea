// Package permit is the one key to the guard under every registry client: a context that carries a permit may write one
// manifest under one reference that is not its digest. Only the guard and the stage that writes tags import it: a test
// names them.
package permit

import (
	"context"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/taglast/taglast/internal/ociref"
)

type key struct{}

type permit struct {
	repository string
	reference  string
	digest     v1.Hash
}

// Tag permits the manifest whose sha256 is digest to be written to repo under reference, and nothing else: a permit that
// ctx already carries no longer counts.
func Tag(ctx context.Context, repo name.Repository, reference string, digest v1.Hash) context.Context {
	return context.WithValue(ctx, key{}, permit{repo.Name(), reference, digest})
}

// Allows reports whether ctx carries the permit for exactly this write. Nothing is allowed under an empty reference or for
// a digest that is not sha256.
func Allows(ctx context.Context, repo name.Repository, reference string, digest v1.Hash) bool {
	p, ok := ctx.Value(key{}).(permit)
	return ok && reference != "" && ociref.CheckHash(digest) == nil && p == permit{repo.Name(), reference, digest}
}
