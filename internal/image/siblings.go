package image

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
)

// BuildSibling builds one image of a release. built gives the others of the release: Env.Built of the request.
type BuildSibling func(ctx context.Context, image string, built func(context.Context, string) (Built, error)) (Built, error)

// Siblings builds the images of a release, each once, an image that another one copies from before that other. All its
// methods may be called from several goroutines.
type Siblings struct {
	build BuildSibling

	mu      sync.Mutex
	results map[string]*siblingResult
	waiting map[string][]string // image → those that it waits for
}

type siblingResult struct {
	done  chan struct{} // closed once the others are set
	built Built
	err   error
}

// NewSiblings returns the images of a release, none of them built yet. build is called once for each that is asked for,
// in the goroutine of whoever asks first, so that a bound on goroutines cannot block; its error is every caller's.
func NewSiblings(build BuildSibling) *Siblings {
	return &Siblings{build: build, results: map[string]*siblingResult{}, waiting: map[string][]string{}}
}

// Build gives the image, and builds it where nobody has. A zero Built without an error is what build gave: the image is
// skipped.
func (s *Siblings) Build(ctx context.Context, image string) (Built, error) {
	s.mu.Lock()
	r, begun := s.results[image]
	if !begun {
		r = &siblingResult{done: make(chan struct{})}
		s.results[image] = r
	}
	s.mu.Unlock()
	if !begun {
		defer close(r.done)
		r.built, r.err = s.build(ctx, image, func(ctx context.Context, other string) (Built, error) {
			return s.buildFor(ctx, image, other)
		})
		return r.built, r.err
	}
	select {
	case <-r.done:
		return r.built, r.err
	case <-ctx.Done():
		return Built{}, fmt.Errorf("image %s: %w", image, context.Cause(ctx))
	}
}

// buildFor gives other to image, which waits for it. It is an error where other waits for image, if by way of a third, and
// where other is skipped.
func (s *Siblings) buildFor(ctx context.Context, image, other string) (Built, error) {
	s.mu.Lock()
	if way := s.waitPath(other, image); way != nil {
		s.mu.Unlock()
		return Built{}, fmt.Errorf("images copy from each other in a circle: %s → %s", image, strings.Join(way, " → "))
	}
	s.waiting[image] = append(s.waiting[image], other)
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		i := slices.Index(s.waiting[image], other)
		s.waiting[image] = slices.Delete(s.waiting[image], i, i+1)
	}()
	b, err := s.Build(ctx, other)
	if err == nil && !b.Ok() {
		err = fmt.Errorf("image %s is skipped: nothing can be copied from it", other)
	}
	return b, err
}

// waitPath is the chain by which from waits for to: from, to and all between them. nil where it does not wait.
func (s *Siblings) waitPath(from, to string) []string {
	if from == to {
		return []string{to}
	}
	for _, next := range s.waiting[from] {
		if rest := s.waitPath(next, to); rest != nil {
			return append([]string{from}, rest...)
		}
	}
	return nil
}
