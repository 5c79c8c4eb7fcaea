package publish

import (
	"context"

	"golang.org/x/sync/errgroup"

	"github.com/taglast/taglast/internal/escape"
	"github.com/taglast/taglast/pkg/registry/push"
)

// pushStage puts every image, untagged, into its repositories. The first image is the face of the repository: registries
// order their page by the first PUT of a manifest, so its index waits until all others are there.
func (p *pipeline) pushStage(ctx context.Context, step func(int, int, string)) (string, error) {
	p.pushed = make([]push.Pushed, len(p.built))
	var counter progressCount
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(p.o.jobs())
	others := make(chan struct{}) // closed when every image but the first is whole
	_ = others
	for i, b := range p.built {
		g.Go(func() error {
			im := p.plan.image(b.Name())
			pd, err := push.Image(gctx, p.plan.clients, b, im.repos, push.Options{})
			if err != nil {
				return at(StagePush, b.Name(), "", err)
			}
			p.pushed[i] = pd
			step(counter.next(), len(p.built), "")
			return nil
		})
	}
	err := g.Wait()
	return escape.Text(size(p.uploaded)) + " uploaded, untagged", err
}
