package tag

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

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
	o        Options
	tagged   []Tagged

	mu   sync.Mutex
	done int

	writes atomic.Int64 // tag writes that have been answered
	read   []int64      // for each tag, how many of them were answered when its last read began; 0 where it was not read
}

// run holds the order: look at all fixed tags, write them; look at the moving ones and decide; write them, the first
// image's last; look at everything once more. What was written is read back even where the stage stops: the report must
// be true. Where another run was between, all are looked at.
func (w *writer) run(ctx context.Context) error {
	grace := w.o.Grace
	if grace <= 0 {
		grace = 3 * time.Second
	}
	writing, cancel := outlive(ctx, grace)
	defer cancel()
	reading, cancel := outlive(ctx, grace+grace/2) // a write that hangs must not take the time to read the others back
	defer cancel()
	goOn := func() error { return context.Cause(ctx) }
	always := func() error { return nil }
	fixed, moving := w.order()
	if err := w.each(writing, fixed, goOn, w.lookFixed); err != nil {
		return err
	}
	for n, group := range append([][]int{fixed}, moving...) {
		if n == 1 {
			if err := w.decide(writing, slices.Concat(moving...), goOn); err != nil {
				return err
			}
		}
		err := w.each(writing, group, goOn, w.write)
		err = errors.Join(err, w.each(reading, w.written(group), always, w.readBack))
		switch {
		case raced(err):
			return errors.Join(err, w.each(reading, w.right(), goOn, w.lookAgain))
		case err != nil:
			return err
		}
	}
	err := w.each(reading, w.unseen(), goOn, w.lookAgain)
	if err != nil && !raced(err) {
		return err
	}
	return errors.Join(err, w.overtaken(reading, goOn))
}

