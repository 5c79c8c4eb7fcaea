package view

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"sync"

	"github.com/taglast/taglast/internal/escape"
)

const (
	maxHeldLines = 5000     // of a builder that waits for its turn; the first are left out
	maxLine      = 16 << 10 // bytes; a longer line is broken
)

// builds shows the output of builders that run at the same time: that of one as it comes, and that of each other one
// when its turn has come. Its fields are set before it is used; mu is the observer's own.
type builds struct {
	mu    *sync.Mutex
	begin func(image string)
	line  func(string)
	end   func()

	shown   *build
	waiting []*build
}

// build is the output of one builder. It implements io.WriteCloser.
type build struct {
	of      *builds
	image   string
	partial []byte   // a line that has not ended
	held    []string // lines that wait for its turn
	left    int      // lines that were left out of held
	closed  bool
}

// open gives the output of an image's builder. mu is not held.
func (b *builds) open(image string) io.WriteCloser {
	b.mu.Lock()
	defer b.mu.Unlock()
	one := &build{of: b, image: image}
	b.waiting = append(b.waiting, one)
	b.next()
	return one
}

// next shows whose turn it is, until one of them has not ended. mu is held.
func (b *builds) next() {
	for b.shown == nil && len(b.waiting) > 0 {
		one := b.waiting[0]
		b.waiting = b.waiting[1:]
		b.begin(one.image)
		if one.left > 0 {
			b.line(fmt.Sprintf("… %s left out", plural(one.left, "line")))
		}
		for _, line := range one.held {
			b.line(line)
		}
		one.held = nil
		if one.closed {
			b.end()
			continue
		}
		b.shown = one
	}
}

// Write shows or holds each line that has ended. It never fails.
func (o *build) Write(p []byte) (int, error) {
	o.of.mu.Lock()
	defer o.of.mu.Unlock()
	o.partial = append(o.partial, p...)
	for {
		line, rest, ended := bytes.Cut(o.partial, []byte("\n"))
		if !ended && len(line) <= maxLine {
			return len(p), nil
		}
		if len(line) > maxLine {
			line, rest = o.partial[:maxLine], o.partial[maxLine:]
		}
		o.partial = rest
		o.add(line)
	}
}

// add shows or holds a line.
func (o *build) add(raw []byte) {
	line := escape.Text(string(bytes.TrimSuffix(raw, []byte("\r"))))
	if o.of.shown == o {
		o.of.line(line)
		return
	}
	if len(o.held) == maxHeldLines {
		o.held = o.held[1:]
		o.left++
	}
	o.held = append(o.held, line)
}

// Close ends the output, and gives the turn to the next builder. It may be called again.
func (o *build) Close() error {
	o.of.mu.Lock()
	defer o.of.mu.Unlock()
	if o.closed {
		return nil
	}
	if len(o.partial) > 0 {
		o.add(o.partial)
		o.partial = nil
	}
	o.closed = true
	if o.of.shown == o {
		o.of.shown = nil
		o.of.end()
		o.of.next()
	}
	return nil
}

// drawing is a builder that draws its own bars on the terminal. It implements io.WriteCloser and publish.Terminal.
type drawing struct {
	of   *Terminal
	file *os.File
	once sync.Once
}

// Terminal is what the builder draws on.
func (d *drawing) Terminal() *os.File { return d.file }

// Write writes what is not drawn, a line or more.
func (d *drawing) Write(p []byte) (int, error) { return d.file.Write(p) }

// Close gives the terminal back: warnings that came meanwhile are shown now.
func (d *drawing) Close() error {
	d.once.Do(func() {
		d.of.mu.Lock()
		defer d.of.mu.Unlock()
		d.of.lent = false
		for _, line := range d.of.held {
			fmt.Fprintln(d.of.W, line)
		}
		d.of.held = nil
	})
	return nil
}
