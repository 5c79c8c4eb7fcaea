package tag

import (
	"context"
	"errors"
	"fmt"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/taglast/taglast/internal/registry"
)

// checkAll compares tags with the proof after the last write: the only look at what was written, and the second at what was right.
// What a tag names is read and hashed. On a registry that counts pulls that is done for one tag of each image in each
// repository, and the others are asked for by HEAD: then the registry's word counts, for the same index.
func (w *writer) checkAll(ctx context.Context, tags []int, stopCause func() error) error {
	byHead := make(map[int]bool)
	for _, i := range tags {
		t := w.tagged[i]
		if !w.clients.Repository(t.Repository).CountsPulls() {
			continue
		}
		index := t.Image + " " + t.Repository.Name()
		byHead[i], w.hashed[index] = w.hashed[index], true
	}
	return w.each(ctx, tags, stopCause, func(ctx context.Context, i int) error { return w.checkTag(ctx, i, byHead[i]) })
}

// checkTag compares what one tag names with what it shall name.
func (w *writer) checkTag(ctx context.Context, i int, byHead bool) error {
	t := &w.tagged[i]
	want, found := w.proofRoot(i).Digest.String(), ""
	got, err := w.tagDigest(ctx, t.Request, byHead)
	switch {
	case errors.Is(err, registry.ErrNotFound):
	case err != nil && t.Written():
		return w.recordFailure(i, fmt.Errorf("read %s back: %w", t.Ref(), err))
	case err != nil:
		return fmt.Errorf("look at %s once more: %w", t.Ref(), err)
	default:
		found = got.String()
	}
	if found != want {
		t.Digest, t.Doubtful = found, t.Written()
		return w.recordFailure(i, &RaceError{Ref: t.Ref(), Wrote: want, Found: found})
	}
	t.Doubtful = false
	return nil
}

// tagDigest gives the digest of what a tag names: of the bytes, or what the registry says of them.
func (w *writer) tagDigest(ctx context.Context, r Request, byHead bool) (v1.Hash, error) {
	client := w.clients.Repository(r.Repository)
	if byHead {
		d, err := client.Head(ctx, r.Tag)
		return d.Digest, err
	}
	m, err := client.Get(ctx, r.Tag)
	return m.Digest, err
}
