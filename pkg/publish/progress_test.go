package publish

import (
	"fmt"
	"io"
	"slices"
	"testing"
)

// lines is an observer that keeps each event as a line.
type lines []string

func (l *lines) Begin(Header)                      {}
func (l *lines) Warn(string)                       {}
func (l *lines) BuildOutput(string) io.WriteCloser { return nil }
func (l *lines) Progress(e Event) {
	line := fmt.Sprintf("%s %d/%d", e.Stage, e.Done, e.Total)
	if e.Finished {
		line += " " + e.Note
	}
	*l = append(*l, line)
}

// Images go through the stages side by side; who watches sees one stage after the other, each finished when all have
// passed it.
func TestProgressShowsOneStageAfterTheOther(t *testing.T) {
	var seen lines
	p := newProgress(&seen)
	note := func(text string) func() string { return func() string { return text } }
	p.add(StageBuild, 3, note("built"))
	p.add(StagePush, 3, note("pushed"))
	p.passed(StageBuild)
	p.passed(StagePush) // the first image is ahead
	p.passed(StageBuild)
	p.drop() // the third cannot be had
	p.passed(StagePush)
	p.add(StageTag, 2, note("written"))
	p.count(StageTag, 1)
	p.count(StageTag, 2) // all are written, and not yet looked at
	if stage, ok := p.current(); stage != StageTag || !ok {
		t.Errorf("shown is %q", stage)
	}
	p.finish(StageTag)
	want := lines{
		"build 0/3", "build 1/3", "build 1/3", "build 2/3", "build 2/2 built",
		"push 0/2", "push 1/2", "push 2/2 pushed",
		"tag 0/2", "tag 1/2", "tag 2/2", "tag 2/2 written",
	}
	if !slices.Equal(seen, want) {
		t.Errorf("seen\n%q, want\n%q", seen, want)
	}
	if _, ok := p.current(); ok {
		t.Error("a stage is shown after the last")
	}
}
