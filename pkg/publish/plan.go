package publish

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/go-containerregistry/pkg/name"

	"github.com/taglast/taglast/internal/escape"
	"github.com/taglast/taglast/internal/event"
	"github.com/taglast/taglast/internal/identity"
	"github.com/taglast/taglast/internal/image"
	"github.com/taglast/taglast/internal/keyless"
	"github.com/taglast/taglast/internal/registry"
	"github.com/taglast/taglast/internal/stage/prove"
	"github.com/taglast/taglast/internal/store"
	"github.com/taglast/taglast/internal/trust"
	"github.com/taglast/taglast/pkg/release"
	"github.com/taglast/taglast/pkg/tagrule"
)

// plan is all that can be known before anything is sent: images, sources, repositories, tags and what they name now,
// identity, trust, permissions. Made by makePlan alone.
type plan struct {
	o       Options
	version string // the release's, as the rules gave it
	images  []*planned
	payload event.Payload
	event   tagrule.Event // what rules see of it; an image's release-version is added
	commits *commits

	clients   *registry.Clients
	workspace image.Workspace // of sources that need files; removed when the run ends
	claims    identity.Claims
	serverURL string
	material  trust.Material
	run       prove.Run
	session   *identity.Session
	signer    *keyless.Signer
	stores    []store.Store
	network   *counter
	probes    map[string]func() error // by repository

	digests map[string]string // of what is published, by image: from the tag stage on

	attestedMu sync.Mutex
	attestedAt map[string][]string // by digest
}

// planned is one image of the plan.
type planned struct {
	file    release.Image
	source  image.Source
	all     []name.Repository // every repository of the file: the subjects of the statement
	repos   []name.Repository // those this run writes to
	rules   tagrule.Result
	tags    []*plannedTag
	aliases map[string]tagrule.Alias // of its moving tags, as the plan sees them
	tagless bool                     // digest alone: `tags: []`, or if-no-tags: skip
	skipped string                   // why nothing is published of it, or only by digest
	unbuilt bool                     // nothing is made of it: no rule gave a tag, or a dry run could not have its source
}

// plannedTag is one tag in one repository.
type plannedTag struct {
	repo    name.Repository
	tag     tagrule.Tag
	seen    string // the digest it names now; empty where it does not exist
	unknown bool   // it could not be read: plans and dry runs only
	later   bool   // its repository was left out by --registry
}

func (t *plannedTag) ref() string { return displayName(t.repo) + ":" + t.tag.Text }

// displayName is a repository as statements and reports write it: docker.io for Docker Hub.
func displayName(r name.Repository) string {
	if r.RegistryStr() == name.DefaultRegistry {
		return "docker.io/" + r.RepositoryStr()
	}
	return r.Name()
}

func (o Options) jobs() int {
	if o.Jobs > 0 {
		return o.Jobs
	}
	return max(8, 2*runtime.NumCPU())
}

// prepare evaluates the selection, the rules and the tags that they give. It asks nothing of a registry, and of the
// source's API only the date of a commit that a rule names and the event does not tell.
func prepare(ctx context.Context, o Options) (*plan, error) {
	if o.File == nil || len(o.File.Images) == 0 {
		return nil, usage("", errors.New("a release needs at least one image"))
	}
	p := &plan{
		o: o, serverURL: or(o.Getenv("GITHUB_SERVER_URL"), "https://github.com"), network: &counter{base: o.Transport},
		attestedAt: make(map[string][]string),
	}
	p.commits = newCommits(p)
	getenv := event.Getenv(o.Getenv)
	var err error
	if p.payload, err = event.ReadPayload(getenv("GITHUB_EVENT_PATH")); err != nil {
		return nil, at(StagePlan, "", "", err)
	}
	if p.event, err = getenv.Rules(p.payload, o.branch); err != nil {
		return nil, usage("", err)
	}
	if _, _, err := getenv.SourceDate(); err != nil {
		return nil, usage("", err)
	}
	p.event.CommitDate = func() (time.Time, error) { return p.commits.forRules(ctx, p.event.SHA, p.event.Now) }
	if err := p.choose(); err != nil {
		return p, err
	}
	for _, im := range p.images {
		if err := p.evaluate(im); err != nil {
			return p, err
		}
	}
	return p, p.conflicts()
}

