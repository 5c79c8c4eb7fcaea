// Package actions speaks with the GitHub Actions runner: workflow commands on its log (masks, groups, annotations), the
// job summary, step outputs, and the ID token endpoint.
//
// Outside of Actions the same calls write plain lines, or nothing. The formats are those of GitHub's "Workflow commands
// for GitHub Actions" and "OpenID Connect reference".
package actions

import (
	"io"
	"strings"
	"sync"

	"github.com/taglast/taglast/internal/escape"
)

// Runner is the runner of this job, as its environment describes it. It is safe for concurrent use.
type Runner struct {
	getenv func(string) string

	mu     sync.Mutex
	out    io.Writer // the step's log
	masked map[string]bool
}

// New returns the Runner that an environment describes (getenv is os.Getenv in a program). The step's log is read from
// out.
func New(getenv func(string) string, out io.Writer) *Runner {
	return &Runner{getenv: getenv, out: out, masked: map[string]bool{}}
}

// Active reports whether this is a job of GitHub Actions.
func (r *Runner) Active() bool { return r.getenv("GITHUB_ACTIONS") == "true" }

// Mask makes the runner hide secret in everything that it logs from now on, each line of it by itself, because the log
// is masked line by line. Outside of Actions nothing is written.
func (r *Runner) Mask(secret string) {
	if !r.Active() {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for line := range strings.FieldsFuncSeq(secret, func(c rune) bool { return c == '\n' || c == '\r' }) {
		if strings.TrimSpace(line) == "" || r.masked[line] {
			continue
		}
		r.masked[line] = true
		r.write("::add-mask::" + escape.CommandData(line) + "\n")
	}
}

// Group begins a group of log lines that the viewer folds; groups do not nest.
func (r *Runner) Group(title string) {
	title = escape.Text(title)
	if r.Active() {
		title = "::group::" + escape.CommandData(title)
	}
	r.line(title)
}

// EndGroup ends the group.
func (r *Runner) EndGroup() {
	if r.Active() {
		r.line("::endgroup::")
	}
}

// Error writes an error annotation, or "error: …" outside of Actions. Foreign text in title and message cannot act;
// line breaks of the message are kept.
func (r *Runner) Error(title, message string) { r.annotate("error", title, message) }

// Warning is Error for warnings.
func (r *Runner) Warning(title, message string) { r.annotate("warning", title, message) }

// annotate writes an annotation of a level: error or warning.
func (r *Runner) annotate(level, title, message string) {
	title, message = escape.Text(title), escape.Lines(message)
	if !r.Active() {
		if title != "" {
			message = title + ": " + message
		}
		r.line(level + ": " + message)
		return
	}
	command := "::" + level
	if title != "" {
		command += " title=" + escape.CommandProperty(title)
	}
	r.line(command + "::" + escape.CommandData(message))
}

// line writes s as one line.
func (r *Runner) line(s string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.write(s + "\n")
}

// write calls Write once for a whole command, so that other writers to the same file cannot split it. A log that cannot
// be written to is no reason to stop a release.
func (r *Runner) write(s string) { _, _ = io.WriteString(r.out, s) }
