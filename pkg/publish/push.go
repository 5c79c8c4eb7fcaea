package publish

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"golang.org/x/sync/errgroup"

	"github.com/taglast/taglast/internal/stage/push"
)

// recheckAfter is for how long a manifest that was seen counts as there just before the first tag: registries that
// collect what has no tag wait an hour.
const recheckAfter = 5 * time.Minute

// pushStage puts every image, untagged, into its repositories. The first image is the face of the repository: registries
// order their page by the first PUT of a manifest, so its index waits until all others are there.
func (p *pipeline) pushStage(ctx context.Context, step func(int, int, string)) (string, error) {
	pushed := make([]push.Pushed, len(p.built))
	var done progressCount
	var moved atomic.Int64
	progress := func(n int64) { step(int(done.n.Load()), len(p.built), size(moved.Add(n))+" sent") }
	one := func(ctx context.Context, i int, before func(context.Context, name.Repository) error) error {
		b := p.built[i]
		pd, err := push.Image(ctx, p.plan.clients, b, p.plan.image(b.Name()).repos, push.Options{BeforeRoot: before, Count: p.o.dryRun, Moved: progress})
		if err != nil {
			return at(StagePush, b.Name(), "", err)
		}
		pushed[i] = pd
		step(done.next(), len(p.built), size(moved.Load())+" sent")
		return nil
	}
	face, fctx := errgroup.WithContext(ctx)
	others, octx := errgroup.WithContext(fctx)
	others.SetLimit(p.o.jobs())
	there := make(chan struct{}) // closed when every other image is whole
	face.Go(func() error {
		return one(fctx, 0, func(ctx context.Context, _ name.Repository) error {
			select {
			case <-there:
				return nil
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		})
	})
	face.Go(func() error {
		for i := 1; i < len(p.built); i++ {
			others.Go(func() error { return one(octx, i, nil) })
		}
		if err := others.Wait(); err != nil {
			return err
		}
		close(there)
		return nil
	})
	err := face.Wait()
	p.pushed = made(pushed, push.Pushed.Ok)
	return p.sent(), err
}

// sent tells how much the push uploaded.
func (p *pipeline) sent() string {
	p.uploaded = 0
	for _, pd := range p.pushed {
		p.uploaded += pd.Sent().Bytes
	}
	if p.uploaded == 0 {
		return "untagged, everything was there"
	}
	return "untagged, " + size(p.uploaded) + " new"
}
