package push

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"golang.org/x/sync/errgroup"

	"github.com/taglast/taglast/internal/image"
	"github.com/taglast/taglast/internal/ociref"
	"github.com/taglast/taglast/internal/registry"
)

// target is the push of one image to one repository.
type target struct {
	*job
	client  *registry.Client
	from    []name.Repository // of the same registry, filled before this one
	hasRoot bool              // the root is there
}

// pushContent brings everything but the root.
func (t *target) pushContent(ctx context.Context) error {
	var err error
	if t.hasRoot, err = t.holdsRoot(ctx); err != nil {
		return err
	}
	if !t.isSingleManifest() {
		return t.children(ctx)
	}
	if t.hasRoot {
		return nil
	}
	t.clearIfCollected(t.manifests[0])
	return t.blobs(ctx, t.manifests[0])
}

// isSingleManifest reports whether the root is itself the image manifest.
func (t *target) isSingleManifest() bool {
	return len(t.manifests) == 1 && t.manifests[0].Digest == t.root.Digest
}

// holdsRoot reads the root by digest, which compares it; for a recheck a look is enough.
func (t *target) holdsRoot(ctx context.Context) (bool, error) {
	if t.recheck {
		return t.holds(ctx, t.root.Digest)
	}
	// A source that is this very repository has been read, and hashed, a moment ago.
	if read := t.client.LastRead(t.root.Digest); !read.IsZero() && time.Since(read) < t.seenFor {
		return true, nil
	}
	if t.client.CountsPulls() { // a GET that finds nothing may be counted too
		_, err := t.client.Head(ctx, t.root.Digest.String())
		if there, err := found(err); !there || err != nil {
			return false, err
		}
	}
	_, err := t.client.Get(ctx, t.root.Digest.String())
	return found(err)
}

// holds looks for a manifest, unless it was seen a short time ago.
func (t *target) holds(ctx context.Context, digest v1.Hash) (bool, error) {
	if seen := t.client.LastSeen(digest); !seen.IsZero() && time.Since(seen) < t.seenFor {
		return true, nil
	}
	_, err := t.client.Head(ctx, digest.String())
	return found(err)
}

// found reports whether a look found something: "not found" is false without an error, and so is "denied", which
// registries answer for repositories that do not exist yet; the write will tell.
func found(err error) (bool, error) {
	if errors.Is(err, registry.ErrNotFound) || errors.Is(err, registry.ErrDenied) {
		return false, nil
	}
	return err == nil, err
}

// children brings the manifests that the root names, in parallel.
func (t *target) children(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	for _, child := range t.manifests {
		g.Go(func() error {
			unlock, err := t.client.LockManifest(ctx, child.Digest)
			if err != nil {
				return err
			}
			defer unlock()
			there, err := t.holds(ctx, child.Digest)
			if err != nil {
				return err
			}
			if there {
				t.client.MarkPresent(digests(child)...)
				return nil
			}
			t.clearIfCollected(child)
			if err := t.blobs(ctx, child); err != nil {
				return err
			}
			return t.put(ctx, child.Manifest, func() error {
				t.client.ClearPresent(digests(child)...)
				return t.blobs(ctx, child)
			})
		})
	}
	return g.Wait()
}

// clearIfCollected forgets, in a recheck, the blobs of a manifest that this run pushed and that is gone: the registry
// collected them with it.
func (t *target) clearIfCollected(child image.Child) {
	if t.recheck {
		t.client.ClearPresent(digests(child)...)
	}
}

// put writes a manifest. If the registry still does not know what it names, although it took it, that is brought once
// more: registries were seen to lose a blob whose upload they had confirmed.
func (t *target) put(ctx context.Context, m registry.Manifest, repair func() error) error {
	err := t.client.PutByDigest(ctx, m)
	if errors.Is(err, registry.ErrMissing) {
		if err := repair(); err != nil {
			return err
		}
		err = t.client.PutByDigest(ctx, m)
	}
	if err == nil {
		t.sent.manifest(m.Size)
	}
	return err
}

// blobs brings the blobs of one manifest, in parallel.
func (t *target) blobs(ctx context.Context, child image.Child) error {
	g, ctx := errgroup.WithContext(ctx)
	for _, b := range child.Blobs {
		if t.options.SkipRemoteBlobs && len(b.From) > 0 {
			continue
		}
		b.Remote = len(b.From) > 0 // what a repository holds is read from it
		b.From = append(append([]name.Repository(nil), t.from...), b.From...)
		g.Go(func() error {
			sent, err := t.client.PushBlob(ctx, t.metered(b))
			if err == nil {
				t.sent.blob(sent)
			}
			return err
		})
	}
	return g.Wait()
}

// metered is b, of which what is read is reported to Uploaded.
func (t *target) metered(b registry.Blob) registry.Blob {
	open := b.Open
	if t.options.Uploaded != nil {
		b.Open = func(ctx context.Context) (io.ReadCloser, error) {
			r, err := open(ctx)
			if err != nil {
				return nil, err
			}
			return meter{r, t.options.Uploaded}, nil
		}
	}
	return b
}

type meter struct {
	io.ReadCloser
	uploaded func(int64)
}

func (m meter) Read(p []byte) (int, error) {
	n, err := m.ReadCloser.Read(p)
	m.uploaded(int64(n))
	return n, err
}

// pushRoot writes the root and reads it back.
func (t *target) pushRoot(ctx context.Context) error {
	repo := t.client.Name()
	if t.hasRoot {
		return nil
	}
	if t.options.BeforeRoot != nil {
		if err := t.options.BeforeRoot(ctx, repo); err != nil {
			return err
		}
	}
	repair := func() error { return t.repair(ctx) }
	if err := t.put(ctx, t.root, repair); err != nil {
		return err
	}
	back, err := t.client.ReadBack(ctx, t.root.Digest)
	if err != nil {
		return err
	}
	if !bytes.Equal(back.Raw, t.root.Raw) || back.MediaType != t.root.MediaType {
		return fmt.Errorf("push %s: %w", ociref.Reference(repo, t.root.Digest.String()), registry.ErrBytes)
	}
	return nil
}

// repair brings what a refused root names once more, as if nothing of it had been seen before.
func (t *target) repair(ctx context.Context) error {
	recheck := *t.job
	recheck.seenFor = 0
	retry := &target{job: &recheck, client: t.client, from: t.from}
	if t.isSingleManifest() {
		t.client.ClearPresent(digests(t.manifests[0])...)
		return retry.blobs(ctx, t.manifests[0])
	}
	return retry.children(ctx)
}

func digests(child image.Child) []v1.Hash {
	var all []v1.Hash
	for _, b := range child.Blobs {
		all = append(all, b.Digest)
	}
	return all
}
