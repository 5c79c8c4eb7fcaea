package registry

import (
	"context"
	"errors"
	"fmt"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/taglast/taglast/internal/retry"
)

// Previous is what a tag named when the caller looked last. The zero value is that nobody has looked.
type Previous struct {
	Known  bool
	Digest v1.Hash // zero where there was no tag
}

// PutTag writes a manifest under a tag; ctx must carry the permit for exactly that (ErrGuard).
//
// After a failure the tag is looked at. If it names m, the write has happened, whatever the answer was: registries with
// immutable tags refuse even the same digest a second time. Otherwise the write is repeated under the run's policy
// where the failure may pass, but not over what appeared there since the last look, the caller's (previous) or our own:
// then the error is ErrMoved. No registry compares and swaps: what appears between the look and the write is overwritten.
func (c *Client) PutTag(ctx context.Context, tag string, m Manifest, previous Previous) error {
	r, err := parseReference(tag)
	if err == nil && r.byDigest() {
		err = errors.New("a tag is asked for, not a digest")
	}
	if err == nil {
		err = m.check()
	}
	if err != nil {
		return c.p.wrap("tag", "", err)
	}
	defer c.p.tagWrites.Add(1) // a list that is begun now may lack the tag
	w := tagWrite{c: c.p, reference: r, manifest: m, looked: previous.Known, lastDigest: previous.Digest}
	err = c.p.retry(ctx, w.attempt)
	// The last attempt may have been the one that reached the registry.
	if err != nil && ctx.Err() == nil && !isFinal(err) && !errors.Is(err, ErrMoved) {
		if now, look := c.p.tagDigest(ctx, r); look == nil && now == m.Digest {
			err = nil
		}
	}
	if err != nil && w.unanswered && !ambiguous(err) {
		err = fmt.Errorf("%w; %w", err, ErrUnanswered)
	}
	return c.p.wrap("tag", r.suffix(), err)
}

// tagWrite is the write of one tag.
type tagWrite struct {
	c          *client
	reference  reference
	manifest   Manifest
	lastErr    error   // the last write's
	unanswered bool    // some write was not answered
	looked     bool    // it is known what the tag named
	lastDigest v1.Hash // what it named then; zero for nothing
}

// attempt looks before it repeats a write.
func (w *tagWrite) attempt(ctx context.Context) error {
	if w.lastErr != nil {
		now, err := w.c.tagDigest(ctx, w.reference)
		switch {
		case err != nil:
			return err
		case now == w.manifest.Digest:
			return nil
		case w.looked && now != w.lastDigest:
			return retry.Permanent(fmt.Errorf("%w: it named %s and now %s, and our write was not answered: %w", ErrMoved, w.lastDigest, now, w.lastErr))
		}
		w.looked, w.lastDigest = true, now
	}
	w.lastErr = w.c.put(ctx, w.reference, w.manifest)
	w.unanswered = w.unanswered || w.lastErr != nil && ambiguous(w.lastErr) && !isFinal(w.lastErr)
	return w.lastErr
}

// tagDigest is what the tag names; the zero hash for nothing.
func (c *client) tagDigest(ctx context.Context, r reference) (v1.Hash, error) {
	d, err := c.head(ctx, r)
	if errors.Is(sentinel(err), ErrNotFound) {
		return v1.Hash{}, nil
	}
	return d.Digest, err
}
