package view

import (
	"fmt"
	"sync"
	"time"

	"github.com/taglast/taglast/internal/escape"
	"github.com/taglast/taglast/pkg/publish"
)

// Commands are what Plain needs of the runner: groups that fold in the job's log, and warnings.
type Commands interface {
	Group(title string)
	EndGroup()
	Warning(title, message string)
}

// Plain shows a run as plain lines in a job's log: one group a stage, at most a line every ten seconds while it runs, and
// one when it is done. It implements publish.Observer.
type Plain struct {
	Line     func(string) // writes one line
	Commands Commands

	mu   sync.Mutex
	open publish.Stage
	last time.Time
}

const lineInterval = 10 * time.Second

// Begin writes the head.
func (p *Plain) Begin(h publish.Header) {
	p.mu.Lock()
	defer p.mu.Unlock()
	first := "taglast " + or(h.Version, "devel")
	if h.DryRun {
		first += "   dry run: nothing is written to any registry, log or store"
	}
	p.Line(first)
	for _, line := range head(h) {
		p.Line(line)
	}
}

// Progress opens the stage's group at its first event and closes it at its last.
func (p *Plain) Progress(e publish.Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if p.open != e.Stage {
		p.Commands.Group(string(e.Stage))
		p.open, p.last = e.Stage, now
	}
	if e.Finished {
		p.Line(fmt.Sprintf("▸ %-8s %s   %s", e.Stage, stageText(e), Duration(e.Took)))
		p.Commands.EndGroup()
		p.open = ""
		return
	}
	if now.Sub(p.last) >= lineInterval {
		p.last = now
		p.Line(fmt.Sprintf("▸ %-8s %d/%d  %s", e.Stage, e.Done, e.Total, escape.Text(e.Note)))
	}
}

// Close ends the group of a stage that did not finish: what follows must not be folded away.
func (p *Plain) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.open != "" {
		p.Commands.EndGroup()
		p.open = ""
	}
}

// Warn annotates the job.
func (p *Plain) Warn(message string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.Commands.Warning("taglast", escape.Text(message))
}
