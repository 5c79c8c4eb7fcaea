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
	"github.com/taglast/taglast/pkg/registry"
	"github.com/taglast/taglast/pkg/registry/tag"
	"github.com/taglast/taglast/pkg/tagrule"
)

// current is what the registries say of the tags before anything is sent.
type current struct {
	p *plan

	mu     sync.Mutex
	listed map[string][]string // all tags, by repository
	failed map[string]bool     // repositories that could not be listed: plans and dry runs only
	warned map[string]bool
}

// readTags looks at what every tag names now, and lists the repositories of aliases, so that what will be kept is known
// before anything is sent. A real run must be able to read all of it; a plan and a dry run go on.
func (p *plan) readTags(ctx context.Context) error {
	c := &current{p: p, listed: make(map[string][]string), failed: make(map[string]bool), warned: make(map[string]bool)}
	var now, later []looked // a moving tag that is in no list need not be looked at
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(p.o.jobs())
	listing := make(map[string]bool)
	for _, im := range p.images {
		for _, t := range im.tags {
			switch {
			case t.later:
				continue
			case !im.alias(t):
				now = append(now, looked{im, t})
				continue
			}
			later = append(later, looked{im, t})
			if repo := t.repo.Name(); !listing[repo] {
				listing[repo] = true
				g.Go(func() error { return c.list(gctx, im, t.repo) })
			}
		}
	}
	for _, l := range now {
		g.Go(func() error { return c.look(gctx, l) })
	}
	if err := g.Wait(); err != nil {
		return err
	}
	g, gctx = errgroup.WithContext(ctx)
	g.SetLimit(p.o.jobs())
	for _, l := range later {
		repo := l.tag.repo.Name()
		if c.failed[repo] {
			l.tag.unknown = true
		} else if _, ok := slices.BinarySearch(c.listed[repo], l.tag.tag.Text); ok {
			g.Go(func() error { return c.look(gctx, l) })
		}
	}
	for _, im := range p.images {
		im.aliases = im.rules.Aliases(c.union(im), im.file.AllowDowngrade)
	}
	return g.Wait()
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

// union are the tags of all repositories of an image: an alias decides alike in each.
func (c *current) union(im *planned) []string {
	var out []string
	for _, repo := range im.repos {
		out = append(out, c.listed[repo.Name()]...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func (c *current) list(ctx context.Context, im *planned, repo name.Repository) error {
	tags, err := tag.Tags(ctx, c.p.clients, repo)
	if err != nil {
		if err := c.unread(ctx, im, repo, displayName(repo), err); err != nil {
			return err
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.listed[repo.Name()], c.failed[repo.Name()] = tags, err != nil
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
