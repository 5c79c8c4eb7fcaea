package publish

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/taglast/taglast/internal/buildx"
	"github.com/taglast/taglast/internal/image"
	"github.com/taglast/taglast/internal/ociref"
	"github.com/taglast/taglast/internal/registry"
)

// build makes or adopts an image and compares the fixed tags with what was made: a published version is never written
// over. An image that cannot be had in a dry run is passed over.
func (r *run) build(ctx context.Context, rec *record) error {
	built, err := r.siblings.Build(ctx, rec.name())
	if r.mode.dryRun() && (errors.Is(err, registry.ErrDenied) || errors.Is(err, buildx.ErrDenied)) {
		rec.passedOver = err.Error()
		r.o.Observer.Warn(fmt.Sprintf("image %s is skipped: %v", rec.name(), err))
		if !r.isFirst(rec) {
			r.others.done()
		}
		if rec.usesBuilder() {
			r.builders.done()
		}
		return nil
	}
	if err != nil {
		return err
	}
	if err := r.guardBuilt(ctx, rec, built); err != nil {
		return err
	}
	if rec.sboms, err = r.sboms(ctx, rec, built); err != nil {
		return err
	}
	rec.built = built
	if rec.usesBuilder() {
		r.builders.done()
	}
	return nil
}

// buildSibling builds or adopts an image of the run, or builds one that images of the run are built from; built gives it the
// others.
func (r *run) buildSibling(ctx context.Context, name string, built func(context.Context, string) (image.Built, error)) (image.Built, error) {
	rec := r.byName[name]
	if rec == nil {
		return image.Built{}, fmt.Errorf("image %s is not part of this run", name)
	}
	if !r.o.Rebuild {
		b, err := r.adopt(ctx, rec)
		if err != nil || b.Ok() {
			return b, err
		}
	}
	slot := &buildSlot{free: r.building}
	if err := slot.take(ctx); err != nil {
		return image.Built{}, err
	}
	defer slot.give()
	request := r.request(rec)
	request.Env.Built = func(ctx context.Context, other string) (image.Built, error) { return slot.waitFor(ctx, other, built) }
	if err := r.check(ctx, rec.name(), request); err != nil {
		return image.Built{}, err
	}
	return image.Build(ctx, request)
}

// check finds what is wrong with a request before it is built.
func (r *run) check(ctx context.Context, name string, request image.Request) error {
	return r.wrongRequest(name, request.Check(ctx))
}

// wrongRequest is the run's error for that of a request: wrong usage where the release file or the machine is at fault.
func (r *run) wrongRequest(name string, err error) error {
	var wrong *buildx.UsageError
	var file *image.SBOMFileError
	switch {
	case errors.As(err, &wrong):
		return usage(name, fmt.Errorf("image %s: %w", name, err))
	case errors.As(err, &file):
		return usage(name, err)
	}
	return at(StagePlan, name, "", err)
}

// request asks for an image to be built.
func (r *run) request(rec *record) image.Request {
	return image.Request{
		Name: rec.name(), Source: rec.source,
		Env: image.Env{
			Registry: r.clients, Dir: r.o.File.Dir, Repositories: rec.repos, Platforms: rec.file.Platforms, KeepAttestations: rec.file.KeepAttestations,
			TempDir: r.workspace.Dir, Builder: r.builder, Created: r.createdAt, CacheReadOnly: r.mode.dryRun(),
			Output: func() io.WriteCloser { return r.o.Observer.BuildOutput(rec.name()) },
		},
		Annotations: rec.file.Annotations, Defaults: r.defaults(rec), Labels: rec.file.Labels, SBOM: rec.file.SBOM,
	}
}

// checkSources finds what is wrong with any image that can be told without a network, before the first is sent. An image
// of which a fixed tag is there may be adopted, and is then not built: it is checked only if it must be.
func (r *run) checkSources(ctx context.Context) error {
	for _, rec := range r.published() {
		mayBeAdopted := slices.ContainsFunc(rec.wantedTags(), func(t plannedTag) bool {
			digest, _ := r.current.of(t)
			return t.fixed() && digest != ""
		})
		if mayBeAdopted && !r.o.Rebuild {
			continue
		}
		r.warnOfContext(rec)
		if err := r.check(ctx, rec.name(), r.request(rec)); err != nil {
			return err
		}
		r.warnOfLargeFiles(rec.plannedImage)
	}
	return nil
}

// guardBuilt is the fixed tags' guard after the build.
func (r *run) guardBuilt(ctx context.Context, rec *record, b image.Built) error {
	here := b.Root().Digest.String()
	for _, t := range rec.wantedTags() {
		seen, _ := r.current.of(t)
		if !t.fixed() || seen == "" || seen == here {
			continue
		}
		return &Error{
			Stage: StageBuild, Image: rec.name(), Ref: t.ref(),
			Err:    fmt.Errorf("%s exists with another digest", t.ref()),
			Detail: fmt.Sprintf("%s\nhere   %s  built from %.7s", r.describeThere(ctx, seen), here, r.claims.SHA),
			Hint: fmt.Sprintf("a published version is not overwritten. Release another version; or publish what is there to the other registries:\nsource: {image: %s@%s}",
				ociref.DisplayName(t.repo), seen),
		}
	}
	return nil
}
