package buildx

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/taglast/taglast/internal/bounded"
	"github.com/taglast/taglast/internal/provenance"
)

// maxMetadata bounds the file in which buildx describes a build.
const maxMetadata = 16 << 20

// sharedBuild is a build that everyone who asks for the same waits for.
type sharedBuild struct {
	done   chan struct{} // closed once the others are set
	result Result
	err    error
}

// Build runs a build and waits for it; where the same is asked for again, by another image or once more, it gives what the
// first left. An error tells what of the Dockerfile or of the builder failed: a *Error where the builder ended with one.
func (c *Client) Build(ctx context.Context, r Request, j Job) (Result, error) {
	key, err := r.key()
	if err != nil {
		return Result{}, err
	}
	for {
		c.mu.Lock()
		b, begun := c.builds[key]
		if !begun {
			b = &sharedBuild{done: make(chan struct{})}
			c.builds[key] = b
		}
		c.mu.Unlock()
		if !begun {
			b.result, b.err = c.build(ctx, r, j)
			if b.err != nil { // whoever asks from now on tries again
				c.mu.Lock()
				delete(c.builds, key)
				c.mu.Unlock()
			}
			close(b.done)
			return b.result, b.err
		}
		select {
		case <-ctx.Done():
			return Result{}, context.Cause(ctx)
		case <-b.done:
		}
		var ended *endedError // the one who built was told to stop, we are not
		if ctx.Err() != nil || !errors.As(b.err, &ended) {
			return b.result, b.err
		}
	}
}

// endedError says that a build was ended with its context.
type endedError struct{ cause error }

func (e *endedError) Error() string { return "the build was ended: " + e.cause.Error() }
func (e *endedError) Unwrap() error { return e.cause }

// build waits for its turn and runs one build.
func (c *Client) build(ctx context.Context, r Request, j Job) (Result, error) {
	p, err := c.findProgram()
	if err != nil {
		return Result{}, err
	}
	environ, err := c.environ.environ(r)
	if err != nil {
		return Result{}, err
	}
	select {
	case c.slots <- struct{}{}:
		defer func() { <-c.slots }()
	case <-ctx.Done():
		return Result{}, &endedError{context.Cause(ctx)}
	}
	layout, metadata, err := j.files()
	if err != nil {
		return Result{}, err
	}
	out := j.output()
	defer func() { _ = out.Close() }() // nobody's build fails because its output could not be shown
	if err := c.run(ctx, p, r, environ, layout, metadata, out); err != nil {
		return Result{}, errors.Join(err, removeFile(metadata))
	}
	raw, err := readMetadata(metadata)
	var dependencies []provenance.Dependency
	if err == nil {
		dependencies, err = r.dependencies(raw)
	}
	err = errors.Join(err, removeFile(metadata)) // it has the values of arguments
	if err != nil {
		return Result{}, fmt.Errorf("what the builder says of the build: %w", err)
	}
	return Result{Layout: layout, Dependencies: dependencies}, nil
}

// files are where a build leaves its layout, and where its metadata, each in a directory of its own.
func (j Job) files() (layout, metadata string, err error) {
	if j.TempDir == nil {
		return "", "", errors.New("a build needs a temporary directory")
	}
	dir, err := j.TempDir()
	if err != nil {
		return "", "", err
	}
	if dir, err = filepath.Abs(dir); err != nil { // the child runs in another one
		return "", "", err
	}
	return filepath.Join(dir, "layout"), filepath.Join(dir, "metadata.json"), nil
}

func (j Job) output() io.WriteCloser {
	if j.Output != nil {
		if out := j.Output(); out != nil {
			return out
		}
	}
	return discard{}
}

// discard is the output of a build that nobody watches.
type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }
func (discard) Close() error                { return nil }

// run runs the child. On a terminal it draws its own bars, unless there are secrets: what goes past this program cannot be
// rid of them.
func (c *Client) run(ctx context.Context, p program, r Request, environ []string, layout, metadata string, out io.Writer) error {
	screen := terminal(out)
	if len(r.Secrets) > 0 {
		screen = nil
	}
	cmd := newCommand(ctx, c.grace, p.command, r.arguments(layout, metadata, screen != nil))
	cmd.Dir, cmd.Env = r.Dir, environ
	output := &lines{to: out, mask: c.environ.mask(r)}
	cmd.Stdout, cmd.Stderr = output, output
	if screen != nil {
		cmd.Stderr = screen
	}
	err := runCommand(cmd)
	tail := output.end()
	switch {
	case ctx.Err() != nil:
		return &endedError{context.Cause(ctx)}
	case err == nil:
		return nil
	}
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		return fmt.Errorf("%s: %w", p.shown(), bounded.WithoutPath(err))
	}
	return explain(failed{program: p, request: r, tail: tail, screen: screen != nil, exit: exit})
}

// removeFile removes a file that need not be there.
func removeFile(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return bounded.WithoutPath(err)
	}
	return nil
}

func readMetadata(path string) ([]byte, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errors.New("it left no metadata file")
	}
	if err != nil {
		return nil, bounded.WithoutPath(err)
	}
	defer f.Close()
	raw, err := bounded.Read(f, maxMetadata)
	if errors.Is(err, bounded.ErrTooLarge) {
		return nil, fmt.Errorf("its metadata file has %w", err)
	}
	return raw, err
}
