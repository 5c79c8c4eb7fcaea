package image

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/taglast/taglast/internal/bounded"
	"github.com/taglast/taglast/internal/escape"
	"github.com/taglast/taglast/internal/hint"
	"github.com/taglast/taglast/internal/registry"
)

// maxNames bounds how many names of images an error lists.
const maxNames = 8

// Annotations by which index.json names its images: the image specification's, and containerd's and Docker's.
const (
	refName        = "org.opencontainers.image.ref.name"
	containerdName = "io.containerd.image.name"
)

// files are the regular files of a layout, by slash-separated path.
type files interface {
	// open returns a file and its size; fs.ErrNotExist where there is none.
	open(path string) (io.ReadCloser, int64, error)
}

// layout is the content of an OCI image layout (OCI image specification, "Image Layout").
type layout struct {
	name  string // as in errors
	files files
}

func (l *layout) where() string                   { return l.name }
func (l *layout) repositories() []name.Repository { return nil }

// openLayout finds out whether path is a directory or a tar and checks that it is a layout.
func openLayout(path, shown string) (*layout, error) {
	l := &layout{name: escape.Text(shown)}
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", l.name, bounded.WithoutPath(err))
	}
	switch {
	case info.IsDir():
		l.files = dirFiles(path)
	case info.Mode().IsRegular():
		if l.files, err = openTar(path); err != nil {
			return nil, fmt.Errorf("%s: %w", l.name, err)
		}
	default:
		return nil, fmt.Errorf("%s: neither a directory nor a file", l.name)
	}
	raw, err := l.readFile("oci-layout", 64<<10)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, l.notLayoutError()
	case err != nil:
		return nil, fmt.Errorf("%s: %w", l.name, err)
	}
	var version struct {
		Version string `json:"imageLayoutVersion"`
	}
	if err := json.Unmarshal(raw, &version); err != nil {
		return nil, fmt.Errorf("%s: oci-layout: %w", l.name, err)
	}
	if !strings.HasPrefix(version.Version, "1.0.") {
		return nil, fmt.Errorf("%s: oci-layout: version %s is not 1.0", l.name, quote(version.Version))
	}
	return l, nil
}

// notLayoutError says what to do about a directory or tar without the file oci-layout.
func (l *layout) notLayoutError() error {
	err := fmt.Errorf("%s: not an OCI layout: it has no file oci-layout", l.name)
	f, _, open := l.files.open("manifest.json")
	if open != nil {
		return hint.With(err, "`docker buildx build --output type=oci,dest=app.tar` writes one")
	}
	_ = f.Close()
	return hint.With(fmt.Errorf("%s: a `docker save` tar of the old format, which has no digests", l.name),
		"Docker 25 and later save an OCI layout; or build with `docker buildx build --output type=oci,dest=app.tar`")
}

// readFile reads a file of the layout.
func (l *layout) readFile(path string, limit int64) ([]byte, error) {
	f, size, err := l.files.open(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, bounded.WithoutPath(err))
	}
	defer f.Close()
	if size > limit {
		return nil, fmt.Errorf("%s: %d bytes, more than %d", path, size, limit)
	}
	raw, err := bounded.Read(f, limit)
	if errors.Is(err, bounded.ErrTooLarge) {
		return nil, fmt.Errorf("%s: it has %w", path, err)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, bounded.WithoutPath(err))
	}
	return raw, nil
}

func blobPath(h v1.Hash) string { return "blobs/" + h.Algorithm + "/" + h.Hex }

func (l *layout) manifest(_ context.Context, h v1.Hash) ([]byte, types.MediaType, error) {
	raw, err := l.readFile(blobPath(h), registry.MaxManifest)
	if err != nil {
		return nil, "", l.blobError(err)
	}
	return raw, "", nil
}

func (l *layout) config(_ context.Context, h v1.Hash, limit int64) ([]byte, error) {
	raw, err := l.readFile(blobPath(h), limit)
	if err != nil {
		return nil, l.blobError(err)
	}
	return raw, nil
}

func (l *layout) blobError(err error) error {
	err = fmt.Errorf("%s: %w", l.name, err)
	if errors.Is(err, fs.ErrNotExist) {
		// Docker's containerd store saves the whole index of an image of which it pulled one platform.
		return hint.With(err, "the layout is not whole; `docker save --platform` saves a single platform")
	}
	return err
}

