package publish

import (
	"errors"
	"fmt"

	"github.com/taglast/taglast/internal/buildx"
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

// StageSign is the plan's failure to get what signing needs: the job may not ask for an ID token.
const StageSign Stage = "sign"

// Error says which stage failed, on which image and reference, and why, and what a person can do about it.
type Error struct {
	Stage  Stage
	Image  string // empty where no single image is to blame
	Ref    string // empty where no single reference is
	Usage  bool   // wrong usage or release file: found before anything was sent, exit code 2
	Err    error  // the cause; never nil
	Detail string // further lines: what is the case by now, and the words of others; empty where there are none
	Hint   string // what to do, in words for the person who runs the release; empty where there is nothing to say
}

// Error is the stage, the cause and the detail.
func (e *Error) Error() string { return fmt.Sprintf("%s: %s", e.Stage, e.Message()) }

// Message is the cause and, on lines of its own, the detail.
func (e *Error) Message() string {
	if e.Detail == "" {
		return e.Err.Error()
	}
	return e.Err.Error() + "\n" + e.Detail
}

// Unwrap is the cause.
func (e *Error) Unwrap() error { return e.Err }

// at gives err its stage, image and reference, unless an inner call has. The hint is the cause's own. It returns nil for
// a nil err.
func at(stage Stage, image, ref string, err error) error {
	if err == nil {
		return nil
	}
	var inner *Error
	if errors.As(err, &inner) {
		return err
	}
	out := &Error{Stage: stage, Image: image, Ref: ref, Err: err, Hint: hint.Of(err)}
	var failed *buildx.Error
	if errors.As(err, &failed) {
		out.Detail = failed.Detail()
	}
	return out
}

// usage is an error of the release file or the flags.
func usage(image string, err error) error {
	return &Error{Stage: StagePlan, Image: image, Usage: true, Err: err, Hint: hint.Of(err)}
}

// ExitCode is the contract's: 0 done, 1 failed and no tag was changed, 2 wrong usage, 3 failed after a tag may have
// changed. A nil report is that of a run which did not begin.
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
