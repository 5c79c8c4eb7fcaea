package publish

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/google/go-containerregistry/pkg/name"
	"golang.org/x/sync/errgroup"

	"github.com/taglast/taglast/internal/hint"
	"github.com/taglast/taglast/internal/ociref"
	"github.com/taglast/taglast/internal/registry"
	"github.com/taglast/taglast/internal/stage/tag"
	"github.com/taglast/taglast/pkg/tagrule"
)

// current is what the registries say of the tags before anything is sent. Nothing changes it after the plan is made.
type current struct {
	r *run

	mu      sync.Mutex
	digests map[string]string      // by reference; a tag that is not there has none
	unknown map[string]bool        // references that could not be read: plans and dry runs only
	lists   map[string]*repository // by repository
	aliases map[*plannedImage]map[string]tagrule.Alias
}

// repository is what is known of all tags of a repository.
type repository struct {
	repo   name.Repository
	wanted []wantedTag

	needed bool     // an alias is decided by all tags
	tags   []string // sorted
	listed bool     // tags are all there are; false where the registry does not know the repository, or does not list it
	failed bool     // the list could not be read: plans and dry runs only
	warned bool
}

// wantedTag is a tag that an image of the release wants in a repository.
type wantedTag struct {
	image *plannedImage
	plannedTag
}

func newCurrent(r *run) *current {
	return &current{r: r, digests: make(map[string]string), unknown: make(map[string]bool), lists: make(map[string]*repository)}
}

// of is the digest that a tag names now, empty where it is not there; unknown says that it could not be read.
func (c *current) of(t plannedTag) (digest string, unknown bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.digests[t.ref()], c.unknown[t.ref()]
}

// alias is what the tags that are there say of an alias of the image.
func (c *current) alias(im *plannedImage, tag string) tagrule.Alias { return c.aliases[im][tag] }

// leaveUnknown is read for an offline plan, which looks at no tag.
func (c *current) leaveUnknown(images []*plannedImage) {
	for _, im := range images {
		for _, t := range im.tags {
			c.unknown[t.ref()] = true
		}
	}
}

// read lists each repository whose aliases are decided by its versions, and looks at what every tag names that the list
// has, so that what will be kept or refused is known before anything is sent. A tag that a list lacks is not looked at
// singly: the tag stage looks at each just before it is written. Where there is no list, each is; so is each fixed tag
// where the run is attempted again. A real run must be able to read all of it; a plan and a dry run go on.
func (c *current) read(ctx context.Context, images []*plannedImage) error {
	var repositories []*repository
	for _, im := range images {
		for _, t := range im.tags {
			if t.leftOut {
				continue
			}
			repo := c.lists[t.repo.Name()]
			if repo == nil {
				repo = &repository{repo: t.repo}
				c.lists[t.repo.Name()] = repo
				repositories = append(repositories, repo)
			}
			repo.wanted = append(repo.wanted, wantedTag{im, t})
			repo.needed = repo.needed || im.isAlias(t)
		}
	}
	g, gctx := errgroup.WithContext(ctx)
	for _, repo := range repositories {
		g.Go(func() error { return c.readRepository(gctx, repo) })
	}
	err := g.Wait()
	c.aliases = make(map[*plannedImage]map[string]tagrule.Alias, len(images))
	for _, im := range images {
		c.aliases[im] = im.rules.Aliases(c.union(im, images), im.file.AllowDowngrade)
	}
	return err
}

func (c *current) readRepository(ctx context.Context, repo *repository) error {
	if repo.needed {
		if err := c.list(ctx, repo, nil); err != nil {
			return err
		}
	}
	g, gctx := errgroup.WithContext(ctx)
	for _, t := range repo.wanted {
		switch {
		case repo.failed && t.image.isAlias(t.plannedTag):
			c.setUnknown(t.ref())
		case !repo.listed || has(repo.tags, t.tag.Text) || t.fixed() && c.again():
			g.Go(func() error { return c.look(gctx, repo, t) })
		}
	}
	if err := g.Wait(); err != nil {
		return err
	}
	return c.compare(ctx, repo)
}

