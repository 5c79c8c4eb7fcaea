package buildx

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/taglast/taglast/internal/bounded"
	"github.com/taglast/taglast/internal/buildcontext"
	"github.com/taglast/taglast/internal/escape"
	"github.com/taglast/taglast/internal/hint"
)

var errOfKernel = errors.New("it shows what runs on this machine, the environment of this job too, and is not given to a build")

// UsageError is an error of a request that can be told without a build: what it names is not there, or the machine has
// nothing that could build it.
type UsageError struct{ err error }

func (e *UsageError) Error() string { return e.err.Error() }

// Unwrap is the cause, which carries the hint.
func (e *UsageError) Unwrap() error { return e.err }

// Check says what is wrong with a request before anything is built: folders and files that are not there, variables that
// are not set, no buildx, a builder that is unknown or cannot do it. What it finds is a *UsageError; the only other error
// is that ctx has ended.
func (c *Client) Check(ctx context.Context, r Request) error {
	err := c.check(ctx, r)
	if err != nil && ctx.Err() == nil {
		return &UsageError{err}
	}
	return err
}

// CheckFiles is the part of Check that looks at folders and the Dockerfile alone: it needs no builder and no variables.
func (r Request) CheckFiles() error {
	if err := r.checkPaths(); err != nil {
		return &UsageError{err}
	}
	return nil
}

func (r Request) checkPaths() error {
	if !buildcontext.IsAddress(r.Context) {
		if err := r.checkFiles(); err != nil {
			return err
		}
	}
	return r.checkContexts()
}

func (c *Client) check(ctx context.Context, r Request) error {
	if err := r.checkPaths(); err != nil {
		return err
	}
	if err := r.checkSecrets(); err != nil {
		return err
	}
	if _, err := c.environ.environ(r); err != nil {
		return err
	}
	b, err := c.inspect(ctx, r.Dir, r.Builder)
	if err != nil {
		return err
	}
	return b.can(r)
}

// checkFiles looks for the context's folder and for the Dockerfile in it.
func (r Request) checkFiles() error {
	folder := r.path(r.Context)
	shown := escape.Bounded(filepath.ToSlash(local(r.Context)), 200)
	info, err := os.Stat(folder)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return hint.With(fmt.Errorf("context %s: there is no such folder", shown), "it is relative to the folder of the release file; is the checkout there?")
	case err != nil:
		return fmt.Errorf("context %s: %w", shown, bounded.WithoutPath(err))
	case !info.IsDir():
		return hint.With(fmt.Errorf("context %s: a file, not a folder", shown), "a context is a folder, or a Git or https URL")
	case ofKernel(folder):
		return fmt.Errorf("context %s: %w", shown, errOfKernel)
	}
	return r.checkDockerfile(folder, shown)
}

func (r Request) checkDockerfile(folder, shownFolder string) error {
	file, shown := r.path(r.File), escape.Bounded(filepath.ToSlash(r.File), 200)
	if r.File == "" {
		file, shown = filepath.Join(folder, "Dockerfile"), "Dockerfile"
	}
	info, err := os.Stat(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return hint.With(fmt.Errorf("%s: there is no such Dockerfile", shown), "it is relative to the folder of the release file")
	case err != nil:
		return fmt.Errorf("%s: %w", shown, bounded.WithoutPath(err))
	case !info.Mode().IsRegular():
		return fmt.Errorf("%s: not a file, so no Dockerfile", shown)
	}
	inside, err := within(folder, file)
	if err != nil {
		return fmt.Errorf("%s: %w", shown, bounded.WithoutPath(err))
	}
	if !inside {
		return hint.With(fmt.Errorf("%s lies outside of its context %s", shown, shownFolder), "set `context` to a folder that holds both")
	}
	return nil
}

// kernelFolders show processes and devices as files, the environment of this job among them.
var kernelFolders = []string{"/proc", "/sys", "/dev"}

