package image

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"golang.org/x/sync/errgroup"

	"github.com/taglast/taglast/internal/bounded"
	"github.com/taglast/taglast/internal/escape"
	"github.com/taglast/taglast/internal/hint"
	"github.com/taglast/taglast/internal/ociref"
	"github.com/taglast/taglast/pkg/release"
)

// maxDirNames is how many names of a directory are read: more than 64 digests are refused anyway.
const maxDirNames = 1024

// digestsSource is what matrix jobs leave: a directory whose file names are digests, or a list.
type digestsSource release.DigestsSource

func newDigests(s release.DigestsSource) Source { return digestsSource(s) }

// Repositories is the one that the manifests are in.
func (s digestsSource) Repositories() []name.Repository { return []name.Repository{s.Repository} }

// Local is false: the manifests are in a registry.
func (digestsSource) Local() bool { return false }

// check looks into a directory of digests, because another file in it is a mistake of the workflow.
func (s digestsSource) check(_ context.Context, env Env) error {
	_, err := s.digests(env)
	return err
}

// digests are those of the list or the directory, each once, in the order of the list or sorted.
func (s digestsSource) digests(env Env) ([]v1.Hash, error) {
	found, where := s.List, "digests"
	switch {
	case s.Dir != "" && len(s.List) > 0:
		return nil, fmt.Errorf("digests: a directory and a list are given; it is one of them")
	case s.Dir != "":
		where = s.shownDir()
		var err error
		if found, err = s.readDir(env); err != nil {
			return nil, err
		}
	case len(s.List) == 0:
		return nil, fmt.Errorf("digests: the list is empty")
	}
	var out []v1.Hash
	for _, h := range found {
		if err := ociref.CheckHash(h); err != nil {
			return nil, fmt.Errorf("%s: %w", where, err)
		}
		if !slices.Contains(out, h) {
			out = append(out, h)
		}
	}
	if len(out) > maxChildren {
		return nil, fmt.Errorf("%s: %d digests are more than %d", where, len(out), maxChildren)
	}
	return out, nil
}

func (s digestsSource) shownDir() string { return escape.Text(strings.TrimRight(s.Dir, "/")) }

// readDir is the digests that name files of the directory, sorted. What the files hold does not matter.
func (s digestsSource) readDir(env Env) ([]v1.Hash, error) {
	where := s.shownDir()
	f, err := os.Open(env.path(s.Dir))
	if err != nil {
		return nil, hint.With(fmt.Errorf("%s: %w", where, bounded.WithoutPath(err)), env.uploadHint("the directory is relative to the folder of the release file"))
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && !info.IsDir() {
		return nil, fmt.Errorf("%s: not a directory of digests", where)
	}
	entries, err := f.ReadDir(maxDirNames)
	if len(entries) == 0 {
		return nil, hint.With(fmt.Errorf("%s: the directory is empty", where), env.uploadHint("each build job leaves a file whose name is a digest"))
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", where, bounded.WithoutPath(err))
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
	digests := make([]v1.Hash, 0, len(names))
	for _, n := range names {
		h, err := ociref.ParseDigestName(n)
		if err != nil {
			return nil, notDigestError(where, n)
		}
		digests = append(digests, h)
	}
	return digests, nil
}

// notDigestError says why a name is no digest.
func notDigestError(where, n string) error {
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

// gather reads every digest from the repository.
func (s digestsSource) gather(ctx context.Context, env Env) (gathered, error) {
	digests, err := s.digests(env)
	if err != nil {
		return gathered{}, err
	}
	what := fmt.Sprintf("the list holds %s", plural(len(digests), "digest"))
	if s.Dir != "" {
		what = fmt.Sprintf("the directory %s holds %s", s.shownDir(), plural(len(digests), "digest"))
	}
	g := gathered{sources: make([]sourceImage, len(digests)), hint: env.uploadHint(what)}
	c := repository{env.Registry.Repository(s.Repository)}
	group, gctx := errgroup.WithContext(ctx)
	group.SetLimit(readers)
	for i, h := range digests {
		group.Go(func() (err error) {
			g.sources[i], err = readDigest(gctx, c, h, env.KeepAttestations)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return gathered{}, err
	}
	for _, t := range g.sources {
		for _, f := range t.manifests {
			if !f.attestation {
				g.dependencies = append(g.dependencies, dependency(s.Repository, f.Digest))
			}
		}
	}
	return g, nil
}

// readDigest reads one image: its manifest, or an index as BuildKit makes of one image and its attestations.
func readDigest(ctx context.Context, c repository, h v1.Hash, keep bool) (sourceImage, error) {
	root, err := load(ctx, c, v1.Descriptor{Digest: h, Size: -1})
	if err != nil {
		return sourceImage{}, c.explainNotFound(h, err)
	}
	w := &walker{content: c, where: c.where() + "@" + h.String(), keepAttestations: keep, lift: true}
	t, err := w.walk(ctx, root, descriptor{})
	if err != nil {
		return sourceImage{}, err
	}
	images := 0
	for _, f := range t.manifests {
		if !f.attestation {
			images++
		}
	}
	if images != 1 {
		return sourceImage{}, hint.With(fmt.Errorf("%s: an index of %s; a digest is to be of one", w.where, plural(images, "image")),
			"an image that is whole already is a source of its own: `source: {image: REF@sha256:…}`")
	}
	return t, nil
}
