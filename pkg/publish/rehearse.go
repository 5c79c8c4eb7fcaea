package publish

import (
	"context"
	"fmt"

	"github.com/taglast/taglast/internal/identity"
)

// Rehearse tells what Publish would do, as far as reading alone can tell: it evaluates the rules and looks at what the
// tags name now. It builds nothing, asks for no ID token and proves no permission. With offline no tag is looked at.
func Rehearse(ctx context.Context, o Options, offline bool) (*Report, error) {
	o = o.withDefaults()
	o.readOnly, o.offline = true, offline
	o = o.withJob(ctx)
	o.Transport = &reachable{base: o.Transport, down: make(map[string]string)}
	p := &pipeline{o: o}
	made, err := prepare(ctx, o)
	if err != nil {
		return p.report(err), err
	}
	p.plan = made
	made.connect()
	made.claims = identity.Claims{
		Repository: o.Getenv("GITHUB_REPOSITORY"), Ref: o.Getenv("GITHUB_REF"), SHA: o.Getenv("GITHUB_SHA"),
		WorkflowRef: o.Getenv("GITHUB_WORKFLOW_REF"), EventName: o.Getenv("GITHUB_EVENT_NAME"),
	}
	if offline {
		for _, im := range made.images {
			for _, t := range im.tags {
				t.unknown = true
			}
		}
	} else if err := made.readTags(ctx); err != nil {
		return p.report(err), err
	}
	if ctx.Err() != nil {
		err := interrupted(ctx, fmt.Errorf("plan: %w", ctx.Err()))
		return p.report(err), err
	}
	p.announce()
	p.finish(StagePlan, o.startedAt, len(made.images), p.planNote())
	r := p.report(nil)
	r.Outcome = Planned
	return r, nil
}
