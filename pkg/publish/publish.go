package publish

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/taglast/taglast/internal/image"
	"github.com/taglast/taglast/internal/stage/attest"
	"github.com/taglast/taglast/internal/stage/prove"
	"github.com/taglast/taglast/internal/stage/push"
	"github.com/taglast/taglast/internal/stage/tag"
	"github.com/taglast/taglast/pkg/tagrule"
)

// Publish runs every stage. The report is there on failure too, and has been written to the output directory; the error
// is an *Error.
func Publish(ctx context.Context, o Options) (*Report, error) {
	o = o.withDefaults()
	return run(ctx, o)
}

func (o Options) withDefaults() Options {
	if o.Transport == nil {
		o.Transport = Network()
	}
	if o.Observer == nil {
		o.Observer = silent{}
	}
	if o.Getenv == nil {
		o.Getenv = func(string) string { return "" }
	}
	if len(o.Stores) == 0 {
		o.Stores = []string{"github"}
	}
	if o.IDToken == nil {
		o.IDToken = o.runnerToken
	}
	if o.startedAt.IsZero() {
		o.startedAt = time.Now()
	}
	return o
}

// pipeline is one run: what each stage has made so far.
type pipeline struct {
	o        Options
	out      *output
	plan     *plan
	built    []image.Built
	pushed   []push.Pushed
	attested []attest.Attested
	complete prove.Complete
	tagged   []tag.Tagged
	uploaded int64
}

// step is one stage of a run: it tells its progress and gives a note for its line.
type step struct {
	stage Stage
	run   func(ctx context.Context, step func(done, total int, note string)) (string, error)
}

// run executes the stages in their order and writes the report, whatever became of them.
func run(ctx context.Context, o Options) (*Report, error) {
	p := &pipeline{o: o}
	var err error
	if p.out, err = openOutput(o.OutputDir); err != nil {
		err = usage("", err)
		return p.report(err), err
	}
	defer p.removeWorkspace()
	if p.plan, err = makePlan(ctx, o); err == nil {
		err = p.stages(ctx)
	} else {
		err = p.advise(StagePlan, err)
	}
	if err == nil && o.dryRun {
		err = at(StageTag, "", "", p.rehearsed())
	}
	if err != nil && ctx.Err() != nil {
		err = interrupted(ctx, err)
	}
	r := p.report(err)
	werr := p.out.report(r)
	if werr != nil && err != nil {
		o.Observer.Warn("report.json cannot be written: " + werr.Error())
	}
	if werr != nil && err == nil {
		err, r.Outcome = at(StageTag, "", "", fmt.Errorf("every tag is written, but the report is not: %w", werr)), Partial
		if o.dryRun {
			err, r.Outcome = at(StageTag, "", "", fmt.Errorf("the report cannot be written: %w", werr)), Failed
		}
		r.Error = errorReport(err)
	}
	return r, err
}

// removeWorkspace removes the temporary files of sources, once nothing is read from them any more.
func (p *pipeline) removeWorkspace() {
	if p.plan == nil {
		return
	}
	if err := p.plan.workspace.Remove(); err != nil {
		p.o.Observer.Warn(fmt.Sprintf("temporary files are left: %v", err))
	}
}

// interrupted says that the run ended because it was told to, or because its time was over.
func interrupted(ctx context.Context, err error) error {
	cause := context.Cause(ctx)
	if errors.Is(cause, context.DeadlineExceeded) {
		cause = errors.New("the run's --timeout is over")
	}
	var e *Error
	if errors.As(err, &e) {
		return &Error{Stage: e.Stage, Image: e.Image, Ref: e.Ref, Err: fmt.Errorf("stopped: %w", cause)}
	}
	return &Error{Stage: StagePlan, Err: fmt.Errorf("stopped: %w", cause)}
}

