// Package push is the third stage: it takes what was built and puts children, then index, by digest, into every
// repository, reads the index back by digest and hashes it. No tag is written here.
//
// It starts everything at once: how much is in flight is bounded by the registry clients.
//
// What a repository holds is not sent again. Of several repositories on one registry the first is filled before the
// others, which then mount from it.
package push

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"golang.org/x/sync/errgroup"

	"github.com/taglast/taglast/internal/image"
	"github.com/taglast/taglast/internal/registry"
)

// ErrNotMade is returned for a zero Built or Pushed, which the stage before cannot have returned.
var ErrNotMade = errors.New("push: not made by the stage before")

// seenFor is for how long a manifest that was seen counts as there. Quay, the quickest to collect what has no tag, waits an
// hour.
const seenFor = 5 * time.Minute

// Options of a push.
type Options struct {
	// BeforeRoot is called in each repository that lacks the root, after everything else is there and before the root
	// is written. A page that follows the order of first writes is so kept in order: the first image waits here for the
	// others. Nil means nobody waits.
	BeforeRoot func(context.Context, name.Repository) error
	// Uploaded is called with the number of bytes of blobs as they are read for an upload, from several goroutines; nil
	// means nobody listens.
	Uploaded func(bytes int64)
	// SkipRemoteBlobs leaves out the blobs that some registry holds already: a dry run does not read them.
	SkipRemoteBlobs bool
}

// Sent counts what a push wrote.
type Sent struct {
	Bytes     int64 // of blobs and manifests
	Blobs     int   // uploaded, not mounted
	Manifests int
}

// Pushed is an image that every one of its repositories holds, untagged. Only Image returns one.
type Pushed struct{ p *pushed }

type pushed struct {
	built image.Built
	repos []name.Repository
	sent  *tally
}

// Ok reports whether p is a result of Image, not the zero value.
func (p Pushed) Ok() bool { return p.p != nil }

// Built is the image.
func (p Pushed) Built() image.Built { return p.p.built }

// Repositories are those that hold the image.
func (p Pushed) Repositories() []name.Repository { return append([]name.Repository(nil), p.p.repos...) }

// Sent is what was written so far, by Recheck too.
func (p Pushed) Sent() Sent { return p.p.sent.get() }

// Image puts an image into the repositories: blobs, the manifests that name them, then the root, each by digest; the
// root is read back and compared. It returns the first failure, with its reference, and then Pushed is zero.
func Image(ctx context.Context, reg *registry.Clients, b image.Built, repos []name.Repository, o Options) (Pushed, error) {
	if !b.Ok() {
		return Pushed{}, ErrNotMade
	}
	if len(repos) == 0 {
		return Pushed{}, errors.New("push: no repository")
	}
	sent := &tally{}
	if err := newJob(reg, b, o, sent).run(ctx, repos); err != nil {
		return Pushed{}, err
	}
	return Pushed{&pushed{b, append([]name.Repository(nil), repos...), sent}}, nil
}

// Recheck looks for every manifest of the image in every repository and pushes what is gone again: registries collect
// manifests that no tag names. What was seen less than since ago is not asked for.
func Recheck(ctx context.Context, reg *registry.Clients, p Pushed, since time.Duration) error {
	if !p.Ok() {
		return ErrNotMade
	}
	j := newJob(reg, p.p.built, Options{}, p.p.sent)
	j.seenFor, j.recheck = since, true
	return j.run(ctx, p.p.repos)
}

// job is the push of one image.
type job struct {
	reg       *registry.Clients
	root      registry.Manifest
	manifests []image.Child // the manifests that name blobs; only the root where it is one
	options   Options
	sent      *tally
	seenFor   time.Duration
	recheck   bool // a recheck: a HEAD is enough for a root that is there
}

func newJob(reg *registry.Clients, b image.Built, o Options, sent *tally) *job {
	return &job{reg: reg, root: b.Root(), manifests: b.Manifests(), options: o, sent: sent, seenFor: seenFor}
}

// run fills the repositories and then writes the roots. Registries go in parallel; repositories of one registry one
// after the other, so that the later ones can mount.
func (j *job) run(ctx context.Context, repos []name.Repository) error {
	var hosts []string
	byHost := map[string][]*target{}
	var all []*target
	for _, r := range repos {
		t := &target{job: j, client: j.reg.Repository(r)}
		host := r.RegistryStr()
		if byHost[host] == nil {
			hosts = append(hosts, host)
		}
		for _, earlier := range byHost[host] {
			t.from = append(t.from, earlier.client.Name())
		}
		byHost[host] = append(byHost[host], t)
		all = append(all, t)
	}
	g, gctx := errgroup.WithContext(ctx)
	for _, host := range hosts {
		g.Go(func() error {
			for _, t := range byHost[host] {
				if err := t.pushContent(gctx); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	g, gctx = errgroup.WithContext(ctx)
	for _, t := range all {
		g.Go(func() error { return t.pushRoot(gctx) })
	}
	return g.Wait()
}

// tally counts from several goroutines.
type tally struct {
	mu   sync.Mutex
	sent Sent
}

func (t *tally) get() Sent {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.sent
}

// blob counts an uploaded blob of that size; zero is one that was there or mounted.
func (t *tally) blob(size int64) {
	if size > 0 {
		t.add(Sent{Bytes: size, Blobs: 1})
	}
}

// manifest counts a manifest of that size that was written.
func (t *tally) manifest(size int64) { t.add(Sent{Bytes: size, Manifests: 1}) }

func (t *tally) add(s Sent) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sent.Bytes += s.Bytes
	t.sent.Blobs += s.Blobs
	t.sent.Manifests += s.Manifests
}