// ofKernel reports whether a path leads into one of them, links resolved. A path that is not there does not.
func ofKernel(path string) bool {
	resolved, err := filepath.EvalSymlinks(path)
	if err != nil {
		return false
	}
	if resolved, err = filepath.Abs(resolved); err != nil {
		return false
	}
	resolved = filepath.ToSlash(resolved)
	if strings.HasPrefix(resolved, "/dev/shm/") { // memory, which holds what somebody put there
		return false
	}
	return slices.ContainsFunc(kernelFolders, func(f string) bool { return resolved == f || strings.HasPrefix(resolved, f+"/") })
}

// within reports whether a file lies in a folder, links of both resolved.
func within(folder, file string) (bool, error) {
	var err error
	for _, p := range []*string{&folder, &file} {
		if *p, err = filepath.EvalSymlinks(*p); err != nil {
			return false, err
		}
		if *p, err = filepath.Abs(*p); err != nil {
			return false, err
		}
	}
	rel, err := filepath.Rel(folder, file)
	return err == nil && filepath.IsLocal(rel), nil //nolint:nilerr // two drives have no path between them
}

// checkContexts looks for the folders among the named contexts.
func (r Request) checkContexts() error {
	for _, c := range r.Contexts {
		if c.Layout != "" || c.Value == "" || buildcontext.IsAddress(c.Value) || strings.Contains(c.Value, "://") || strings.HasPrefix(c.Value, "target:") {
			continue
		}
		info, err := os.Stat(r.path(c.Value))
		what := fmt.Sprintf("context %s: %s", escape.Bounded(c.Name, 100), escape.Bounded(c.Value, 200))
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return hint.With(fmt.Errorf("%s: there is no such folder", what),
				"another image of this file is `image:NAME`, one of a registry `docker-image://REF`")
		case err != nil:
			return fmt.Errorf("%s: %w", what, bounded.WithoutPath(err))
		case !info.IsDir():
			return fmt.Errorf("%s: a file, not a folder", what)
		case ofKernel(r.path(c.Value)):
			return fmt.Errorf("%s: %w", what, errOfKernel)
		}
		if inside, err := r.linkStaysInside(c.Value); err != nil || !inside {
			return hint.With(fmt.Errorf("%s: a link leads out of the release file's folder", what), "name the folder that it leads to")
		}
	}
	return nil
}

// linkStaysInside reports whether a path that is written as one below the request's folder is there, links resolved.
func (r Request) linkStaysInside(path string) (bool, error) {
	if !filepath.IsLocal(filepath.FromSlash(path)) {
		return true, nil // it says itself that it is elsewhere
	}
	return within(r.path("."), r.path(path))
}

// checkSecrets looks for the files of secrets; their variables are looked for with the environment.
func (r Request) checkSecrets() error {
	for _, s := range r.Secrets {
		what := "secret " + escape.Bounded(s.ID, 100)
		if s.Env != "" {
			continue
		}
		if s.Src == "" {
			return hint.With(fmt.Errorf("%s: it has no value", what), "name a variable, `id=NAME,env=VAR`, or a file, `id=NAME,src=FILE`")
		}
		info, err := os.Stat(r.path(s.Src))
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return hint.With(fmt.Errorf("%s: there is no file %s", what, escape.Bounded(s.Src, 200)), "it is relative to the folder of the release file")
		case err != nil:
			return fmt.Errorf("%s: %s: %w", what, escape.Bounded(s.Src, 200), bounded.WithoutPath(err))
		case !info.Mode().IsRegular():
			return fmt.Errorf("%s: %s is not a file", what, escape.Bounded(s.Src, 200))
		case ofKernel(r.path(s.Src)):
			return fmt.Errorf("%s: %s: %w", what, escape.Bounded(s.Src, 200), errOfKernel)
		case info.Size() > maxSecretFile:
			return fmt.Errorf("%s: %s has %d bytes, and BuildKit takes at most %d", what, escape.Bounded(s.Src, 200), info.Size(), maxSecretFile)
		}
	}
	return nil
}
