package image

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/google/go-containerregistry/pkg/name"

	"github.com/taglast/taglast/internal/buildx"
	"github.com/taglast/taglast/internal/escape"
	"github.com/taglast/taglast/internal/hint"
	"github.com/taglast/taglast/internal/provenance"
	"github.com/taglast/taglast/pkg/release"
)

// dockerfileSource is a Dockerfile that buildx builds, for all platforms in one build.
type dockerfileSource release.DockerfileSource

func newDockerfile(s release.DockerfileSource) Source { return dockerfileSource(s) }

// Repositories are none: the builder reads base images, not this program.
func (dockerfileSource) Repositories() []name.Repository { return nil }

// Local is false: a builder is asked, and reads base images.
func (dockerfileSource) Local() bool { return false }

var errNoBuilder = errors.New("dockerfile: this run has no builder")

func (s dockerfileSource) check(ctx context.Context, env Env) error {
	if env.Builder == nil {
		return errNoBuilder
	}
	return env.Builder.Check(ctx, s.request(env))
}

// checkFiles is the part of check that a plan does, which needs no builder.
func (s dockerfileSource) checkFiles(env Env) error { return s.request(env).CheckFiles() }

// gather builds, and reads what the builder left as a layout of the source oci is read.
func (s dockerfileSource) gather(ctx context.Context, env Env) (gathered, error) {
	if env.Builder == nil {
		return gathered{}, errNoBuilder
	}
	request := s.request(env)
	var inherited []provenance.Dependency // of the images that this one is built on
	for i, c := range s.Contexts {
		if c.Image == "" {
			continue
		}
		context, from, err := env.imageContext(ctx, c)
		if err != nil {
			return gathered{}, err
		}
		request.Contexts[i], inherited = context, append(inherited, from...)
	}
	var err error
	if request.Labels, err = env.labels(ctx); err != nil {
		return gathered{}, err
	}
	if request.Created, err = env.Created(ctx); err != nil {
		return gathered{}, err
	}
	result, err := env.Builder.Build(ctx, request, buildx.Job{TempDir: env.TempDir, Output: env.Output})
	if err != nil {
		return gathered{}, err
	}
	trees, err := s.read(ctx, env, result.Layout)
	if err != nil {
		return gathered{}, hint.With(fmt.Errorf("what the builder left: %w", err), "run it again; if it comes back, the builder is at fault: `docker buildx inspect` names it")
	}
	return gathered{
		sources: trees, dependencies: slices.Concat(result.Dependencies, inherited), byBuilder: true,
		hint: "the builder gave another set of platforms than it was asked for: `docker buildx inspect` names those it builds",
	}, nil
}

func (s dockerfileSource) read(ctx context.Context, env Env, dir string) ([]sourceImage, error) {
	l, err := openLayout(dir, "the build of "+filepath.ToSlash(s.File))
	if err != nil {
		return nil, err
	}
	return l.images(ctx, "", env.KeepAttestations)
}

// request is the build without what only gather can tell: labels, the date, and contexts that are images.
func (s dockerfileSource) request(env Env) buildx.Request {
	r := buildx.Request{
		Dir: env.Dir, File: s.File, Context: s.Context, Target: s.Target,
		Builder: s.Builder, Pull: s.Pull, NoCache: s.NoCache, NoCacheFilters: s.NoCacheFilters,
		AddHosts: s.AddHosts, Allow: s.Allow, Network: s.Network, ShmSize: s.ShmSize, Ulimits: s.Ulimits, SSH: s.SSH,
		Provenance: env.KeepAttestations, SBOM: env.sbom,
	}
	for _, p := range env.Platforms {
		r.Platforms = append(r.Platforms, p.String())
	}
	for _, a := range s.Args {
		r.Args = append(r.Args, buildx.Arg(a))
	}
	for _, x := range s.Secrets {
		r.Secrets = append(r.Secrets, buildx.Secret(x))
	}
	for _, c := range s.Contexts {
		r.Contexts = append(r.Contexts, buildx.NamedContext{Name: c.Name, Value: c.Value})
	}
	for _, c := range s.CacheFrom {
		r.CacheFrom = append(r.CacheFrom, c.Text)
	}
	for _, c := range s.CacheTo {
		if env.CacheReadOnly && c.Kind != "inline" { // which is a part of the image
			continue
		}
		r.CacheTo = append(r.CacheTo, c.Text)
	}
	return r
}

// imageContext is another image of the release as a context: built first, and handed over as a layout. With it come the
// dependencies of that image, which the builder cannot know.
func (env Env) imageContext(ctx context.Context, c release.NamedContext) (buildx.NamedContext, []provenance.Dependency, error) {
	b, err := env.Built(ctx, c.Image)
	if err != nil {
		return buildx.NamedContext{}, nil, err
	}
	dir, err := b.layout(ctx, env.TempDir)
	if err != nil {
		return buildx.NamedContext{}, nil, fmt.Errorf("context %s: image %s: %w", escape.Bounded(c.Name, 100), c.Image, err)
	}
	return buildx.NamedContext{Name: c.Name, Layout: dir, Digest: b.Root().Digest.String()}, b.Dependencies(), nil
}

// noDate is Created of an Env that has none.
func noDate(context.Context) (time.Time, error) { return time.Time{}, nil }
