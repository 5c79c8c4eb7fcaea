package view

import (
	"fmt"
	"io"
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

	mu     sync.Mutex
	stage  publish.Stage // of the last event
	open   publish.Stage // whose group is open; empty for none, and for that of a builder
	last   time.Time     // of the stage's last line, or when it began
	builds *builds       // nil before the first builder
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

// Progress opens the stage's group at its first line and closes it at its last.
func (p *Plain) Progress(e publish.Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if p.builds != nil && p.builds.shown != nil && !e.Finished {
		return // groups do not nest, and the builder's lines say more
	}
	if p.stage != e.Stage {
		p.stage, p.last = e.Stage, now
	}
	switch {
	case e.Finished:
		p.inGroup(e.Stage, fmt.Sprintf("▸ %-8s %s   %s", e.Stage, stageText(e), Duration(e.Took)))
		p.endGroup()
	case now.Sub(p.last) >= lineInterval:
		p.last = now
		p.inGroup(e.Stage, fmt.Sprintf("▸ %-8s %d/%d  %s", e.Stage, e.Done, e.Total, escape.Text(e.Note)))
	}
}

// inGroup writes a line into the stage's group. p.mu is held.
func (p *Plain) inGroup(stage publish.Stage, line string) {
	if p.open != stage {
		p.endGroup()
		p.Commands.Group(string(stage))
		p.open = stage
	}
	p.Line(line)
}

// endGroup ends the open group of a stage, if there is one. p.mu is held.
func (p *Plain) endGroup() {
	if p.open != "" {
		p.Commands.EndGroup()
		p.open = ""
	}
}

// Close ends the group of a stage that did not finish: what follows must not be folded away.
func (p *Plain) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.endGroup()
}

// BuildOutput is a group of its own, with the builder's lines as they come.
func (p *Plain) BuildOutput(image string) io.WriteCloser {
	p.mu.Lock()
	if p.builds == nil {
		p.builds = &builds{
			mu: &p.mu,
			begin: func(image string) {
				p.endGroup()
				p.Commands.Group(string(publish.StageBuild) + " " + image)
			},
			line: p.Line,
			end:  p.Commands.EndGroup,
		}
	}
	p.mu.Unlock()
	return p.builds.open(image)
}

// Warn annotates the job.
func (p *Plain) Warn(message string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.Commands.Warning("taglast", escape.Text(message))
}
