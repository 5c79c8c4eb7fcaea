package publish

import (
	"context"

	"golang.org/x/sync/errgroup"

	"github.com/taglast/taglast/internal/image"
)

// step takes one image through one stage.
type step struct {
	stage Stage
	run   func(context.Context, *record) error
	note  func() string // the note of the stage's line, once every image has passed it
}

func (r *run) buildStep() step  { return step{StageBuild, r.build, r.buildNote} }
func (r *run) pushStep() step   { return step{StagePush, r.push, r.pushNote} }
func (r *run) attestStep() step { return step{StageAttest, r.attest, r.attestNote} }
func (r *run) proveStep() step  { return step{StageVerify, r.prove, r.proveNote} }

// makeRecords begins a record for every image of the plan. It reports whether any image is built.
func (r *run) makeRecords() bool {
	built, byBuilder := 0, 0
	r.byName = make(map[string]*record)
	for _, im := range r.plan.images {
		rec := &record{plannedImage: im}
		r.records = append(r.records, rec)
		r.byName[rec.name()] = rec
		if !im.unbuilt {
			built++
			if rec.usesBuilder() {
				byBuilder++
			}
		}
	}
	for _, im := range r.plan.bases {
		r.byName[im.file.Name] = &record{plannedImage: im}
	}
	r.others, r.builders = newLatch(max(0, built-1)), newLatch(byBuilder)
	r.siblings = image.NewSiblings(r.buildSibling)
	return built > 0
}

// isFirst says that an image is the first that is built, the face of its repositories.
func (r *run) isFirst(rec *record) bool {
	for _, other := range r.records {
		if !other.unbuilt {
			return other == rec
		}
	}
	return false
}

// sideBySide takes every image through the steps, each at its own pace. The first failure ends the others.
func (r *run) sideBySide(ctx context.Context, steps ...step) error {
	records := r.published()
	for _, s := range steps {
		r.progress.add(s.stage, len(records), s.note)
	}
	g, gctx := errgroup.WithContext(ctx)
	for _, rec := range records {
		g.Go(func() error {
			for _, s := range steps {
				r.progress.begin(s.stage)
				if err := s.run(gctx, rec); err != nil {
					return at(s.stage, rec.name(), "", err)
				}
				if !rec.published() {
					r.progress.drop()
					return nil
				}
				r.progress.passed(s.stage)
			}
			return nil
		})
	}
	return g.Wait()
}
