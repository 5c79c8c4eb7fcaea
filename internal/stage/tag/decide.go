package tag

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/google/go-containerregistry/pkg/name"

	"github.com/taglast/taglast/internal/registry"
	"github.com/taglast/taglast/internal/retry"
)

// decide looks up what the moving tags name now, and asks which of them stay there.
func (w *writer) decide(ctx context.Context, moving []int, stopCause func() error) error {
	listed, err := w.list(ctx, w.aliases(moving), stopCause)
	if err != nil {
		return err
	}
	err = w.each(ctx, moving, stopCause, func(ctx context.Context, i int) error {
		tags, ok := listed[w.tagged[i].Repository.Name()]
		return w.readMoving(ctx, i, ok && !contains(tags, w.tagged[i].Tag))
	})
	if err != nil || w.options.Decide == nil {
		return err
	}
	return w.askDecisions(ctx, moving, listed, func(i int, d Decision) {
		t := &w.tagged[i]
		t.Action, t.Reason, t.Digest = Kept, d.Keep, t.Previous
	})
}

// aliases are those of the tags that are decided by the other tags of their repositories.
func (w *writer) aliases(tags []int) []int {
	return slices.DeleteFunc(slices.Clone(tags), func(i int) bool { return !w.tagged[i].Alias || w.tagged[i].Unknown })
}

// list reads the tags of each repository of these tags, once.
func (w *writer) list(ctx context.Context, tags []int, stopCause func() error) (map[string][]string, error) {
	var first []int
	known := make(map[string]bool)
	for _, i := range tags {
		if repo := w.tagged[i].Repository.Name(); !known[repo] {
			known[repo] = true
			first = append(first, i)
		}
	}
	var mu sync.Mutex
	out := make(map[string][]string)
	err := w.each(ctx, first, stopCause, func(ctx context.Context, i int) error {
		repoTags, _, err := List(ctx, w.clients, w.tagged[i].Repository, w.tagsKnown(w.tagged[i].Repository))
		mu.Lock()
		defer mu.Unlock()
		out[w.tagged[i].Repository.Name()] = repoTags
		return err
	})
	return out, err
}

// listLag is how long a list may lack a tag that is there: some registries list from a cache.
const listLag = time.Minute

// List is all tags of a repository, sorted. A list that lacks one of expected, the tags known to be there, is behind: it
// would also lack what another run has written. It is read again for a minute; then it is an error. So is whatever cannot
// be read: an empty list would let every alias move. A repository that the registry does not know has no
// tags: then known is false.
func List(ctx context.Context, clients Clients, repo name.Repository, expected []string) (tags []string, known bool, err error) {
	err = retry.Do(ctx, retry.Policy{Budget: listLag}, func(ctx context.Context) error {
		tags, err = clients.Repository(repo).Tags(ctx)
		if known = !errors.Is(err, registry.ErrNotFound); known && err != nil {
			return retry.Permanent(err) // the client has tried again by itself
		}
		for _, tag := range expected {
			if !contains(tags, tag) {
				return retry.Transient(fmt.Errorf("the list of tags lacks %s, which is there", Request{Repository: repo, Tag: tag}.Ref()), 0)
			}
		}
		return nil
	})
	return tags, known, err
}

// tagsKnown are the tags of a repository that this run has written or found right.
func (w *writer) tagsKnown(repo name.Repository) []string {
	var out []string
	for _, t := range w.tagged {
		if (t.Written() || t.Action == Unchanged) && t.Repository.Name() == repo.Name() {
			out = append(out, t.Tag)
		}
	}
	return out
}

func contains(sorted []string, tag string) bool {
	_, ok := slices.BinarySearch(sorted, tag)
	return ok
}

