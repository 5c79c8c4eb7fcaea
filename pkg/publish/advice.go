package publish

import (
	"errors"
	"fmt"
	"strings"

	"github.com/taglast/taglast/internal/actions"
	"github.com/taglast/taglast/internal/registry"
	"github.com/taglast/taglast/internal/retry"
	"github.com/taglast/taglast/internal/stage/tag"
)

// permissions is what a job needs so that taglast may sign and store; %s is where the job is written.
const permissions = "add to the job%s:\n    permissions:\n      id-token: write        # sign as this workflow\n      attestations: write    # store the attestation"

// advise adds to a failure what is the case by then and what to do, where the cause has no hint of its own.
func (r *run) advise(err error) error {
	var e *Error
	if !errors.As(err, &e) || e.Usage || e.Hint != "" {
		return err
	}
	advised := *e
	var outage *retry.Exhausted
	down := errors.As(err, &outage)
	switch e.Stage {
	case StagePlan:
		if errors.Is(err, actions.ErrNoIDToken) {
			advised.Stage, advised.Hint = StageSign, fmt.Sprintf(permissions, r.workflowFile())
		}
	case StagePush:
		advised.Detail = fmt.Sprintf("%d of %s pushed, untagged", r.progress.of(StagePush), count(len(r.published()), "image"))
		if down {
			advised.Hint = "wait and re-run failed jobs: what is there is not sent again. Or publish to the other registries now with --registry HOST;\n" +
				"the next full run only adds this one"
		}
	case StageAttest:
		pushed := r.progress.of(StagePush)
		advised.Detail = fmt.Sprintf("%s pushed, untagged; %d of %d attested", count(pushed, "image"), r.progress.of(StageAttest), len(r.published()))
		if down {
			advised.Hint = "re-run failed jobs later: nothing is built or pushed again. GHCR keeps untagged images; quay.io deletes them after an hour.\n" +
				"status.sigstore.dev and githubstatus.com tell of outages"
		}
	case StageVerify:
		advised.Hint = "what a store gives back is not what this run signed: look who else writes attestations there. No tag names the image"
	case StageTag:
		adviseTag(&advised)
	}
	return &advised
}

// workflowFile is ` in .github/workflows/release.yml` where the environment tells it.
func (r *run) workflowFile() string {
	ref := workflowOf(r.o.Getenv("GITHUB_WORKFLOW_REF"), r.o.Getenv("GITHUB_REPOSITORY"))
	file, _, ok := strings.Cut(ref, "@")
	if !ok {
		return ""
	}
	return " in " + file
}

// adviseTag names the tag stage's failure: a conflict as the other guards tell it, a race with both digests.
func adviseTag(e *Error) {
	var conflict *tag.ConflictError
	var overtaken *tag.OvertakenError
	var race *tag.RaceError
	switch {
	case errors.As(e.Err, &conflict):
		e.Ref, e.Hint = conflict.Ref, "a published version is not overwritten. Release another version"
	case errors.As(e.Err, &overtaken):
		e.Ref, e.Hint = overtaken.Ref, fmt.Sprintf(
			"re-run the release of %s: it moves its aliases forward again. Let one release run at a time (`concurrency:` in the workflow)", overtaken.Version)
	case errors.As(e.Err, &race):
		e.Ref, e.Hint = race.Ref, oneReleaseAtATime
	case errors.Is(e.Err, registry.ErrMoved):
		e.Hint = oneReleaseAtATime
	default:
		e.Hint = "run the same command again, or re-run the failed jobs: it writes what is pending; nothing is built or signed again"
	}
}

const oneReleaseAtATime = "let one release run at a time (`concurrency:` in the workflow), look which digest is wanted, and run the same command again"
