package publish

import (
	"errors"
	"fmt"
	"strings"

	"github.com/taglast/taglast/internal/actions"
	"github.com/taglast/taglast/internal/hint"
	"github.com/taglast/taglast/internal/registry"
	"github.com/taglast/taglast/internal/retry"
	"github.com/taglast/taglast/internal/stage/tag"
)

// permissions is what a job needs so that taglast may sign and store; %s is where the job is written.
const permissions = "add to the job%s:\n    permissions:\n      id-token: write        # sign as this workflow\n      attestations: write    # store the attestation"

// advise adds to a stage's failure what is the case by then and what to do, where the cause has no hint of its own.
func (p *pipeline) advise(stage Stage, err error) error {
	if err == nil || hint.Of(err) != "" {
		return err
	}
	e := &Error{Stage: stage, Err: err}
	var have *Error
	if errors.As(err, &have) {
		e = &Error{Stage: have.Stage, Image: have.Image, Ref: have.Ref, Usage: have.Usage, Err: have.Err}
	}
	if e.Usage {
		return err
	}
	var outage *retry.Exhausted
	down := errors.As(err, &outage)
	switch stage {
	case StagePlan:
		if errors.Is(err, actions.ErrNoIDToken) {
			e.Stage, e.Err = "sign", hint.With(e.Err, fmt.Sprintf(permissions, p.workflowFile()))
		}
	case StagePush:
		e.Err = detail(e.Err, fmt.Sprintf("%d of %s pushed, untagged", len(p.pushed), count(len(p.built), "image")))
		if down {
			e.Err = hint.With(e.Err, "wait and re-run failed jobs: what is there is not sent again. Or publish to the other registries now with --registry HOST;\n"+
				"the next full run only adds this one")
		}
	case StageAttest:
		e.Err = detail(e.Err, fmt.Sprintf("%s pushed, untagged; %d of %d attested", count(len(p.pushed), "image"), len(p.attested), len(p.pushed)))
		if down {
			e.Err = hint.With(e.Err, "re-run failed jobs later: nothing is built or pushed again. GHCR keeps untagged images; quay.io deletes them after an hour.\n"+
				"status.sigstore.dev and githubstatus.com tell of outages")
		}
	case StageVerify:
		e.Err = hint.With(e.Err, "what a store gives back is not what this run signed: look who else writes attestations there. No tag names the image")
	case StageTag:
		return p.tagError(err)
	}
	return e
}

// workflowFile is ` in .github/workflows/release.yml` where the environment tells it.
func (p *pipeline) workflowFile() string {
	ref := workflowOf(p.o.Getenv("GITHUB_WORKFLOW_REF"), p.o.Getenv("GITHUB_REPOSITORY"))
	file, _, ok := strings.Cut(ref, "@")
	if !ok {
		return ""
	}
	return " in " + file
}

// detail adds a line to an error's text.
func detail(err error, line string) error { return &detailed{err, line} }

type detailed struct {
	err  error
	line string
}

func (d *detailed) Error() string { return d.err.Error() + "\n" + d.line }
func (d *detailed) Unwrap() error { return d.err }

// tagError names the tag stage's failure: a conflict as the other guards tell it, a race with both digests.
func (p *pipeline) tagError(err error) error {
	var outer *Error
	if errors.As(err, &outer) && error(outer) == err { //nolint:errorlint // the stage is named once, below
		err = outer.Err
	}
	var conflict *tag.ConflictError
	if errors.As(err, &conflict) {
		return &Error{Stage: StageTag, Ref: conflict.Ref, Err: hint.With(err, "a published version is not overwritten. Release another version")}
	}
	var overtaken *tag.OvertakenError
	if errors.As(err, &overtaken) {
		return &Error{Stage: StageTag, Ref: overtaken.Ref, Err: hint.With(err, fmt.Sprintf(
			"re-run the release of %s: it moves its aliases forward again. Let one release run at a time (`concurrency:` in the workflow)", overtaken.Version))}
	}
	var race *tag.RaceError
	if errors.As(err, &race) || errors.Is(err, registry.ErrMoved) {
		out := &Error{Stage: StageTag, Err: hint.With(err,
			"let one release run at a time (`concurrency:` in the workflow), look which digest is wanted, and run the same command again")}
		if race != nil {
			out.Ref = race.Ref
		}
		return out
	}
	return &Error{Stage: StageTag, Err: hint.With(err, "run the same command again, or re-run the failed jobs: it writes what is pending; nothing is built or signed again")}
}