// readMoving looks up what a moving tag names just before it is decided. absent says that a list of tags lacks it.
func (w *writer) readMoving(ctx context.Context, i int, absent bool) error {
	t := &w.tagged[i]
	if t.Unknown {
		return nil
	}
	t.Previous, t.Digest = "", ""
	if absent {
		return nil
	}
	current, err := w.clients.Repository(t.Repository).Head(ctx, t.Tag)
	switch {
	case errors.Is(err, registry.ErrNotFound):
		return nil
	case err != nil:
		t.Previous, t.Digest = t.Seen, t.Seen
		return err
	}
	t.Previous, t.Digest = current.Digest.String(), current.Digest.String()
	return nil
}

// askDecisions asks Decide about the tags, image by image, and calls keep for each that stays.
func (w *writer) askDecisions(ctx context.Context, indexes []int, listed map[string][]string, keep func(i int, d Decision)) error {
	var images []string
	byImage := make(map[string][]int)
	for _, i := range indexes {
		image := w.tagged[i].Image
		if byImage[image] == nil {
			images = append(images, image)
		}
		byImage[image] = append(byImage[image], i)
	}
	for _, image := range images {
		var moving []Tagged
		var tags []string
		for _, i := range byImage[image] {
			moving = append(moving, w.tagged[i])
		}
		for _, repo := range repositories(moving) {
			tags = append(tags, listed[repo]...)
		}
		slices.Sort(tags)
		decisions, err := w.options.Decide(ctx, image, slices.Compact(tags), moving)
		if err != nil {
			return err
		}
		if len(decisions) != len(moving) {
			return fmt.Errorf("image %s: %d of %d moving tags were decided", image, len(decisions), len(moving))
		}
		for n, i := range byImage[image] {
			if decisions[n].Keep != "" {
				keep(i, decisions[n])
			}
		}
	}
	return nil
}

func repositories(tags []Tagged) []string {
	var out []string
	for _, t := range tags {
		if repo := t.Repository.Name(); !slices.Contains(out, repo) {
			out = append(out, repo)
		}
	}
	return out
}

// checkOvertaken lists once more after the last write: a run that published a higher version after our look, and moved the
// aliases before our writes, has been overwritten. Both looks see each other's versions, because every run writes its
// fixed tags before it lists.
func (w *writer) checkOvertaken(ctx context.Context, stopCause func() error) error {
	var written []int
	for i, t := range w.tagged {
		if t.Alias && !t.Fixed && t.Written() {
			written = append(written, i)
		}
	}
	if written = w.aliases(written); len(written) == 0 || w.options.Decide == nil {
		return nil
	}
	// All repositories of the image count, not only those where an alias was written.
	var all []int
	for i, t := range w.tagged {
		if t.Alias && slices.ContainsFunc(written, func(n int) bool { return w.tagged[n].Image == t.Image }) {
			all = append(all, i)
		}
	}
	listed, err := w.list(ctx, w.aliases(all), stopCause)
	if err != nil {
		return fmt.Errorf("look once more which versions there are: %w", err)
	}
	var overtaken []error
	err = w.askDecisions(ctx, written, listed, func(i int, d Decision) {
		t := &w.tagged[i]
		e := &OvertakenError{Ref: t.Ref(), Wrote: w.proofRoot(i).Digest.String(), Ours: d.Ours, Version: d.Version}
		e.By, e.ByDigest = w.findVersion(ctx, t.Image, listed, d.By)
		t.Doubtful = true // it is written, and not what is wanted
		overtaken = append(overtaken, w.recordFailure(i, e))
	})
	return errors.Join(append(overtaken, err)...)
}

// findVersion looks up what a tag names, in the first repository of the image that has it.
func (w *writer) findVersion(ctx context.Context, image string, listed map[string][]string, text string) (ref, digest string) {
	for _, t := range w.tagged {
		if t.Image != image || !contains(listed[t.Repository.Name()], text) {
			continue
		}
		t.Tag = text
		if d, err := w.clients.Repository(t.Repository).Head(ctx, text); err == nil {
			digest = d.Digest.String()
		}
		return t.Ref(), digest
	}
	return text, ""
}
