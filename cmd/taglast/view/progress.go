package view

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/taglast/taglast/internal/escape"
	"github.com/taglast/taglast/pkg/publish"
)

// Terminal shows a run on a terminal, or as the same lines without a bar where the output is not one. It implements
// publish.Observer.
type Terminal struct {
	W   io.Writer
	Bar bool // the output is a terminal: a running stage is drawn over its own line
	// Lines has builders write lines where they could draw their own bars: what went past this program cannot be told in
	// an error, and a document has nobody who looks at the terminal.
	Lines bool

	mu     sync.Mutex
	drawn  bool
	last   time.Time // when the bar was drawn
	lent   bool      // a builder draws its own bars
	held   []string  // lines that wait until it ends
	builds *builds   // where the output is no terminal; nil before the first builder
}

// redraw is how often a bar is drawn at the most.
const redraw = 100 * time.Millisecond

// Begin writes the head: what is released, as whom, to where.
func (t *Terminal) Begin(h publish.Header) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.clear()
	first := "taglast " + or(h.Version, "devel")
	if h.DryRun {
		first += "   dry run: nothing is written to any registry, log or store"
	}
	fmt.Fprintln(t.W, first)
	for _, line := range head(h) {
		fmt.Fprintln(t.W, line)
	}
	fmt.Fprintln(t.W)
}

func head(h publish.Header) []string {
	version := or(h.Release, "no version")
	if h.FromFlag {
		version += " (--release-version)"
	}
	release := "release   " + version
	if h.SHA != "" {
		release += fmt.Sprintf("   %.7s on %s", h.SHA, shortRef(h.Ref))
	}
	identity := "identity  " + h.Repository + "  " + h.Workflow
	if h.FromCheckout {
		identity += "   made from this checkout"
	}
	to := "to        " + someOf(h.Repositories) + "   " + plural(h.Images, "image")
	if len(h.Platforms) > 0 {
		to += ", " + strings.Join(h.Platforms, " ")
	}
	lines := []string{escape.Text(release), escape.Text(identity), escape.Text(to)}
	for i, l := range h.Logins {
		first := "login     "
		if i > 0 {
			first = strings.Repeat(" ", len(first))
		}
		lines = append(lines, escape.Text(first+l.Registry+"  "+l.Source))
	}
	return lines
}

// nameAtMost is how many repositories the head names; the rest are counted.
const nameAtMost = 3

// someOf names the first repositories and counts the rest.
func someOf(repositories []string) string {
	if more := len(repositories) - nameAtMost; more > 0 {
		return strings.Join(repositories[:nameAtMost], "  ") + fmt.Sprintf("  and %d more", more)
	}
	return strings.Join(repositories, "  ")
}

func shortRef(ref string) string {
	ref = strings.TrimPrefix(ref, "refs/heads/")
	return strings.TrimPrefix(ref, "refs/tags/")
}

// Progress draws a bar while a stage runs, and its line when it is done.
func (t *Terminal) Progress(e publish.Event) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case e.Finished:
		t.clear()
		line := fmt.Sprintf("%-8s ✓  %s", e.Stage, stageText(e))
		t.show(line + strings.Repeat(" ", max(2, 72-len([]rune(line)))) + Duration(e.Took))
	case t.Bar && !t.lent && e.Total > 0 && time.Since(t.last) >= redraw:
		t.clear()
		t.last = time.Now()
		const width = 24
		full := e.Done * width / e.Total
		fmt.Fprintf(t.W, "%-8s [%s%s] %d/%d  %s", e.Stage, strings.Repeat("█", full), strings.Repeat("·", width-full), e.Done, e.Total, escape.Text(e.Note))
		t.drawn = true
	}
}

// stageText is `33/33   note`; the plan has no count worth telling.
func stageText(e publish.Event) string {
	if e.Stage == publish.StagePlan {
		return escape.Text(e.Note)
	}
	return fmt.Sprintf("%d/%d   %s", e.Done, e.Total, escape.Text(e.Note))
}

// Warn writes a line that the person should see, once.
func (t *Terminal) Warn(message string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.clear()
	t.show("warning: " + escape.Text(message))
}

// show writes a line, or keeps it until a builder gives the terminal back.
func (t *Terminal) show(line string) {
	if t.lent {
		t.held = append(t.held, line)
		return
	}
	fmt.Fprintln(t.W, line)
}

// BuildOutput lends the terminal to a builder, for its own bars; a builder that runs at the same time shows nothing. Where
// the output is no terminal, it is the builder's lines.
func (t *Terminal) BuildOutput(image string) io.WriteCloser {
	t.mu.Lock()
	if file, ok := t.W.(*os.File); ok && t.Bar && !t.Lines {
		defer t.mu.Unlock()
		if t.lent {
			return nil
		}
		t.clear()
		t.lent = true
		return &drawing{of: t, file: file}
	}
	if t.builds == nil {
		t.builds = &builds{
			mu:    &t.mu,
			begin: func(image string) { t.clear(); fmt.Fprintf(t.W, "%-8s    %s\n", publish.StageBuild, image) },
			line:  func(line string) { fmt.Fprintln(t.W, "  "+line) },
			end:   func() {},
		}
	}
	t.mu.Unlock()
	return t.builds.open(image)
}

// Close takes away the bar of a stage that did not finish.
func (t *Terminal) Close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.clear()
}

func (t *Terminal) clear() {
	if t.drawn {
		fmt.Fprint(t.W, "\r\x1b[2K")
		t.drawn = false
	}
}

func or(a, b string) string {
	if a == "" {
		return b
	}
	return a
}
