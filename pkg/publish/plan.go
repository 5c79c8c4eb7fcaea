package publish

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/name"

	"github.com/taglast/taglast/internal/escape"
	"github.com/taglast/taglast/internal/event"
	"github.com/taglast/taglast/internal/image"
	"github.com/taglast/taglast/internal/ociref"
	"github.com/taglast/taglast/pkg/release"
	"github.com/taglast/taglast/pkg/tagrule"
)

// plan is what the release file and the event say of a release: images, sources, repositories, tags. It is evaluated
// once, and nothing in it is changed afterwards; what registries say of the tags is in current.
type plan struct {
	version string // the release's, as the rules gave it
	images  []*plannedImage
	bases   []*plannedImage // that images are built from and --only leaves out: they are built, and nothing else
	payload event.Payload
	event   tagrule.Event // what rules see of it; an image's release-version is added
}

// plannedImage is one image of the plan.
type plannedImage struct {
	file    release.Image
	source  image.Source
	all     []name.Repository // every repository of the file: the subjects of the statement
	repos   []name.Repository // those this run writes to
	rules   tagrule.Result
	tags    []plannedTag
	skipped string // why nothing is published of it, or only by digest
	unbuilt bool   // nothing is made of it: no rule gives a tag
}

// plannedTag is one tag in one repository.
type plannedTag struct {
	repo    name.Repository
	tag     tagrule.Tag
	leftOut bool // --registry leaves its repository out: the tag is pending
}

func (t plannedTag) ref() string { return ociref.Reference(t.repo, t.tag.Text) }

func (t plannedTag) fixed() bool { return t.tag.Class == tagrule.Fixed }

// isAlias says that a tag moves with the version of its image.
func (im *plannedImage) isAlias(t plannedTag) bool {
	return t.tag.Class == tagrule.Moving && im.rules.Versioned()
}

// displayNames are repositories as statements and reports write them: docker.io for Docker Hub.
func displayNames(repos []name.Repository) []string {
	out := make([]string, 0, len(repos))
	for _, r := range repos {
		out = append(out, ociref.DisplayName(r))
	}
	return out
}

// evaluate reads the event, applies the selection and evaluates the rules. It asks nothing of a registry, and of GitHub's
// API only the date of a commit that a rule names and neither event nor checkout tells. The plan is there on an error,
// too, as far as it goes: the report names its images.
func (r *run) evaluate(ctx context.Context) (*plan, error) {
	p := &plan{}
	if r.o.File == nil || len(r.o.File.Images) == 0 {
		return p, usage("", errors.New("a release needs at least one image"))
	}
	if err := r.checkStores(); err != nil {
		return p, err
	}
	var err error
	if p.payload, err = event.ReadPayload(r.o.Getenv("GITHUB_EVENT_PATH")); err != nil {
		return p, at(StagePlan, "", "", err)
	}
	if p.event, err = r.env().TagEvent(p.payload, r.branch); err != nil {
		return p, usage("", err)
	}
	if _, _, err := r.env().SourceDate(); err != nil {
		return p, usage("", err)
	}
	r.commits = r.history(p.payload)
	p.event.CommitDate = func() (time.Time, error) { return r.commits.DateForRules(ctx, p.event.SHA, p.event.Now) }
	if err := r.choose(p); err != nil {
		return p, err
	}
	for _, im := range p.images {
		if err := r.evaluateImage(p, im); err != nil {
			return p, err
		}
	}
	for _, im := range p.bases {
		if err := r.evaluateRules(p, im); err != nil {
			return p, err
		}
	}
	return p, p.conflicts()
}

// choose takes the images that --only names and the repositories that --registry names.
func (r *run) choose(p *plan) error {
	unknown := slices.Clone(r.o.Only)
	hosts := make(map[string]bool)
	for _, file := range r.o.File.Images {
		unknown = slices.DeleteFunc(unknown, func(n string) bool { return n == file.Name })
		if len(r.o.Only) > 0 && !slices.Contains(r.o.Only, file.Name) {
			continue
		}
		im, err := newPlannedImage(file)
		if err != nil {
			return err
		}
		for _, repo := range file.Repositories {
			hosts[ociref.Host(repo.RegistryStr())] = true
			if r.selects(repo) {
				im.repos = append(im.repos, repo)
			}
		}
		p.images = append(p.images, im)
	}
	if err := r.chooseBases(p); err != nil {
		return err
	}
	if len(unknown) > 0 {
		return usage("", fmt.Errorf("--only %s: the release has no such image; it has %s", escape.Text(unknown[0]), strings.Join(names(r.o.File.Images), ", ")))
	}
	for _, h := range r.o.Registries {
		if !hosts[ociref.Host(h)] {
			return usage("", fmt.Errorf("--registry %s: no repository of the release is there", escape.Text(h)))
		}
	}
	for _, im := range p.images {
		if len(im.repos) == 0 {
			return usage(im.file.Name, fmt.Errorf("image %s: no repository on %s", im.file.Name, strings.Join(r.o.Registries, ", ")))
		}
	}
	return nil
}

