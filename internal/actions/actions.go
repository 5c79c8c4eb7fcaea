// Package actions speaks with the GitHub Actions runner: inputs, workflow commands on its log (masks, groups,
// annotations), step outputs, the job summary and artifact declarations, and the ID token endpoint.
//
// It is go-githubactions with what that library leaves to its callers. A write that fails panics there, and is an error
// here (issue). Four things are done by hand, each for a reason that stands beside it: the delimiter of an output, the
// escaping of foreign text, the limits of files, and the ID token.
//
// Outside of Actions the same calls write plain lines, or nothing. The formats are those of GitHub's "Workflow commands
// for GitHub Actions" and "OpenID Connect reference".
package actions

import (
	"io"
	"strings"
	"sync"

	"github.com/sethvargo/go-githubactions"

	"github.com/taglast/taglast/internal/escape"
)

// Runner is the runner of this job, as its environment describes it. It is safe for concurrent use.
type Runner struct {
	getenv func(string) string
	action *githubactions.Action

	mu     sync.Mutex // around what is written: the library has none
	out    io.Writer  // the step's log
	masked map[string]bool
}

// New returns the Runner that an environment describes (getenv is os.Getenv in a program). The step's log is read from
// out.
func New(getenv func(string) string, out io.Writer) *Runner {
	out = log{out}
	return &Runner{
		getenv: getenv, out: out, masked: map[string]bool{},
		action: githubactions.New(githubactions.WithWriter(out), githubactions.WithGetenv(getenv)),
	}
}

// log is the step's log. One that cannot be written to is no reason to stop a release, so its errors end here.
type log struct{ w io.Writer }

func (l log) Write(p []byte) (int, error) {
	_, _ = l.w.Write(p)
	return len(p), nil
}

// Active reports whether this is a job of GitHub Actions: the word true alone says so, whereas the library's context
// takes whatever Go takes for true.
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
		r.action.AddMask(line)
	}
}

// Group begins a group of log lines that the viewer folds; groups do not nest.
func (r *Runner) Group(title string) {
	title = escape.Text(title)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.Active() {
		r.action.Group(title)
		return
	}
	r.line(title)
}

// EndGroup ends the group.
func (r *Runner) EndGroup() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.Active() {
		r.action.EndGroup()
	}
}

// Error writes an error annotation, or "error: …" outside of Actions. Foreign text in title and message cannot act;
// line breaks of the message are kept.
func (r *Runner) Error(title, message string) { r.annotate("error", title, message) }

// Warning is Error for warnings.
func (r *Runner) Warning(title, message string) { r.annotate("warning", title, message) }

// annotate writes an annotation of a level: error or warning. The library escapes what would end a command; what acts
// within its text, in a terminal or in the log's viewer, is escaped before.
func (r *Runner) annotate(level, title, message string) {
	title, message = escape.Text(title), escape.Lines(message)
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.Active() {
		if title != "" {
			message = title + ": " + message
		}
		r.line(level + ": " + message)
		return
	}
	command := githubactions.Command{Name: level, Message: message}
	if title != "" {
		command.Properties = githubactions.CommandProperties{"title": title}
	}
	r.action.IssueCommand(&command)
}

// line writes s as one line, in one write, so that other writers to the same file cannot split it.
func (r *Runner) line(s string) { _, _ = io.WriteString(r.out, s+"\n") }