// order gives the fixed requests and then the groups of moving ones: all images but the first, then the first image's;
// `latest` after everything else, the first image's last of all. The first image is the first that is asked for.
func (w *writer) order() (fixed []int, moving [][]int) {
	groups := make([][]int, 4)
	for i, t := range w.tagged {
		face := t.Image == w.tagged[0].Image
		switch {
		case t.Fixed:
			fixed = append(fixed, i)
		case !t.latest() && !face:
			groups[0] = append(groups[0], i)
		case !t.latest():
			groups[1] = append(groups[1], i)
		case !face:
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

// each runs op for every index of a group, at most Jobs at once. After the first failure, or once goOn says why not, none
// begins; what is under way is finished. Another run's traces stop nothing: every tag that it touched is told.
func (w *writer) each(ctx context.Context, group []int, goOn func() error, op func(context.Context, int) error) error {
	var g errgroup.Group
	g.SetLimit(max(w.o.Jobs, 1))
	var mu sync.Mutex
	var failed error
	stopped := false
	stop := func() bool {
		mu.Lock()
		defer mu.Unlock()
		if !stopped {
			why := goOn()
			stopped, failed = why != nil, errors.Join(failed, why)
		}
		return stopped
	}
	for _, i := range group {
		g.Go(func() error {
			if stop() {
				return nil
			}
			if err := op(ctx, i); err != nil {
				mu.Lock()
				defer mu.Unlock()
				stopped = stopped || !raced(err)
				failed = errors.Join(failed, err)
			}
			return nil
		})
	}
	_ = g.Wait() // ops report through failed
	return failed
}

// outlive is ctx without its end, but for a grace that begins when ctx ends: writes under way are finished in it, and
// read back.
func outlive(ctx context.Context, grace time.Duration) (context.Context, context.CancelFunc) {
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

// lookFixed is the guard just before the first write: a fixed tag is absent or names the proof's digest.
func (w *writer) lookFixed(ctx context.Context, i int) error {
	t := &w.tagged[i]
	if t.Unknown {
		return nil
	}
	here := w.root(i).Digest.String()
	there, err := w.clients.Repository(t.Repository).Head(ctx, t.Tag)
	switch {
	case errors.Is(err, registry.ErrNotFound):
		t.Previous, t.Digest = "", ""
		return nil
	case err != nil:
		return err
	}
	t.Previous, t.Digest = there.Digest.String(), there.Digest.String()
	if t.Previous != here {
		t.Action = Failed
		t.Err = &ConflictError{Ref: t.Ref(), There: t.Previous, Here: here}
		return t.Err
	}
	return nil
}

// write puts the proof's bytes under the tag unless they are there.
func (w *writer) write(ctx context.Context, i int) error {
	t := &w.tagged[i]
	root := w.root(i)
	here := root.Digest.String()
	if t.Action == Kept {
		w.step()
		return nil
	}
	if t.Previous == here {
		t.Action, t.Digest = Unchanged, here
		w.step()
		return nil
	}
	client := w.clients.Repository(t.Repository)
	if err := client.PutTag(permit.Tag(ctx, t.Repository, t.Tag, root.Digest), t.Tag, root); err != nil {
		t.Doubtful = !refused(err)
		return w.fail(i, err)
	}
	w.writes.Add(1)
	t.Action, t.Digest, t.Doubtful = Moved, here, true
	if t.Previous == "" {
		t.Action = Created
	}
	w.step()
	return nil
}

// written lists what of a group was written.
func (w *writer) written(group []int) []int {
	var out []int
	for _, i := range group {
		if w.tagged[i].Written() {
			out = append(out, i)
		}
	}
	return out
}

// readBack reads a tag that was written and hashes what it names.
func (w *writer) readBack(ctx context.Context, i int) error {
	t := &w.tagged[i]
	want := w.root(i).Digest
	w.read[i] = w.writes.Load()
	back, err := w.clients.Repository(t.Repository).Get(ctx, t.Tag)
	if err != nil {
		return w.fail(i, fmt.Errorf("read %s back: %w", t.Ref(), err))
	}
	if back.Digest != want {
		t.Digest = back.Digest.String()
		return w.fail(i, &RaceError{Ref: t.Ref(), Wrote: want.String(), Found: t.Digest})
	}
	t.Doubtful = false
	return nil
}

// refused says that the registry answered every attempt of a write with a refusal, so that nothing can have changed.
func refused(err error) bool {
	var status *retry.StatusError
	return !errors.Is(err, registry.ErrUnanswered) && errors.As(err, &status) && status.Status >= 400 && status.Status < 500
}

// fail keeps what is known of a tag after a failed write: a write whose answer was lost may have reached the registry.
func (w *writer) fail(i int, err error) error {
	w.tagged[i].Action, w.tagged[i].Err = Failed, err
	return err
}

func (w *writer) root(i int) registry.Manifest {
	p, _ := w.complete.Proof(w.tagged[i].Image)
	return p.Root()
}

func (w *writer) step() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.done++
	if w.o.Progress != nil {
		w.o.Progress(w.done, len(w.tagged))
	}
}

// right lists the tags that shall name their proof's digest.
func (w *writer) right() []int {
	var out []int
	for i, t := range w.tagged {
		if t.Written() || t.Action == Unchanged {
			out = append(out, i)
		}
	}
	return out
}

// unseen lists those of them whose last read began before the last write was
// answered: none where nothing was written.
func (w *writer) unseen() []int {
	return slices.DeleteFunc(w.right(), func(i int) bool { return w.read[i] >= w.writes.Load() })
}

// lookAgain looks at a tag once more after the last write.
func (w *writer) lookAgain(ctx context.Context, i int) error {
	t := &w.tagged[i]
	want := w.root(i).Digest.String()
	back, err := w.clients.Repository(t.Repository).Get(ctx, t.Tag)
	found := ""
	switch {
	case errors.Is(err, registry.ErrNotFound):
	case err != nil:
		return fmt.Errorf("look at %s once more: %w", t.Ref(), err)
	default:
		found = back.Digest.String()
	}
	if found != want {
		t.Digest, t.Doubtful = found, t.Written()
		return w.fail(i, &RaceError{Ref: t.Ref(), Wrote: want, Found: found})
	}
	return nil
}