func (p *pipeline) stages(ctx context.Context) error {
	p.announce()
	p.finish(StagePlan, p.o.startedAt, len(p.plan.images), p.planNote())
	for _, s := range p.order() {
		begun := time.Now()
		step := func(done, total int, note string) {
			p.o.Observer.Progress(Event{Stage: s.stage, Done: done, Total: total, Note: note})
		}
		step(0, p.total(s.stage), "")
		note, err := s.run(ctx, step)
		if err != nil {
			return p.advise(s.stage, at(s.stage, "", "", err))
		}
		p.finish(s.stage, begun, p.total(s.stage), note)
		if len(p.built) == 0 { // every image is skipped: the report says why
			return nil
		}
	}
	return nil
}

func (p *pipeline) total(s Stage) int {
	if s == StageTag {
		return len(p.requests())
	}
	n := 0
	for _, im := range p.plan.images {
		if !im.unbuilt {
			n++
		}
	}
	return n
}

func (p *pipeline) finish(s Stage, begun time.Time, total int, note string) {
	p.o.Observer.Progress(Event{Stage: s, Done: total, Total: total, Note: note, Finished: true, Took: time.Since(begun)})
}

func (p *pipeline) buildStage(ctx context.Context, step func(int, int, string)) (string, error) {
	built, err := p.plan.build(ctx, step)
	p.built = made(built, image.Built.Ok)
	return buildNote(p.built), err
}

// made leaves out the zero values: images that are skipped.
func made[T any](in []T, ok func(T) bool) []T {
	var out []T
	for _, v := range in {
		if ok(v) {
			out = append(out, v)
		}
	}
	return out
}

func (p *pipeline) attestStage(ctx context.Context, step func(int, int, string)) (string, error) {
	attested, err := p.plan.attest(ctx, p.out, p.pushed, step)
	p.attested = made(attested, attest.Attested.Ok)
	return attestNote(p.attested), err
}

// verifyStage makes a proof of every attestation and passes the barrier.
func (p *pipeline) verifyStage(_ context.Context, step func(int, int, string)) (string, error) {
	var proofs []prove.Proof
	var required []prove.Required
	for i, a := range p.attested {
		image := a.Pushed().Built().Name()
		proof, err := prove.Release(a, p.plan.run)
		if err != nil {
			return "", at(StageVerify, image, "", err)
		}
		proofs = append(proofs, proof)
		step(i+1, len(p.attested), "")
	}
	for _, im := range p.plan.images {
		if !im.unbuilt {
			required = append(required, prove.Required{Image: im.file.Name})
		}
	}
	var err error
	p.complete, err = prove.All(required, proofs)
	return "read back and checked as gh does", err
}

// tagStage looks at every manifest once more and writes the tags.
func (p *pipeline) tagStage(ctx context.Context, step func(int, int, string)) (string, error) {
	p.plan.digests = make(map[string]string)
	for _, pd := range p.pushed {
		p.plan.digests[pd.Built().Name()] = pd.Built().Root().Digest.String()
		if err := push.Recheck(ctx, p.plan.clients, pd, recheckAfter); err != nil {
			return "", at(StageTag, pd.Built().Name(), "", err)
		}
	}
	requests := p.requests()
	if len(requests) == 0 {
		return "none asked for", nil
	}
	var err error
	p.tagged, err = tag.Write(ctx, p.complete, p.plan.clients, requests, tag.Options{
		Decide:   p.plan.decide,
		Jobs:     p.o.jobs(),
		Progress: func(done, total int) { step(done, total, "") },
	})
	return tagNote(p.tagged), err
}

// requests are the tags of every image that is built, in the order of the file.
func (p *pipeline) requests() []tag.Request {
	var out []tag.Request
	for _, im := range p.plan.images {
		if im.unbuilt {
			continue
		}
		for _, t := range im.tags {
			if !t.later {
				out = append(out, tag.Request{
					Image: im.file.Name, Repository: t.repo, Tag: t.tag.Text, Fixed: t.tag.Class == tagrule.Fixed, Latest: t.tag.Latest,
					Alias: im.alias(t), Seen: t.seen, Unknown: t.unknown,
				})
			}
		}
	}
	return out
}
