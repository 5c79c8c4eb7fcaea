package publish

import (
	"context"

	"github.com/taglast/taglast/internal/identity"
)

// Plan tells what Publish would do, as far as reading alone can tell: it evaluates the rules and looks at what the tags
// name now. It builds nothing, asks for no ID token, proves no permission and writes no file. With offline no tag is
// looked at. The report is there on failure, too; the error is an *Error.
func Plan(ctx context.Context, o Options, offline bool) (*Report, error) {
	m := modePlan
	if offline {
		m = modeOfflinePlan
	}
	r := newRun(ctx, o, m)
	r.network.base = &reachable{base: r.o.Transport, down: make(map[string]string)}
	err := at(StagePlan, "", "", r.look(ctx))
	if ctx.Err() != nil {
		err = r.interrupted(ctx, err)
	}
	if err != nil {
		return r.report(err), err
	}
	var logins []Login
	if !offline { // a credential helper may ask a server
		logins = r.logins(ctx)
	}
	r.announce(logins...)
	return r.report(nil), nil
}

// look makes the plan of a run that only looks.
func (r *run) look(ctx context.Context) error {
	var err error
	if r.plan, err = r.evaluate(ctx); err != nil {
		return err
	}
	if err := r.checkFiles(); err != nil {
		return err
	}
	r.connect()
	r.claims = identity.Claims{
		Repository: r.o.Getenv("GITHUB_REPOSITORY"), Ref: r.o.Getenv("GITHUB_REF"), SHA: r.o.Getenv("GITHUB_SHA"),
		WorkflowRef: r.o.Getenv("GITHUB_WORKFLOW_REF"), EventName: r.o.Getenv("GITHUB_EVENT_NAME"),
	}
	if r.mode.offline() {
		r.current.leaveUnknown(r.plan.images)
		return nil
	}
	if err := r.current.read(ctx, r.plan.images); err != nil {
		return err
	}
	return r.checkQuotas(ctx)
}