// choose takes the images that --only names and the repositories that --registry names.
func (p *plan) choose() error {
	unknown := slices.Clone(p.o.Only)
	hosts := make(map[string]bool)
	for _, file := range p.o.File.Images {
		unknown = slices.DeleteFunc(unknown, func(n string) bool { return n == file.Name })
		if len(p.o.Only) > 0 && !slices.Contains(p.o.Only, file.Name) {
			continue
		}
		im := &planned{file: file}
		for _, text := range file.Repositories {
			repo, err := name.NewRepository(text, name.StrictValidation)
			if err != nil {
				return usage(file.Name, fmt.Errorf("repository %q: %w", text, err))
			}
			hosts[canonicalHost(repo.RegistryStr())] = true
			im.all = append(im.all, repo)
			if p.wants(repo) {
				im.repos = append(im.repos, repo)
			}
		}
		var err error
		if im.source, err = image.SourceOf(file.Source); err != nil {
			return usage(file.Name, fmt.Errorf("image %s: %w", file.Name, err))
		}
		p.images = append(p.images, im)
	}
	if len(unknown) > 0 {
		return usage("", fmt.Errorf("--only %s: the release has no such image; it has %s", escape.Text(unknown[0]), strings.Join(names(p.o.File.Images), ", ")))
	}
	for _, h := range p.o.Registries {
		if !hosts[canonicalHost(h)] {
			return usage("", fmt.Errorf("--registry %s: no repository of the release is there", escape.Text(h)))
		}
	}
	for _, im := range p.images {
		if len(im.repos) == 0 {
			return usage(im.file.Name, fmt.Errorf("image %s: no repository on %s", im.file.Name, strings.Join(p.o.Registries, ", ")))
		}
	}
	return nil
}

func names(images []release.Image) []string {
	var out []string
	for _, im := range images {
		out = append(out, im.Name)
	}
	return out
}

func (p *plan) wants(r name.Repository) bool {
	return len(p.o.Registries) == 0 || slices.ContainsFunc(p.o.Registries, func(h string) bool {
		return canonicalHost(h) == canonicalHost(r.RegistryStr())
	})
}

func canonicalHost(h string) string {
	switch h = strings.ToLower(h); h {
	case "docker.io", "registry-1.docker.io":
		return name.DefaultRegistry
	}
	return h
}

// evaluate turns an image's rules into tags, one for each repository.
func (p *plan) evaluate(im *planned) error {
	event := p.event
	event.Version = im.file.ReleaseVersion
	var err error
	if im.rules, err = evaluateLines(im.file.Tags, im.file.Flavor, event); err == nil {
		im.rules.Tags, err = tagrule.Overrides{Fixed: im.file.Fixed, Moving: im.file.Moving}.Apply(im.rules.Tags)
	}
	if err != nil {
		return usage(im.file.Name, named(im.file.Name, err))
	}
	p.version = or(p.version, or(im.file.ReleaseVersion, im.rules.Version))
	switch {
	case len(im.file.Tags) == 0:
		im.tagless = true
	case len(im.rules.Tags) == 0 && im.file.IfNoTags == release.IfNoTagsSkip:
		im.tagless, im.unbuilt, im.skipped = true, true, "no rule gives a tag on this event"
	case len(im.rules.Tags) == 0 && !p.o.readOnly:
		return at(StagePlan, im.file.Name, "", release.NoTags(im.file.Name, event, im.rules.Skipped()))
	case len(im.rules.Tags) == 0:
		im.tagless, im.skipped = true, "no tag on this event"
	}
	for _, repo := range im.all {
		for _, t := range im.rules.Tags {
			im.tags = append(im.tags, &plannedTag{repo: repo, tag: t, later: !p.wants(repo)})
		}
	}
	return nil
}

// conflicts refuses one tag for two images of the same repository.
func (p *plan) conflicts() error {
	var wanted []release.Wanted
	for _, im := range p.images {
		wanted = append(wanted, release.Wanted{Image: im.file.Name, Repositories: im.file.Repositories, Tags: im.rules.Tags})
	}
	if err := release.Conflicts(wanted); err != nil {
		return usage("", err)
	}
	return nil
}

func or(a, b string) string {
	if a == "" {
		return b
	}
	return a
}
