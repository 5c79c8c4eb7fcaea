package publish

import (
	"context"
	"sync"
)

// certificate asks for the run's certificate ahead of the first signature.
type certificate struct {
	once   sync.Once
	cancel context.CancelFunc
	ended  chan struct{}
}

// prefetch asks for the certificate while images are pushed, where the plan shows that it will be needed: some image has
// fixed tags, and none of them is there. After a success all of them are, and a run that signs nothing asks for none. It
// is called when the first image is built, so that nothing was sent where none can be. A failure is told by the first
// signature, which asks again.
func (r *run) prefetch(ctx context.Context) {
	r.certificate.once.Do(func() {
		if !r.isNewRelease() {
			return
		}
		ctx, cancel := context.WithCancel(ctx)
		r.certificate.cancel, r.certificate.ended = cancel, make(chan struct{})
		go func() {
			defer close(r.certificate.ended)
			_ = r.signer.Prepare(ctx)
		}()
	})
}

// stop ends the request and waits for it.
func (c *certificate) stop() {
	if c.cancel != nil {
		c.cancel()
		<-c.ended
	}
}

// isNewRelease says that an image has fixed tags of which none is there yet.
func (r *run) isNewRelease() bool {
	for _, rec := range r.records {
		fixed, there := 0, 0
		for _, t := range rec.wantedTags() {
			if digest, _ := r.current.of(t); t.fixed() {
				fixed++
				if digest != "" {
					there++
				}
			}
		}
		if fixed > 0 && there == 0 && !rec.unbuilt {
			return true
		}
	}
	return false
}
