package publish

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/google/go-containerregistry/pkg/name"
	"golang.org/x/sync/errgroup"

	"github.com/taglast/taglast/internal/hint"
	"github.com/taglast/taglast/internal/registry"
	"github.com/taglast/taglast/internal/stage/tag"
	"github.com/taglast/taglast/pkg/tagrule"
)

// current is what the registries say of the tags before anything is sent.
type current struct {
	p *plan

	mu     sync.Mutex
	listed map[string][]string // all tags, by repository
	absent map[string]bool     // repositories that the registry does not know, or does not list
	failed map[string]bool     // repositories that could not be listed: plans and dry runs only
	warned map[string]bool
}

// readTags looks at what every tag names now, and lists the repositories of aliases, so that what will be kept is known
// before anything is sent. A real run must be able to read all of it; a plan and a dry run go on.
func (p *plan) readTags(ctx context.Context) error {
	c := &current{p: p, listed: make(map[string][]string), absent: make(map[string]bool), failed: make(map[string]bool), warned: make(map[string]bool)}
	var now, aliases []looked
	listing := make(map[string]looked)
	for _, im := range p.images {
		for _, t := range im.tags {
			switch {
			case t.later:
			case im.alias(t):
				aliases = append(aliases, looked{im, t})
				listing[t.repo.Name()] = looked{im, t}
			default:
				now = append(now, looked{im, t})
			}
		}
	}
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() error { return c.each(gctx, slices.Collect(maps.Values(listing)), c.list) })
	g.Go(func() error { return c.each(gctx, now, c.look) })
	err := g.Wait()
	if err == nil {
		err = c.each(ctx, c.present(aliases), c.look)
	}
	if err == nil {
		err = c.each(ctx, slices.Collect(maps.Values(listing)), c.compare)
	}
	for _, l := range aliases {
		l.tag.unknown = l.tag.unknown || c.failed[l.tag.repo.Name()]
	}
	for _, im := range p.images {
		im.aliases = im.rules.Aliases(c.union(im), im.file.AllowDowngrade)
	}
	return err
}

// each runs op for every one, in parallel.
func (c *current) each(ctx context.Context, all []looked, op func(context.Context, looked) error) error {
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(c.p.o.jobs())
	for _, l := range all {
		g.Go(func() error { return op(gctx, l) })
	}
	return g.Wait()
}

// present are the aliases that need to be looked at: all that are listed, and all where there is no list.
func (c *current) present(aliases []looked) []looked {
	return slices.DeleteFunc(slices.Clone(aliases), func(l looked) bool {
		repo := l.tag.repo.Name()
		_, listed := slices.BinarySearch(c.listed[repo], l.tag.tag.Text)
		return c.failed[repo] || !c.absent[repo] && !listed
	})
}

// looked is a tag of an image.
type looked struct {
	im  *planned
	tag *plannedTag
}

// alias says that a tag moves with the version of its image.
func (im *planned) alias(t *plannedTag) bool {
	return t.tag.Class == tagrule.Moving && im.rules.Versioned()
}

// union are the tags of all repositories of an image: an alias decides alike in each. Those that this release adds to
// them before it decides count too.
func (c *current) union(im *planned) []string {
	var out []string
	for _, repo := range im.repos {
		out = append(out, c.listed[repo.Name()]...)
		for _, other := range c.p.images {
			for _, t := range other.tags {
				if t.repo.Name() == repo.Name() && t.tag.Class == tagrule.Fixed && !t.later && !other.unbuilt {
					out = append(out, t.tag.Text)
				}
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func (c *current) list(ctx context.Context, l looked) error { return c.listWith(ctx, l, nil) }

func (c *current) listWith(ctx context.Context, l looked, there []string) error {
	tags, known, err := tag.List(ctx, c.p.clients, l.tag.repo, there)
	if err != nil {
		if err := c.unread(ctx, l.im, l.tag.repo, displayName(l.tag.repo), err); err != nil {
			return err
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	repo := l.tag.repo.Name()
	c.listed[repo], c.absent[repo], c.failed[repo] = tags, !known, err != nil
	return nil
}

// compare holds a repository's list to what was looked at: a registry that lists nothing, or not all, cannot tell which
// aliases are kept, and that must be known before the first tag is written.
func (c *current) compare(ctx context.Context, l looked) error {
	repo := l.tag.repo.Name()
	var there []string
	for _, im := range c.p.images {
		for _, t := range im.tags {
			if t.seen != "" && !t.later && t.repo.Name() == repo {
				there = append(there, t.tag.Text)
			}
		}
	}
	c.mu.Lock()
	listed, failed := c.listed[repo], c.failed[repo]
	c.mu.Unlock()
	lacks := func(tag string) bool { _, ok := slices.BinarySearch(listed, tag); return !ok }
	if failed || !slices.ContainsFunc(there, lacks) {
		return nil
	}
	if !c.p.o.readOnly {
		return c.listWith(ctx, l, there)
	}
	err := fmt.Errorf("the list of tags of %s lacks tags that are there", displayName(l.tag.repo))
	if err := c.unread(ctx, l.im, l.tag.repo, displayName(l.tag.repo), err); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.failed[repo] = true
	return nil
}

func (c *current) look(ctx context.Context, l looked) error {
	d, err := c.p.clients.Repository(l.tag.repo).Head(ctx, l.tag.tag.Text)
	switch {
	case err == nil:
		l.tag.seen = d.Digest.String()
		return nil
	case errors.Is(err, registry.ErrNotFound):
		return nil
	}
	if err := c.unread(ctx, l.im, l.tag.repo, l.tag.ref(), err); err != nil {
		return err
	}
	l.tag.unknown = true
	return nil
}

// unread is the error for tags that cannot be read; nil where a run goes on without, with one warning a repository.
func (c *current) unread(ctx context.Context, im *planned, repo name.Repository, ref string, err error) error {
	if c.p.o.readOnly {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		if shown := displayName(repo); !c.warned[shown] {
			c.warned[shown] = true
			c.p.o.Observer.Warn(fmt.Sprintf("%s: the current tags cannot be read and are unknown: %v", shown, err))
		}
		return nil
	}
	if errors.Is(err, registry.ErrDenied) { // who may not push either is told so, with advice
		if probed := c.p.probes[repo.Name()](); probed != nil {
			return probed
		}
		err = hint.With(err, "this token may push there, but not read: give it both. Without what is there no tag can be guarded")
	}
	return at(StagePlan, im.file.Name, ref, err)
}
