package tag

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"golang.org/x/sync/errgroup"

	"github.com/taglast/taglast/internal/registry"
	"github.com/taglast/taglast/internal/registry/permit"
	"github.com/taglast/taglast/internal/retry"
	"github.com/taglast/taglast/internal/stage/prove"
)

// writer holds one run of the stage. Each Tagged is touched by one goroutine at a time; groups end before the next begins.
type writer struct {
	complete prove.Complete
	clients  Clients
	options  Options
	tagged   []Tagged

	mu   sync.Mutex
	done int

	hashed map[string]bool // image and repository, of which a tag is read and hashed at the last look
}

// grace is how long writes under way may take after the run was told to stop; half as long again may the look at what was
// previous is what was seen of a tag just before it is written.
func previous(t *Tagged) registry.Previous {
	if t.Unknown {
		return registry.Previous{}
	}
	if t.Previous == "" {
		return registry.Previous{Known: true}
	}
	digest, err := v1.NewHash(t.Previous)
	return registry.Previous{Known: err == nil, Digest: digest}
}

// written take.
const grace = 3 * time.Second

// run holds the order: look at all fixed tags, write them; look at the moving ones and decide; write them, the first
// image's last; look at everything once, after the last write. What was written is looked at even where the stage stops:
// the report must be true.
func (w *writer) run(ctx context.Context) error {
	writing, cancel := withGrace(ctx, grace)
	defer cancel()
	reading, cancel := withGrace(ctx, grace+grace/2) // a write that hangs must not take the time to look at the others
	defer cancel()
	stopCause := func() error { return context.Cause(ctx) }
	neverStop := func() error { return nil }
	fixed, moving := w.order()
	if err := w.each(writing, fixed, stopCause, w.checkFixed); err != nil {
		return err
	}
	if err := w.writeAll(writing, fixed, moving, stopCause); err != nil {
		return errors.Join(err, w.checkAll(reading, w.written(), neverStop))
	}
	if len(w.written()) == 0 { // each was looked at a moment ago
		return nil
	}
	err := w.checkAll(reading, w.written(), neverStop)
	if err == nil || byAnotherRun(err) {
		stopErr := stopCause()
		if stopErr == nil {
			stopErr = w.checkAll(reading, w.unchanged(), stopCause)
		}
		err = errors.Join(err, stopErr)
	}
	if err != nil && !byAnotherRun(err) {
		return err
	}
	return errors.Join(err, w.checkOvertaken(reading, stopCause))
}

// writeAll writes the fixed tags, decides the moving ones, and writes those group by group.
func (w *writer) writeAll(ctx context.Context, fixed []int, moving [][]int, stopCause func() error) error {
	if err := w.each(ctx, fixed, stopCause, w.write); err != nil {
		return err
	}
	if len(moving) == 0 {
		return nil
	}
	if err := w.decide(ctx, slices.Concat(moving...), stopCause); err != nil {
		return err
	}
	for _, group := range moving {
		if err := w.each(ctx, group, stopCause, w.write); err != nil {
			return err
		}
	}
	return nil
}

// order gives the fixed requests and then the groups of moving ones: all images but the first, then the first image's;
// `latest` after everything else, the first image's last of all. The first image is the first that is asked for.
func (w *writer) order() (fixed []int, moving [][]int) {
	groups := make([][]int, 4)
	for i, t := range w.tagged {
		first := t.Image == w.tagged[0].Image
		switch {
		case t.Fixed:
			fixed = append(fixed, i)
		case !t.latest() && !first:
			groups[0] = append(groups[0], i)
		case !t.latest():
			groups[1] = append(groups[1], i)
		case !first:
			groups[2] = append(groups[2], i)
		default:
			groups[3] = append(groups[3], i)
		}
	}
	for _, g := range groups {
		if len(g) > 0 {
			moving = append(moving, g)
		}
	}
	return fixed, moving
}

func (r Request) latest() bool { return r.Latest || r.Tag == "latest" }

