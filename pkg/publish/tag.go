package publish

import (
	"context"

	"golang.org/x/sync/errgroup"

	"github.com/taglast/taglast/internal/stage/push"
	"github.com/taglast/taglast/internal/stage/tag"
)

// tag looks at every manifest once more and writes the tags.
func (r *run) tag(ctx context.Context) error {
	g, gctx := errgroup.WithContext(ctx)
	for _, rec := range r.published() {
		g.Go(func() error {
			return at(StageTag, rec.name(), "", push.Recheck(gctx, r.clients, rec.pushed, recheckAfter))
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	var requests []tag.Request
	for _, rec := range r.published() {
		for _, t := range rec.wantedTags() {
			seen, unknown := r.current.of(t)
			requests = append(requests, tag.Request{
				Image: rec.name(), Repository: t.repo, Tag: t.tag.Text, Fixed: t.fixed(), Latest: t.tag.Latest,
				Alias: rec.isAlias(t), Seen: seen, Unknown: unknown,
			})
		}
	}
	r.progress.add(StageTag, len(requests), r.tagNote)
	if len(requests) == 0 {
		return nil
	}
	tagged, err := tag.Write(ctx, r.complete, r.clients, requests, tag.Options{
		Decide:   r.decide,
		Jobs:     r.o.Jobs,
		Progress: func(done, _ int) { r.progress.count(StageTag, done) },
	})
	for _, rec := range r.published() {
		n := min(len(rec.wantedTags()), len(tagged))
		rec.tagged, tagged = tagged[:n], tagged[n:]
	}
	if err != nil {
		return at(StageTag, "", "", err)
	}
	r.progress.finish(StageTag)
	return nil
}
