package image

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"time"

	"github.com/google/go-containerregistry/pkg/name"

	"github.com/taglast/taglast/internal/buildx"
	"github.com/taglast/taglast/internal/registry"
	"github.com/taglast/taglast/pkg/release"
)

// Env is what a run gives a source to work with.
type Env struct {
	Registry         Registry           // the run's clients; nil suffices for a Local source
	Dir              string             // the folder of the release file: relative paths start here
	Repositories     []name.Repository  // where the image goes; nil where that is not known
	Platforms        []release.Platform // asked for; more are kept, but for a Dockerfile
	KeepAttestations bool               // keep BuildKit's unknown/unknown children

	// TempDir gives a new directory of the run, which removes it with all that is in it once it ends: Workspace.Dir. nil
	// is an error for a source that asks.
	TempDir func() (string, error)
	// Built gives another image of the release, which is built first: what Siblings hands to each build. nil is an error
	// for a source that asks.
	Built func(ctx context.Context, image string) (Built, error)

	// Of a Dockerfile:

	Builder *buildx.Client // runs the builds of the run; nil is an error
	// CacheReadOnly leaves caches unwritten, those of another place than the image itself: a dry run writes nothing.
	CacheReadOnly bool
	Output        func() io.WriteCloser                        // gives what a build's output goes to, as buildx.Job has it; nil: nobody watches
	Created       func(ctx context.Context) (time.Time, error) // the image's date, for SOURCE_DATE_EPOCH; nil, or a zero date: 1970

	labels func(ctx context.Context) (map[string]string, error) // of the request, with its defaults
	sbom   bool                                                 // the request wants an SBOM of the builder
}

// Registry is what sources need of a registry.
type Registry interface {
	Repository(name.Repository) *registry.Client
}

// withDefaults is env with functions that refuse in the place of those that are not given.
func (env Env) withDefaults() Env {
	if env.TempDir == nil {
		env.TempDir = func() (string, error) { return "", errors.New("this run has no temporary directory") }
	}
	if env.Built == nil {
		env.Built = func(_ context.Context, image string) (Built, error) {
			return Built{}, fmt.Errorf("image %s: this run builds only one image", image)
		}
	}
	if env.Created == nil {
		env.Created = noDate
	}
	if env.labels == nil {
		env.labels = func(context.Context) (map[string]string, error) { return nil, nil }
	}
	return env
}

// path is p within Dir, unless it is absolute.
func (env Env) path(p string) string {
	if filepath.IsAbs(p) {
		return p
	}
	return filepath.Join(env.Dir, p)
}

// uploadHint is a hint for a directory or pattern in which the jobs of a matrix left too little: what it has, and what is
// likely wrong.
func (env Env) uploadHint(what string) string {
	jobs := "all"
	if len(env.Platforms) == 2 {
		jobs = "both"
	}
	return fmt.Sprintf("%s. Is `merge-multiple: true` set on download-artifact, and did %s build jobs upload?", what, jobs)
}