func newPlannedImage(file release.Image) (*plannedImage, error) {
	source, err := image.SourceOf(file.Source)
	if err != nil {
		return nil, usage(file.Name, fmt.Errorf("image %s: %w", file.Name, err))
	}
	return &plannedImage{file: file, source: source, all: file.Repositories}, nil
}

// chooseBases takes the images that those of the plan are built from, and these from others, where --only leaves them out.
func (r *run) chooseBases(p *plan) error {
	has := func(name string) bool {
		return slices.ContainsFunc(slices.Concat(p.images, p.bases), func(im *plannedImage) bool { return im.file.Name == name })
	}
	for next := p.images; len(next) > 0; {
		var found []*plannedImage
		for _, im := range next {
			for _, from := range im.builtFrom() {
				i := slices.IndexFunc(r.o.File.Images, func(file release.Image) bool { return file.Name == from })
				if i < 0 || has(from) {
					continue // the build itself says that there is none
				}
				base, err := newPlannedImage(r.o.File.Images[i])
				if err != nil {
					return err
				}
				base.repos = base.all
				p.bases, found = append(p.bases, base), append(found, base)
			}
		}
		next = found
	}
	return nil
}

// builtFrom are the images of the file that an image is built from.
func (im *plannedImage) builtFrom() []string {
	var names []string
	if s, ok := im.file.Source.(release.DockerfileSource); ok {
		for _, c := range s.Contexts {
			if c.Image != "" {
				names = append(names, c.Image)
			}
		}
	}
	return names
}

// usesBuilder says that an image is made by a builder.
func (im *plannedImage) usesBuilder() bool {
	_, ok := im.file.Source.(release.DockerfileSource)
	return ok
}

func names(images []release.Image) []string {
	var out []string
	for _, im := range images {
		out = append(out, im.Name)
	}
	return out
}

// selects says that --registry does not leave a repository out.
func (r *run) selects(repo name.Repository) bool {
	return len(r.o.Registries) == 0 || slices.ContainsFunc(r.o.Registries, func(h string) bool {
		return ociref.SameHost(h, repo.RegistryStr())
	})
}

// evaluateRules evaluates an image's rules on the event.
func (r *run) evaluateRules(p *plan, im *plannedImage) error {
	e := p.event
	e.Version = im.file.ReleaseVersion
	var err error
	if im.rules, err = tagrule.Evaluate(im.file.Tags, im.file.Flavor, e); err == nil {
		im.rules.Tags, err = tagrule.Overrides{Fixed: im.file.Fixed, Moving: im.file.Moving}.Apply(im.rules.Tags)
	}
	if err != nil {
		return usage(im.file.Name, named(im.file.Name, err))
	}
	return nil
}

// evaluateImage turns an image's rules into tags, one for each repository.
func (r *run) evaluateImage(p *plan, im *plannedImage) error {
	if err := r.evaluateRules(p, im); err != nil {
		return err
	}
	e := p.event
	e.Version = im.file.ReleaseVersion
	p.version = or(p.version, or(im.file.ReleaseVersion, im.rules.Version))
	switch none := len(im.rules.Tags) == 0 && len(im.file.Tags) > 0; {
	case none && im.file.IfNoTags == release.IfNoTagsSkip:
		im.unbuilt, im.skipped = true, "no rule gives a tag on this event"
	case none && !r.mode.readOnly():
		return at(StagePlan, im.file.Name, "", release.NoTags(im.file.Name, e, im.rules.Skipped()))
	case none:
		im.skipped = "no tag on this event"
	}
	for _, repo := range im.all {
		for _, t := range im.rules.Tags {
			im.tags = append(im.tags, plannedTag{repo: repo, tag: t, leftOut: !r.selects(repo)})
		}
	}
	return nil
}

// conflicts refuses one tag for two images of the same repository.
func (p *plan) conflicts() error {
	var wanted []release.Wanted
	for _, im := range p.images {
		wanted = append(wanted, release.Wanted{Image: im.file.Name, Repositories: displayNames(im.file.Repositories), Tags: im.rules.Tags})
	}
	if err := release.Conflicts(wanted); err != nil {
		return usage("", err)
	}
	return nil
}