func (l *layout) blob(d v1.Descriptor) (registry.Blob, error) {
	path := blobPath(d.Digest)
	f, size, err := l.files.open(path)
	if err != nil {
		return registry.Blob{}, fmt.Errorf("%s: %w", path, bounded.WithoutPath(err))
	}
	_ = f.Close()
	if size != d.Size {
		return registry.Blob{}, fmt.Errorf("%s: it is listed with %d bytes and has %d", path, d.Size, size)
	}
	return registry.Blob{
		Descriptor: d,
		Open: func(context.Context) (io.ReadCloser, error) {
			f, size, err := l.files.open(path)
			if err != nil {
				return nil, fmt.Errorf("%s: %s: %w", l.name, path, bounded.WithoutPath(err))
			}
			if size != d.Size {
				return nil, errors.Join(fmt.Errorf("%s: %s: the file has changed", l.name, path), f.Close())
			}
			return f, nil
		},
	}, nil
}

// images reads index.json and what it leads to; ref picks one name.
func (l *layout) images(ctx context.Context, ref string, keep bool) ([]sourceImage, error) {
	raw, err := l.readFile("index.json", registry.MaxManifest)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", l.name, err)
	}
	doc, err := parseIndex(raw)
	if err != nil {
		return nil, fmt.Errorf("%s: index.json: %w", l.name, err)
	}
	if len(doc.Manifests) > maxChildren {
		return nil, fmt.Errorf("%s: index.json: it leads to more than %d manifests", l.name, maxChildren)
	}
	picked, err := l.pick(doc.Manifests, ref)
	if err != nil {
		return nil, err
	}
	w := &walker{content: l, where: l.name, keepAttestations: keep, lift: true, manifestCount: len(picked)}
	var trees []sourceImage
	var beside []descriptor // attestation manifests that index.json lists itself
	for _, d := range picked {
		if d.isAttestation() && !keep {
			if w.isLifted(d) {
				beside = append(beside, d)
			}
			continue
		}
		desc, err := d.checked()
		if err != nil {
			return nil, fmt.Errorf("%s: index.json: %w", l.name, err)
		}
		root, err := load(ctx, l, desc)
		if err != nil {
			return nil, err
		}
		d.Annotations = attestationAnnotations(d.Annotations)
		t, err := w.walk(ctx, root, d)
		if err != nil {
			return nil, err
		}
		trees = append(trees, t)
	}
	lifted, err := w.readAttestations(ctx, beside)
	if err != nil {
		return nil, err
	}
	if len(trees) > 0 {
		trees[0].lifted = append(trees[0].lifted, lifted...)
	}
	return trees, nil
}

// attestationAnnotations picks from a descriptor of index.json the annotations that belong to the manifest and not to its
// place in a layout.
func attestationAnnotations(all map[string]string) map[string]string {
	kept := map[string]string{}
	for _, key := range []string{referenceType, referenceDigest} {
		if value, ok := all[key]; ok {
			kept[key] = value
		}
	}
	return kept
}

// pick is the descriptors to follow: those that ref names, or all, each digest once (a layout lists an image again for
// each of its names).
func (l *layout) pick(all []descriptor, ref string) ([]descriptor, error) {
	var picked []descriptor
	for _, d := range all {
		if ref != "" && d.Annotations[refName] != ref && d.Annotations[containerdName] != ref {
			continue
		}
		if !slices.ContainsFunc(picked, func(p descriptor) bool { return p.Digest == d.Digest }) {
			picked = append(picked, d)
		}
	}
	switch {
	case len(all) == 0:
		// moby#51389: an image that is saved by its digest or ID is not listed.
		return nil, hint.With(fmt.Errorf("%s: index.json lists no image", l.name), "if `docker save` wrote it: save the image by its tag")
	case len(picked) == 0:
		return nil, hint.With(fmt.Errorf("%s: no image is named %s", l.name, quote(ref)), names(all))
	}
	return picked, nil
}

// names lists the names that ref could be.
func names(all []descriptor) string {
	var known []string
	for _, d := range all {
		for _, key := range []string{refName, containerdName} {
			n := escape.Bounded(d.Annotations[key], 200)
			if n != "" && !slices.Contains(known, n) {
				known = append(known, n)
			}
		}
	}
	switch {
	case len(known) == 0:
		return "the images in it have no names: leave `ref` out"
	case len(known) > maxNames:
		return fmt.Sprintf("its names are %s and %d more", strings.Join(known[:maxNames], ", "), len(known)-maxNames)
	}
	return "its names are " + strings.Join(known, ", ")
}
