//go:build !mutant_tagfirst

package publish

import "context"

// stages takes every image through build, push, attest and verify, waits for all, and tags. The types leave no other
// order: each stage takes what the one before it made.
func (r *run) stages(ctx context.Context) error {
	if !r.makeRecords() {
		return r.sideBySide(ctx, r.buildStep()) // every image is skipped: the report says why
	}
	if err := r.checkSources(ctx); err != nil {
		return err
	}
	defer r.certificate.stop()
	err := r.sideBySide(ctx, r.buildStep(), r.pushStep(), r.attestStep(), r.proveStep())
	if err != nil || len(r.published()) == 0 {
		return err
	}
	if r.complete, err = r.barrier(); err != nil {
		return err
	}
	return r.tag(ctx)
}
