//go:build mutant_tagfirst

package publish

import (
	"context"

	"github.com/taglast/taglast/internal/stage/prove"
	"github.com/taglast/taglast/internal/stage/push"
)

// stages is the mutant that tags before it attests and verifies. It exists so that the tests of the law can be seen to
// turn red; no release is built with it.
func (r *run) stages(ctx context.Context) error {
	r.makeRecords()
	defer r.certificate.stop()
	if err := r.sideBySide(ctx, r.buildStep(), r.pushStep()); err != nil {
		return err
	}
	var pushed []push.Pushed
	for _, rec := range r.published() {
		pushed = append(pushed, rec.pushed)
	}
	r.complete = prove.Unverified(pushed)
	if err := r.tag(ctx); err != nil {
		return err
	}
	if err := r.sideBySide(ctx, r.attestStep(), r.proveStep()); err != nil {
		return err
	}
	var err error
	r.complete, err = r.barrier()
	return err
}
