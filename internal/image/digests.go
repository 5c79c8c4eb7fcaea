package image

import (
	"context"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"golang.org/x/sync/errgroup"

	"github.com/taglast/taglast/internal/escape"
	"github.com/taglast/taglast/internal/hint"
)

// maxStrangers is how many names of a directory are read: more than 64 digests are refused anyway.
const maxStrangers = 1024

// A file name or list entry that is a digest: jobs leave bare hex (docker's documentation), sha256-hex, or, where the
// file system lets them, sha256:hex.
var digestName = regexp.MustCompile(`^(?:sha256[:-])?([a-f0-9]{64})$`)

// digests are those of the list or the directory, each once, in the order of the list or sorted.
func (r Request) digests() ([]v1.Hash, error) {
	d := r.Source.Digests
	written, where := d.List, "digests"
	switch {
	case d.Dir != "" && len(d.List) > 0:
		return nil, fmt.Errorf("digests: a directory and a list are given; it is one of them")
	case d.Dir != "":
		where = escape.Text(strings.TrimRight(d.Dir, "/"))
		var err error
		if written, err = r.digestDir(where); err != nil {
			return nil, err
		}
	case len(d.List) == 0:
		return nil, fmt.Errorf("digests: the list is empty")
	}
	var out []v1.Hash
	for _, w := range written {
		m := digestName.FindStringSubmatch(w)
		if m == nil {
			return nil, stranger(where, w)
		}
		if h := (v1.Hash{Algorithm: "sha256", Hex: m[1]}); !slices.Contains(out, h) {
			out = append(out, h)
		}
	}
	if len(out) > maxChildren {
		return nil, fmt.Errorf("%s: %d digests are more than %d", where, len(out), maxChildren)
	}
	return out, nil
}

// digestDir is the names in a directory of digests, sorted. What the files hold does not matter.
func (r Request) digestDir(where string) ([]string, error) {
	f, err := os.Open(r.path(r.Source.Digests.Dir))
	if err != nil {
		return nil, hint.With(fmt.Errorf("%s: %w", where, cause(err)), r.uploads("the directory is relative to the folder of the release file"))
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && !info.IsDir() {
		return nil, fmt.Errorf("%s: not a directory of digests", where)
	}
	entries, err := f.ReadDir(maxStrangers)
	if len(entries) == 0 {
		return nil, hint.With(fmt.Errorf("%s: the directory is empty", where), r.uploads("each build job leaves a file whose name is a digest"))
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", where, cause(err))
	}
	var names []string
	for _, e := range entries {
		if e.IsDir() {
			return nil, hint.With(fmt.Errorf("%s: %s is a directory, not a file named by a digest", where, quote(e.Name())),
				"set `merge-multiple: true` on download-artifact: then the files of all artifacts are in one directory")
		}
		names = append(names, e.Name())
	}
	slices.Sort(names)
	return names, nil
}

// stranger says why a name is no digest.
func stranger(where, n string) error {
	err := fmt.Errorf("%s: %s is not a digest", where, quote(n))
	switch {
	case strings.HasSuffix(n, ".dockerbuild"):
		return hint.With(fmt.Errorf("%w; it is docker/build-push-action's build record", err),
			"download only the digests: `pattern: digests-*`")
	case strings.HasPrefix(n, "sha512"):
		return fmt.Errorf("%w that is supported: only sha256 is", err)
	}
	return hint.With(err, "a digest is 64 hex digits, with or without sha256- or sha256: before them")
}

// fromDigests reads every digest from the repository.
func (r Request) fromDigests(ctx context.Context, reg Registry) (gathered, error) {
	d := r.Source.Digests
	digests, err := r.digests()
	if err != nil {
		return gathered{}, err
	}
	what := fmt.Sprintf("the list holds %s", plural(len(digests), "digest"))
	if d.Dir != "" {
		what = fmt.Sprintf("the directory %s holds %s", escape.Text(strings.TrimRight(d.Dir, "/")), plural(len(digests), "digest"))
	}
	g := gathered{trees: make([]tree, len(digests)), hint: r.uploads(what)}
	c := repository{reg.Repository(d.Repository)}
	group, gctx := errgroup.WithContext(ctx)
	group.SetLimit(readers)
	for i, h := range digests {
		group.Go(func() (err error) {
			g.trees[i], err = readDigest(gctx, c, h, r.KeepAttestations)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return gathered{}, err
	}
	for _, t := range g.trees {
		for _, f := range t.found {
			if !f.attestation {
				g.deps = append(g.deps, dependency(d.Repository, f.Digest))
			}
		}
	}
	return g, nil
}

// readDigest reads one image: its manifest, or an index as BuildKit makes of one image and its attestations.
func readDigest(ctx context.Context, c repository, h v1.Hash, keep bool) (tree, error) {
	root, err := load(ctx, c, v1.Descriptor{Digest: h, Size: -1})
	if err != nil {
		return tree{}, c.absent(h, err)
	}
	w := &walker{content: c, where: c.where() + "@" + h.String(), keep: keep}
	t, err := w.walk(ctx, root, descriptor{})
	if err != nil {
		return tree{}, err
	}
	images := 0
	for _, f := range t.found {
		if !f.attestation {
			images++
		}
	}
	if images != 1 {
		return tree{}, hint.With(fmt.Errorf("%s: an index of %s; a digest is to be of one", w.where, plural(images, "image")),
			"an image that is whole already is a source of its own: `source: {image: REF@sha256:…}`")
	}
	return t, nil
}
