// Package tag is the last stage and the only one that writes tags: it takes the barrier's Complete and puts
// the proof's own bytes under each tag, to a repository that the proof names. Fixed tags come first, in all repositories;
// then it looks at what is there now, asks which moving tags stay where they are, and writes the others, the
// first image's last. After the last write everything is looked at once more, what was written and what was right before.
package tag

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/google/go-containerregistry/pkg/name"

	"github.com/taglast/taglast/internal/ociref"
	"github.com/taglast/taglast/internal/registry"
	"github.com/taglast/taglast/internal/stage/prove"
)

// ErrNotMade is returned for a zero Complete, which the barrier cannot have returned.
var ErrNotMade = errors.New("tag: not made by prove.All")

// Request asks for one tag in one repository.
type Request struct {
	Image      string
	Repository name.Repository
	Tag        string
	Fixed      bool
	Latest     bool   // after every other tag
	Alias      bool   // moves with a version: the tags of its image's repositories are listed before it is decided
	Seen       string // digest that the plan saw there; empty where there was none
	Unknown    bool   // the plan could not read it: only in a dry run, which then overwrites nothing
}

// Ref is the request's full reference, docker.io for Docker Hub.
func (r Request) Ref() string { return ociref.Reference(r.Repository, r.Tag) }

// Action is what became of a tag.
type Action string

// The actions of the report.
const (
	Created   Action = "created"
	Moved     Action = "moved"
	Unchanged Action = "unchanged"
	Kept      Action = "kept"
	Failed    Action = "failed"
	Pending   Action = "pending"
)

// Tagged is one request and what became of it.
type Tagged struct {
	Request
	Action   Action
	Digest   string // what the tag names now, as far as this run knows
	Previous string // what it named before; empty where it was not there
	Reason   string // why it was kept
	Err      error  // why it failed
	Doubtful bool   // a write was sent and its effect is not known, or not what was wanted
}

// Written reports whether this run wrote the tag.
func (t Tagged) Written() bool { return t.Action == Created || t.Action == Moved }

// ConflictError says that a fixed tag names another digest: it is never written over.
type ConflictError struct {
	Ref              string
	Existing, Wanted string // digests
}

// Error names the reference and both digests.
func (e *ConflictError) Error() string {
	return fmt.Sprintf("%s exists with another digest: there %s, here %s", e.Ref, e.Existing, e.Wanted)
}

// RaceError says that a tag which this run wrote, or found right, names something else later: another run was between.
type RaceError struct {
	Ref          string
	Wrote, Found string
}

// Error names the reference and both digests.
func (e *RaceError) Error() string {
	return fmt.Sprintf("%s should name %s, and now it names %s: another run was between", e.Ref, e.Wrote, cmp.Or(e.Found, "nothing"))
}

// OvertakenError says that an alias which this run wrote should have been kept: a higher version was published between
// the look that decided and the last one.
type OvertakenError struct {
	Ref           string
	Wrote         string // digest
	By, ByDigest  string // the other version's reference and digest
	Ours, Version string // this release's version and the other
}

// Error names both versions and digests.
func (e *OvertakenError) Error() string {
	return fmt.Sprintf("%s was set to %s (%s) while %s was published as %s (%s): another run was between",
		e.Ref, e.Wrote, e.Ours, e.Version, cmp.Or(e.ByDigest, "an unknown digest"), e.By)
}

// byAnotherRun reports whether an error tells of another run.
func byAnotherRun(err error) bool {
	var race *RaceError
	var overtaken *OvertakenError
	return errors.As(err, &race) || errors.As(err, &overtaken)
}

// Clients hands out the client of a repository.
type Clients interface {
	Repository(name.Repository) *registry.Client
}

// Decision is about one moving tag. The zero value moves it.
type Decision struct {
	Keep          string // why the tag stays where it is
	By            string // tag of the version that is higher; empty where no version decided
	Ours, Version string // this release's version and that one
}

// Options configure Write.
type Options struct {
	// Decide is asked for each image with moving tags, after all fixed tags are written and what moving tags name has
	// been looked at (Previous). listed are the tags of the image's repositories where its moving tags are aliases. It
	// gives one Decision for each tag of moving. After the last write it is asked once more about the aliases that were
	// written: what should have been kept by then is an OvertakenError. nil moves every tag.
	Decide func(ctx context.Context, image string, listed []string, moving []Tagged) ([]Decision, error)

	Jobs     int                   // parallel writes; at least 1
	Progress func(done, total int) // after each tag; nil means nobody listens
}

// Write writes the tags in the order of the stage. A conflict found among fixed tags before the first write changes
// nothing. After a failed write no further one begins; every request has its Tagged, Pending where it was not begun.
func Write(ctx context.Context, complete prove.Complete, clients Clients, requests []Request, o Options) ([]Tagged, error) {
	if !complete.Ok() {
		return nil, ErrNotMade
	}
	w := &writer{complete: complete, clients: clients, options: o, tagged: make([]Tagged, len(requests)), hashed: make(map[string]bool)}
	for i, r := range requests {
		w.tagged[i] = Tagged{Request: r, Action: Pending, Digest: r.Seen, Previous: r.Seen}
	}
	for _, r := range requests {
		p, ok := complete.Proof(r.Image)
		if !ok {
			return w.tagged, fmt.Errorf("%s: image %s has no proof", r.Ref(), r.Image)
		}
		if !p.HasRepository(r.Repository) {
			return w.tagged, fmt.Errorf("%s: the proof of image %s does not name this repository", r.Ref(), r.Image)
		}
	}
	return w.tagged, w.run(ctx)
}
