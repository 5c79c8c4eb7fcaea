package publish

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/taglast/taglast/internal/buildx"
	"github.com/taglast/taglast/internal/commits"
	"github.com/taglast/taglast/internal/event"
	"github.com/taglast/taglast/internal/identity"
	"github.com/taglast/taglast/internal/image"
	"github.com/taglast/taglast/internal/keyless"
	"github.com/taglast/taglast/internal/registry"
	"github.com/taglast/taglast/internal/retry"
	"github.com/taglast/taglast/internal/stage/prove"
	"github.com/taglast/taglast/internal/store"
)

// run is one call of Publish, DryRun or Plan: what it works with, and how far it is.
type run struct {
	o         Options // with every default filled in
	mode      mode
	startedAt time.Time

	branch       string // the default branch, as the checkout knows it
	fromCheckout bool   // the identity was made from the git checkout, not by Actions
	serverURL    string

	network   *counter // under every client
	sent      *counter // what left the program: of a dry run, what the overlay let through
	clients   *registry.Clients
	workspace image.Workspace // of sources that need files; removed when the run ends
	builder   *buildx.Client  // of the Dockerfiles
	commits   *commits.History

	claims  identity.Claims
	session *identity.Session
	signer  *keyless.Signer
	// attesting has a slot for each image that may be attested at the same time: log, timestamp authority and store are
	// asked by no more at once than --jobs.
	attesting chan struct{}
	building  chan struct{} // a slot for each image that may be built at the same time
	signing   chan struct{} // a slot for each statement that may be signed at the same time

	certificate certificate
	stores      []store.Store  // of the run: asked for what is there
	openers     []store.Opener // of the stores of each image
	trusted     prove.Run

	out      *output
	progress *progress
	plan     *plan    // nil until there is one
	current  *current // what the tags name before anything is sent
	records  []*record
	byName   map[string]*record // the same, by the image's name, as the tag stage and siblings name them
	siblings *image.Siblings    // of the records: each is built once, whoever asks for it
	complete prove.Complete
	others   *latch       // opens when every image but the first is pushed
	builders *latch       // opens when every image that a builder makes is built
	moved    atomic.Int64 // bytes of blobs that were read for an upload

	largeSBOMs sync.Map // image and platform of those that the person was told of
	attestedMu sync.Mutex
	attestedAt map[string][]string     // commits at which an image was attested, by its digest
	probes     map[string]func() error // by repository
}

// newRun begins a run. Outside of Actions what the environment of a run that publishes nothing lacks comes from the git
// checkout.
func newRun(ctx context.Context, o Options, m mode) *run {
	r := &run{o: o.withDefaults(), mode: m, startedAt: time.Now(), attestedAt: make(map[string][]string)}
	r.progress = newProgress(r.o.Observer)
	r.attesting, r.building, r.signing = make(chan struct{}, r.o.Jobs), make(chan struct{}, r.o.Jobs), make(chan struct{}, r.o.Jobs)
	if m.readOnly() {
		var getenv event.Getenv
		getenv, r.branch, r.fromCheckout = r.env().WithCheckout(ctx, r.o.WorkDir)
		r.o.Getenv = getenv
	}
	r.serverURL = or(r.o.Getenv("GITHUB_SERVER_URL"), "https://github.com")
	r.builder = buildx.New(buildx.Options{})
	r.current = newCurrent(r)
	r.network = &counter{base: r.o.Transport}
	r.sent = r.network
	return r
}

func (r *run) env() event.Getenv { return r.o.Getenv }

// execute runs the stages in their order and writes the report, whatever became of them.
func (r *run) execute(ctx context.Context) (*Report, error) {
	defer r.removeWorkspace()
	var err error
	if r.out, err = openOutput(r.o.OutputDir); err != nil {
		err = usage("", err)
		return r.report(err), err
	}
	if err = r.makePlan(ctx); err == nil {
		r.announce()
		err = r.stages(ctx)
	}
	if err == nil && r.mode.dryRun() {
		err = at(StageTag, "", "", r.keepDryRun())
	}
	if err != nil {
		err = r.advise(err)
	}
	if err != nil && ctx.Err() != nil {
		err = r.interrupted(ctx, err)
	}
	return r.writeReport(err)
}

// removeWorkspace removes the temporary files of sources, once nothing is read from them any more.
func (r *run) removeWorkspace() {
	if err := r.workspace.Remove(); err != nil {
		r.o.Observer.Warn(fmt.Sprintf("temporary files are left: %v", err))
	}
}

// writeReport writes report.json. A report that cannot be written is an error of its own, after the last tag too.
func (r *run) writeReport(err error) (*Report, error) {
	report := r.report(err)
	unwritten := r.out.report(report)
	switch {
	case unwritten == nil:
		return report, err
	case err != nil:
		r.o.Observer.Warn("report.json cannot be written: " + unwritten.Error())
		return report, err
	case r.mode.dryRun():
		err, report.Outcome = at(StageTag, "", "", fmt.Errorf("the report cannot be written: %w", unwritten)), Failed
	default:
		err, report.Outcome = at(StageTag, "", "", fmt.Errorf("every tag is written, but the report is not: %w", unwritten)), Partial
	}
	report.Error = errorReport(err)
	return report, err
}

// interrupted says that the run ended because it was told to, or because its time was over, in the stage that was shown:
// images side by side may have been in others.
func (r *run) interrupted(ctx context.Context, err error) error {
	cause := context.Cause(ctx)
	if errors.Is(cause, context.DeadlineExceeded) {
		cause = errors.New("the run's --timeout is over")
	}
	out := &Error{Stage: StagePlan, Err: fmt.Errorf("stopped: %w", cause)}
	var e *Error
	if errors.As(err, &e) {
		out.Stage = e.Stage
	}
	if stage, ok := r.progress.current(); ok {
		out.Stage = stage
	}
	return out
}

// waiting tells the person watching what waits, and why.
func (r *run) waiting(what string) func(retry.Event) {
	return func(e retry.Event) {
		if e.Wait < time.Second {
			return
		}
		asked := ""
		if e.Asked {
			asked = " as asked"
		}
		r.o.Observer.Warn(fmt.Sprintf("%s: %v; waiting %s%s", what, e.Err, e.Wait.Round(time.Second), asked))
	}
}

// or is the first of two texts that is not empty.
func or(a, b string) string {
	if a == "" {
		return b
	}
	return a
}
