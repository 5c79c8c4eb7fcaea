package publish

import (
	"sync"
	"time"
)

// progress shows the stages one after the other, although images go through them side by side: the events are always
// those of the earliest stage that some image has not passed, and a stage finishes when all have.
type progress struct {
	observer Observer

	mu     sync.Mutex
	stages []*stageProgress // in their order; those before current are finished
	at     int              // index of the stage that is shown
}

type stageProgress struct {
	stage       Stage
	done, total int
	note        func() string // the note of its line, made when it is finished
	running     string        // the note while it runs
	begun       time.Time
	started     bool
	open        bool // it is not finished, whatever the count says
	dropped     bool // an item that should have passed it will not
}

func newProgress(o Observer) *progress { return &progress{observer: o} }

// add appends a stage that total items pass. note makes the text of its line when all have.
func (p *progress) add(stage Stage, total int, note func() string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stages = append(p.stages, &stageProgress{stage: stage, total: total, note: note})
	p.show()
}

// begin says that an item enters a stage.
func (p *progress) begin(stage Stage) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if s := p.find(stage); s.begun.IsZero() {
		s.begun = time.Now()
	}
}

// passed says that an item has passed a stage.
func (p *progress) passed(stage Stage) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.find(stage).done++
	p.show()
}

// count says that done items have passed a stage, which goes on until finish is called.
func (p *progress) count(stage Stage, done int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.find(stage)
	s.done, s.open = max(s.done, done), true
	p.show()
}

// finish ends a stage whose items were counted.
func (p *progress) finish(stage Stage) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.find(stage)
	s.done, s.open = s.total, false
	p.show()
}

// tell changes what is shown beside a running stage.
func (p *progress) tell(stage Stage, note string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.find(stage)
	s.running = note
	if p.at < len(p.stages) && p.stages[p.at] == s {
		p.event(s)
	}
}

// drop says that an item will pass no further stage.
func (p *progress) drop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, s := range p.stages[p.at:] {
		s.total--
		s.dropped = true
	}
	p.show()
}

// current is the earliest stage that some item has not passed; false where there is none.
func (p *progress) current() (Stage, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.at == len(p.stages) {
		return "", false
	}
	return p.stages[p.at].stage, true
}

// of is how many items have passed a stage.
func (p *progress) of(stage Stage) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if s := p.find(stage); s != nil {
		return s.done
	}
	return 0
}

func (p *progress) find(stage Stage) *stageProgress {
	for _, s := range p.stages {
		if s.stage == stage {
			return s
		}
	}
	return nil
}

// show tells of the present stage, and of each that follows once it is finished.
func (p *progress) show() {
	for p.at < len(p.stages) {
		s := p.stages[p.at]
		if s.dropped && s.total == 0 && s.stage != StageBuild { // nothing came so far
			p.at++
			continue
		}
		if !s.started {
			s.started = true
			if s.begun.IsZero() {
				s.begun = time.Now()
			}
			if s.total > 0 {
				p.observer.Progress(Event{Stage: s.stage, Total: s.total})
			}
		}
		if s.done < s.total || s.open {
			if s.done > 0 {
				p.event(s)
			}
			return
		}
		p.observer.Progress(Event{Stage: s.stage, Done: s.done, Total: s.total, Note: s.note(), Finished: true, Took: time.Since(s.begun)})
		p.at++
	}
}

func (p *progress) event(s *stageProgress) {
	p.observer.Progress(Event{Stage: s.stage, Done: s.done, Total: s.total, Note: s.running})
}
