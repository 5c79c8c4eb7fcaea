package publish

import (
	"errors"
	"fmt"

	"github.com/taglast/taglast/internal/hint"
)

// Stage names a stage of the pipeline.
type Stage string

// The stages, in their order.
const (
	StagePlan   Stage = "plan"
	StageBuild  Stage = "build"
	StagePush   Stage = "push"
	StageAttest Stage = "attest"
	StageVerify Stage = "verify"
	StageTag    Stage = "tag"
)

// Error says which stage failed, on which image and reference, and why. A hint of what to do is beside it (Hint).
type Error struct {
	Stage Stage
	Image string
	Ref   string
	Usage bool // wrong usage or release file: found before anything was sent, exit code 2
	Err   error
}

// Error is the stage, the reference where the cause does not name it, and the cause.
func (e *Error) Error() string {
	return fmt.Sprintf("%s: %v", e.Stage, e.Err)
}

// Unwrap is the cause.
func (e *Error) Unwrap() error { return e.Err }

// Hint says what to do, in words for the person who runs the release; empty where there is nothing to say.
func (e *Error) Hint() string { return hint.Of(e.Err) }

// at wraps err with its stage unless it has one.
func at(stage Stage, image, ref string, err error) error {
	if err == nil {
		return nil
	}
	var have *Error
	if errors.As(err, &have) {
		return err
	}
	return &Error{Stage: stage, Image: image, Ref: ref, Err: err}
}

// usage is an error of the release file or the flags.
func usage(image string, err error) error {
	return &Error{Stage: StagePlan, Image: image, Usage: true, Err: err}
}

// ExitCode is the contract's: 0 done, 1 failed and no tag was changed, 2 wrong usage, 3 failed after a tag may have changed.
func ExitCode(r *Report, err error) int {
	var e *Error
	switch {
	case err == nil && (r == nil || r.Outcome != Partial):
		return 0
	case r != nil && (r.Outcome == Partial || r.Outcome == Published && !r.DryRun): // an error after the last tag
		return 3
	case errors.As(err, &e) && e.Usage:
		return 2
	default:
		return 1
	}
}
