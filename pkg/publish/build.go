package publish

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/google/go-containerregistry/pkg/name"

	"github.com/taglast/taglast/internal/image"
	"github.com/taglast/taglast/internal/registry"
	"github.com/taglast/taglast/pkg/release"
)

// build makes or adopts an image and compares the fixed tags with what was made: a published version is never written
// over. An image that cannot be had in a dry run is passed over.
func (r *run) build(ctx context.Context, rec *record) error {
	built, err := r.buildOrAdopt(ctx, rec)
	if r.mode.dryRun() && errors.Is(err, registry.ErrDenied) {
		rec.passedOver = err.Error()
		r.o.Observer.Warn(fmt.Sprintf("image %s is skipped: %v", rec.name(), err))
		if !r.isFirst(rec) {
			r.others.done()
		}
		return nil
	}
	if err != nil {
		return err
	}
	if err := r.guardBuilt(ctx, rec, built); err != nil {
		return err
	}
	rec.built = built
	return nil
}

func (r *run) buildOrAdopt(ctx context.Context, rec *record) (image.Built, error) {
	if !r.o.Rebuild {
		b, err := r.adopt(ctx, rec)
		if err != nil || b.Ok() {
			return b, err
		}
	}
	request := image.Request{
		Name: rec.name(), Dir: r.o.File.Dir, Source: rec.source, Platforms: rec.file.Platforms,
		Annotations: annotations(rec.file.Annotations), Defaults: r.defaults(rec), Labels: rec.file.Labels, InPlace: inPlace(rec), KeepAttestations: rec.file.KeepAttestations,
	}
	if err := request.Check(); err != nil {
		return image.Built{}, at(StagePlan, rec.name(), "", err)
	}
	return image.Build(ctx, r.clients, request)
}

// guardBuilt is the fixed tags' guard after the build.
func (r *run) guardBuilt(ctx context.Context, rec *record, b image.Built) error {
	here := b.Root().Digest.String()
	for _, t := range rec.wantedTags() {
		seen, _ := r.plan.current.of(t)
		if !t.fixed() || seen == "" || seen == here {
			continue
		}
		return &Error{
			Stage: StageBuild, Image: rec.name(), Ref: t.ref(),
			Err:    fmt.Errorf("%s exists with another digest", t.ref()),
			Detail: fmt.Sprintf("%s\nhere   %s  built from %.7s", r.describeThere(ctx, seen), here, r.claims.SHA),
			Hint: fmt.Sprintf("a published version is not overwritten. Release another version; or publish what is there to the other registries:\nsource: {image: %s@%s}",
				displayName(t.repo), seen),
		}
	}
	return nil
}

// inPlace says that an image is published where its source is, and nowhere else.
func inPlace(rec *record) bool {
	if rec.source.Image == nil {
		return false
	}
	from := rec.source.Image.Ref.Context().Name()
	return !slices.ContainsFunc(rec.repos, func(r name.Repository) bool { return r.Name() != from })
}

func annotations(in []release.Annotation) []image.Annotation {
	out := make([]image.Annotation, 0, len(in))
	for _, a := range in {
		out = append(out, image.Annotation(a))
	}
	return out
}