// each runs op for every index of a group, at most Jobs at once. After the first failure, or once stopCause gives an
// error, none begins; what is under way is finished. An error that tells of another run stops nothing, so that every tag
// which that run touched is reported.
func (w *writer) each(ctx context.Context, group []int, stopCause func() error, op func(context.Context, int) error) error {
	var g errgroup.Group
	g.SetLimit(max(w.options.Jobs, 1))
	var mu sync.Mutex
	var failed error
	halted := false
	stopped := func() bool {
		mu.Lock()
		defer mu.Unlock()
		if !halted {
			err := stopCause()
			halted, failed = err != nil, errors.Join(failed, err)
		}
		return halted
	}
	for _, i := range group {
		g.Go(func() error {
			if stopped() {
				return nil
			}
			if err := op(ctx, i); err != nil {
				mu.Lock()
				defer mu.Unlock()
				halted = halted || !byAnotherRun(err)
				failed = errors.Join(failed, err)
			}
			return nil
		})
	}
	_ = g.Wait() // op's errors are in failed
	return failed
}

// withGrace is a context that ends a grace later than ctx does, so that writes under way are finished and read back.
func withGrace(ctx context.Context, grace time.Duration) (context.Context, context.CancelFunc) {
	graced, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var mu sync.Mutex
	var timer *time.Timer
	stop := context.AfterFunc(ctx, func() {
		mu.Lock()
		defer mu.Unlock()
		timer = time.AfterFunc(grace, cancel)
	})
	return graced, func() {
		stop()
		cancel()
		mu.Lock()
		defer mu.Unlock()
		if timer != nil {
			timer.Stop()
		}
	}
}

// checkFixed is the guard just before the first write: it is a ConflictError where a fixed tag names another digest than
// the proof's.
func (w *writer) checkFixed(ctx context.Context, i int) error {
	t := &w.tagged[i]
	if t.Unknown {
		return nil
	}
	want := w.proofRoot(i).Digest.String()
	current, err := w.clients.Repository(t.Repository).Head(ctx, t.Tag)
	switch {
	case errors.Is(err, registry.ErrNotFound):
		t.Previous, t.Digest = "", ""
		return nil
	case err != nil:
		return err
	}
	t.Previous, t.Digest = current.Digest.String(), current.Digest.String()
	if t.Previous != want {
		t.Action = Failed
		t.Err = &ConflictError{Ref: t.Ref(), Existing: t.Previous, Wanted: want}
		return t.Err
	}
	return nil
}

// write puts the proof's bytes under the tag unless they are there.
func (w *writer) write(ctx context.Context, i int) error {
	t := &w.tagged[i]
	root := w.proofRoot(i)
	want := root.Digest.String()
	if t.Action == Kept {
		w.countDone()
		return nil
	}
	if t.Previous == want {
		t.Action, t.Digest = Unchanged, want
		w.countDone()
		return nil
	}
	client := w.clients.Repository(t.Repository)
	if err := client.PutTag(permit.Tag(ctx, t.Repository, t.Tag, root.Digest), t.Tag, root, previous(t)); err != nil {
		t.Doubtful = !refusedByRegistry(err)
		return w.recordFailure(i, err)
	}
	t.Action, t.Digest, t.Doubtful = Moved, want, true // in doubt until it is looked at
	if t.Previous == "" {
		t.Action = Created
	}
	w.countDone()
	return nil
}

// written lists the tags that were written.
func (w *writer) written() []int {
	return w.indexesOf(func(t Tagged) bool { return t.Written() })
}

// unchanged lists those that were right before.
func (w *writer) unchanged() []int {
	return w.indexesOf(func(t Tagged) bool { return t.Action == Unchanged })
}

func (w *writer) indexesOf(match func(Tagged) bool) []int {
	var out []int
	for i, t := range w.tagged {
		if match(t) {
			out = append(out, i)
		}
	}
	return out
}

// refusedByRegistry reports whether the registry answered every attempt of a write with a refusal, so that nothing can have changed.
func refusedByRegistry(err error) bool {
	var status *retry.StatusError
	return !errors.Is(err, registry.ErrUnanswered) && errors.As(err, &status) && status.Status >= 400 && status.Status < 500
}

// recordFailure keeps what is known of a tag after a failed write: a write whose answer was lost may have reached the registry.
func (w *writer) recordFailure(i int, err error) error {
	w.tagged[i].Action, w.tagged[i].Err = Failed, err
	return err
}

func (w *writer) proofRoot(i int) registry.Manifest {
	p, _ := w.complete.Proof(w.tagged[i].Image)
	return p.Root()
}

func (w *writer) countDone() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.done++
	if w.options.Progress != nil {
		w.options.Progress(w.done, len(w.tagged))
	}
}