// again says that this is another attempt of a run: what the first wrote may be adopted, and a list may not have it yet.
func (c *current) again() bool {
	attempt := c.r.o.Getenv("GITHUB_RUN_ATTEMPT")
	return attempt != "" && attempt != "1"
}

// has says that a sorted list has a text.
func has(sorted []string, text string) bool {
	_, ok := slices.BinarySearch(sorted, text)
	return ok
}

func (c *current) setUnknown(ref string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.unknown[ref] = true
}

// union are the tags of all repositories of an image: an alias decides alike in each. Those that this release adds to
// them before it decides count too.
func (c *current) union(im *plannedImage, images []*plannedImage) []string {
	var out []string
	for _, repo := range im.repos {
		if known := c.lists[repo.Name()]; known != nil {
			out = append(out, known.tags...)
		}
		for _, other := range images {
			for _, t := range other.tags {
				if t.repo.Name() == repo.Name() && t.fixed() && !t.leftOut && !other.unbuilt {
					out = append(out, t.tag.Text)
				}
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// list reads all tags of a repository. there are tags that it is known to have.
func (c *current) list(ctx context.Context, repo *repository, there []string) error {
	tags, known, err := tag.List(ctx, c.r.clients, repo.repo, there)
	repo.tags, repo.listed, repo.failed = tags, known && err == nil, err != nil
	if err != nil {
		return c.unread(ctx, repo, ociref.DisplayName(repo.repo), err)
	}
	return nil
}

// compare holds a repository's list to what was looked at: a registry that lists nothing, or not all, cannot tell which
// aliases are kept, and that must be known before the first tag is written.
func (c *current) compare(ctx context.Context, repo *repository) error {
	var there []string
	for _, t := range repo.wanted {
		if digest, _ := c.of(t.plannedTag); digest != "" {
			there = append(there, t.tag.Text)
		}
	}
	lacks := func(tag string) bool { return !has(repo.tags, tag) }
	if !repo.needed || repo.failed || !slices.ContainsFunc(there, lacks) {
		return nil
	}
	if !c.r.mode.readOnly() {
		return c.list(ctx, repo, there)
	}
	repo.failed = true
	for _, t := range repo.wanted {
		if t.image.isAlias(t.plannedTag) {
			c.setUnknown(t.ref())
		}
	}
	return c.unread(ctx, repo, ociref.DisplayName(repo.repo), fmt.Errorf("the list of tags of %s lacks tags that are there", ociref.DisplayName(repo.repo)))
}

// look sees what one tag names.
func (c *current) look(ctx context.Context, repo *repository, t wantedTag) error {
	d, err := c.r.clients.Repository(t.repo).Head(ctx, t.tag.Text)
	switch {
	case err == nil:
		c.mu.Lock()
		defer c.mu.Unlock()
		c.digests[t.ref()] = d.Digest.String()
		return nil
	case errors.Is(err, registry.ErrNotFound):
		return nil
	}
	if err := c.unread(ctx, repo, t.ref(), err); err != nil {
		return err
	}
	c.setUnknown(t.ref())
	return nil
}

// unread is the error for tags that cannot be read; nil where a run goes on without, with one warning a repository.
func (c *current) unread(ctx context.Context, repo *repository, ref string, err error) error {
	if c.r.mode.readOnly() {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		if !repo.warned {
			repo.warned = true
			c.r.o.Observer.Warn(fmt.Sprintf("%s: the current tags cannot be read and are unknown: %v", ociref.DisplayName(repo.repo), err))
		}
		return nil
	}
	if errors.Is(err, registry.ErrDenied) { // who may not push either is told so, with advice
		if refused := c.r.probe(repo.repo); refused != nil {
			return refused
		}
		err = hint.With(err, "this token may push there, but not read: give it both. Without what is there no tag can be guarded")
	}
	return at(StagePlan, repo.wanted[0].image.file.Name, ref, err)
}
