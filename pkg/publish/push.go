package publish

import (
	"context"
	"time"

	"github.com/google/go-containerregistry/pkg/name"

	"github.com/taglast/taglast/internal/stage/push"
)

// recheckAfter is for how long a manifest that was seen counts as there just before the first tag: registries that
// collect what has no tag wait an hour.
const recheckAfter = 5 * time.Minute

// push puts an image, untagged, into its repositories. The first image is the face of the repository: registries order
// their page by the first PUT of a manifest, so its index waits until all others are there. Nothing is sent before every
// builder has ended: a Dockerfile that does not build is the likeliest of all failures, and leaves nothing anywhere.
func (r *run) push(ctx context.Context, rec *record) error {
	if err := r.builders.wait(ctx); err != nil {
		return err
	}
	r.prefetch(ctx)
	o := push.Options{SkipRemoteBlobs: r.mode.dryRun(), Uploaded: r.uploading}
	first := r.isFirst(rec)
	if first {
		o.BeforeRoot = func(ctx context.Context, _ name.Repository) error { return r.others.wait(ctx) }
	}
	var err error
	if rec.pushed, err = push.Image(ctx, r.clients, rec.built, rec.repos, o); err != nil {
		return err
	}
	if !first {
		r.others.done()
	}
	return nil
}

// uploading tells of n more bytes of blobs on their way.
func (r *run) uploading(n int64) { r.progress.tell(StagePush, size(r.moved.Add(n))+" sent") }

// uploaded is how many bytes the push stage has sent.
func (r *run) uploaded() int64 {
	var n int64
	for _, rec := range r.records {
		if rec.pushed.Ok() {
			n += rec.pushed.Sent().Bytes
		}
	}
	return n
}
