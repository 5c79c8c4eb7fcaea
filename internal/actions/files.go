package actions

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"

	"github.com/taglast/taglast/internal/escape"
)

const (
	maxSummary = 1 << 20 // of one step; the runner drops a longer one whole
	maxOutput  = 1 << 20 // of one output; GitHub allows a job's outputs 1 MiB together
)

// outputName matches the output names that expressions can refer to.
var outputName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]{0,99}$`)

// Summary appends Markdown to the job summary of this step. Without GITHUB_STEP_SUMMARY it does nothing. Text that would
// bring the file over 1 MiB is an error and is not written: the runner would drop the summary whole.
func (r *Runner) Summary(markdown string) error {
	path := r.getenv("GITHUB_STEP_SUMMARY")
	if path == "" || markdown == "" {
		return nil
	}
	if !strings.HasSuffix(markdown, "\n") {
		markdown += "\n"
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := appendFile(path, markdown, maxSummary); err != nil {
		return fmt.Errorf("job summary: %w", err)
	}
	return nil
}

// Output sets an output of this step. Without GITHUB_OUTPUT it does nothing. It refuses a name that expressions cannot
// refer to, and a value that holds NUL or a carriage return, or is longer than 1 MiB. The delimiter around the value is
// random, so that no value can end it and set another output.
func (r *Runner) Output(name, value string) error {
	path := r.getenv("GITHUB_OUTPUT")
	if path == "" {
		return nil
	}
	return r.output(path, name, value, "taglast_"+rand.Text())
}

func (r *Runner) output(path, name, value, delimiter string) error {
	switch {
	case !outputName.MatchString(name):
		return fmt.Errorf("output %q: not a name for an output", escape.Bounded(name, 100))
	case strings.ContainsAny(value, "\x00\r"):
		return fmt.Errorf("output %s: the value holds NUL or a carriage return", name)
	case len(value) > maxOutput:
		return fmt.Errorf("output %s: %d bytes, at most %d are allowed", name, len(value), maxOutput)
	case strings.Contains(value, delimiter):
		return fmt.Errorf("output %s: the value holds the delimiter", name)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := appendFile(path, name+"<<"+delimiter+"\n"+value+"\n"+delimiter+"\n", 0); err != nil {
		return fmt.Errorf("output %s: %w", name, err)
	}
	return nil
}

// appendFile appends text in one write. A file that would be longer than limit stays as it is; 0 is no limit.
func appendFile(path, text string, limit int64) (err error) {
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if limit > 0 && info.Size()+int64(len(text)) > limit {
		return fmt.Errorf("%d bytes, with %d that are there: at most %d are allowed", len(text), info.Size(), limit)
	}
	_, err = f.WriteString(text)
	return err
}
