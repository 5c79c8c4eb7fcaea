package buildx

import (
	"bytes"
	"io"
	"os"
	"strings"
	"sync"

	"github.com/taglast/taglast/internal/escape"
)

const (
	maxLine      = 64 << 10 // of a line that the builder writes; the rest of it is dropped
	maxShownLine = 2 << 10
	tailLines    = 40 // what is kept for an error
	tailBytes    = 16 << 10
)

// lines takes a builder's output apart into lines, and passes each on masked and inert. It keeps the last of them.
type lines struct {
	to   io.Writer // nil: nobody watches
	mask *mask

	mu      sync.Mutex
	pending []byte
	tail    []string
	size    int // of the tail
}

// Write never fails: a build does not end because nobody can see it.
func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := len(p)
	for {
		line, rest, found := bytes.Cut(p, []byte("\n"))
		l.pending = append(l.pending, line[:min(len(line), maxLine-len(l.pending))]...)
		if !found {
			return n, nil
		}
		l.flush()
		p = rest
	}
}

// end passes on what no line break ended, and gives the last lines.
func (l *lines) end() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.pending) > 0 {
		l.flush()
	}
	return l.tail
}

func (l *lines) flush() {
	// Twice: a secret may hold a sequence, and a sequence may part a secret.
	line := inertLine(l.mask.hide(withoutSequences(l.mask.hide(l.pending))))
	l.pending = l.pending[:0]
	if l.to != nil {
		_, _ = io.WriteString(l.to, line+"\n")
	}
	l.tail = append(l.tail, line)
	l.size += len(line)
	for len(l.tail) > tailLines || l.size > tailBytes {
		l.size -= len(l.tail[0])
		l.tail = l.tail[1:]
	}
}

// inertLine is a line of a program as people see it: a carriage return ends what the rest writes over, a tab is blanks, and
// whatever else would act on a terminal or the runner is escaped.
func inertLine(raw []byte) string {
	raw = bytes.TrimRight(raw, "\r")
	if i := bytes.LastIndexByte(raw, '\r'); i >= 0 {
		raw = raw[i+1:]
	}
	return escape.Bounded(strings.ReplaceAll(string(raw), "\t", "    "), maxShownLine)
}

// withoutSequences leaves out the control sequences of ECMA-48 (ESC [ … letter), of which colours and cursor movements
// are made. Any other escape stays, for escape.Bounded to show.
func withoutSequences(raw []byte) []byte {
	if bytes.IndexByte(raw, 0x1b) < 0 {
		return raw
	}
	out := make([]byte, 0, len(raw))
	for i := 0; i < len(raw); i++ {
		if raw[i] != 0x1b || i+1 == len(raw) || raw[i+1] != '[' {
			out = append(out, raw[i])
			continue
		}
		for i += 2; i < len(raw) && raw[i] >= 0x20 && raw[i] <= 0x3f; i++ { // parameter and intermediate bytes
		}
	}
	return out
}

// terminal is the terminal that a writer shows its lines on, nil where it is none: the method Terminal gives it.
func terminal(w io.Writer) *os.File {
	t, ok := w.(interface{ Terminal() *os.File })
	if !ok {
		return nil
	}
	return t.Terminal()
}
