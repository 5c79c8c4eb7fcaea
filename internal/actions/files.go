package actions

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"runtime"
	"strings"

	"github.com/sethvargo/go-githubactions"

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
	if r.getenv("GITHUB_STEP_SUMMARY") == "" || markdown == "" {
		return nil
	}
	if err := r.appendFile("step-summary", strings.TrimSuffix(markdown, "\n"), maxSummary); err != nil {
		return fmt.Errorf("job summary: %w", err)
	}
	return nil
}

// Output sets an output of this step. Without GITHUB_OUTPUT it does nothing. It refuses a name that expressions cannot
// refer to, and a value that holds NUL or a carriage return, or is longer than 1 MiB.
//
// The delimiter around the value is random, so that no value can end it and set another output. The library's own
// SetOutput has the same delimiter for every value, which is how CVE-2022-35954 came about.
func (r *Runner) Output(name, value string) error {
	if r.getenv("GITHUB_OUTPUT") == "" {
		return nil
	}
	return r.output(name, value, "taglast_"+rand.Text())
}

func (r *Runner) output(name, value, delimiter string) error {
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
	if err := r.appendFile("output", name+"<<"+delimiter+"\n"+value+"\n"+delimiter, 0); err != nil {
		return fmt.Errorf("output %s: %w", name, err)
	}
	return nil
}

// appendFile appends text and a line break, in one write, to the file that the runner offers for a command. A file that
// would be longer than limit stays as it is, for the library knows no limits; 0 is none.
func (r *Runner) appendFile(command, text string, limit int64) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if limit > 0 {
		path := r.getenv("GITHUB_" + strings.ToUpper(inputName(command)))
		info, err := os.Stat(path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return err
		case info.Size()+int64(len(text))+1 > limit:
			return fmt.Errorf("%d bytes, with %d that are there: at most %d are allowed", len(text)+1, info.Size(), limit)
		}
		if int64(len(text))+1 > limit {
			return fmt.Errorf("%d bytes: at most %d are allowed", len(text)+1, limit)
		}
	}
	return issue(func() { r.action.IssueFileCommand(&githubactions.Command{Name: command, Message: text}) })
}

// issue has the library write. It panics where it cannot, with an error, which is the result. This is the only place
// where its panics can come from: the log's writes do not fail.
func issue(write func()) (err error) {
	defer func() {
		switch cause := recover().(type) {
		case nil:
		case runtime.Error: // a mistake of a program, not a write
			panic(cause)
		case error:
			err = cause
		default:
			panic(cause)
		}
	}()
	write()
	return nil
}
