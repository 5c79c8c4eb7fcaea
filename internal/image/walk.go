package image

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"golang.org/x/sync/errgroup"

	"github.com/taglast/taglast/internal/registry"
	"github.com/taglast/taglast/internal/sbom"
)

// readers is how many manifests of one image are read at a time.
const readers = 8

// sourceManifest is one manifest of a source, read and checked, with its blobs.
type sourceManifest struct {
	registry.Manifest
	doc          manifestDocument
	platform     ociPlatform
	blobs        []registry.Blob // config first
	content      content
	repositories []name.Repository // where manifest and blobs are; none once it is rewritten
	where        string            // file or reference, for errors
	annotations  map[string]string // of its descriptor in an image index
	subject      string            // the digest that an attestation manifest is about; empty for an image
	attestation  bool
	sbom         *sbom.Document // of an image, where one is asked for
}

// sourceImage is one image of a source, read: its root and the manifests below it.
type sourceImage struct {
	root        registry.Manifest
	annotations map[string]string     // of the root, where it is an index
	single      bool                  // the root is an image manifest
	nested      bool                  // an index in the root's index
	omitted     bool                  // attestation manifests are left out
	lifted      []attestationManifest // those of them that were read
	manifests   []*sourceManifest
}

// walker follows one image from its root. Loops need no search: each document is hashed before it is read, and depth
// and number are bounded.
type walker struct {
	content             content
	where               string
	keepAttestations    bool // read attestation manifests, too
	lift                bool // read the attestation manifests that are left out for what they say
	trustListedPlatform bool // take a platform that the index names: the config is not read
	manifestCount       int
	omitted             []descriptor // attestation manifests that are to be lifted
}

// walk reads everything below root but layers. d is the descriptor that led to root, empty where nothing did.
func (w *walker) walk(ctx context.Context, root registry.Manifest, d descriptor) (sourceImage, error) {
	t := sourceImage{root: root, single: isManifest(root.MediaType)}
	if t.single {
		f, err := w.read(ctx, root, d)
		if err != nil {
			return sourceImage{}, err
		}
		t.manifests = []*sourceManifest{f}
		return t, nil
	}
	children, err := w.expand(ctx, &t, root, 1)
	if err != nil {
		return sourceImage{}, err
	}
	if t.lifted, err = w.readAttestations(ctx, w.omitted); err != nil {
		return sourceImage{}, err
	}
	w.omitted = nil
	t.manifests = make([]*sourceManifest, len(children))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(readers)
	for i, child := range children {
		g.Go(func() error {
			desc, err := child.checked()
			if err != nil {
				return fmt.Errorf("%s: %w", w.where, err)
			}
			m, err := load(ctx, w.content, desc)
			if err != nil {
				return err
			}
			t.manifests[i], err = w.read(ctx, m, child)
			return err
		})
	}
	return t, g.Wait()
}

// expand lists the manifests below an index, in its order, and reads the indexes among them.
func (w *walker) expand(ctx context.Context, t *sourceImage, index registry.Manifest, depth int) ([]descriptor, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("%s: index %s: indexes are nested more than %d deep", w.where, index.Digest, maxDepth)
	}
	doc, err := parseIndex(index.Raw)
	if err != nil {
		return nil, fmt.Errorf("%s: index %s: %w", w.where, index.Digest, err)
	}
	if w.manifestCount += len(doc.Manifests); w.manifestCount > maxChildren {
		return nil, fmt.Errorf("%s: index %s: it leads to more than %d manifests", w.where, index.Digest, maxChildren)
	}
	if index.Digest == t.root.Digest {
		t.annotations = doc.Annotations
	}
	var children []descriptor
	for _, d := range doc.Manifests {
		switch {
		case d.isAttestation() && !w.keepAttestations:
			t.omitted = true
			if w.isLifted(d) {
				w.omitted = append(w.omitted, d)
			}
		case isIndex(d.MediaType):
			t.nested = true
			desc, err := d.checked()
			if err != nil {
				return nil, fmt.Errorf("%s: index %s: %w", w.where, index.Digest, err)
			}
			inner, err := load(ctx, w.content, desc)
			if err != nil {
				return nil, err
			}
			below, err := w.expand(ctx, t, inner, depth+1)
			if err != nil {
				return nil, err
			}
			children = append(children, below...)
		default:
			children = append(children, d)
		}
	}
	return children, nil
}

// read parses an image manifest, or an attestation manifest, that d describes.
func (w *walker) read(ctx context.Context, m registry.Manifest, d descriptor) (*sourceManifest, error) {
	fail := func(err error) (*sourceManifest, error) {
		return nil, fmt.Errorf("%s: manifest %s: %w", w.where, m.Digest, err)
	}
	if !isManifest(m.MediaType) {
		return fail(fmt.Errorf("media type %q is not an image", m.MediaType))
	}
	doc, err := parseManifest(m.Raw)
	if err != nil {
		return fail(err)
	}
	f := &sourceManifest{Manifest: m, doc: doc, content: w.content, repositories: w.content.repositories(), where: w.where, annotations: d.Annotations}
	config, err := doc.Config.checked()
	if err != nil {
		return fail(err)
	}
	if f.attestation = d.isAttestation(); f.attestation {
		f.subject = d.Annotations[referenceDigest]
		f.platform = ociPlatform{OS: "unknown", Architecture: "unknown"}
	} else if err := doc.image(); err != nil {
		return fail(err)
	} else if w.trustListedPlatform && d.Platform != nil && d.Platform.OS != "" && d.Platform.Architecture != "" {
		if f.platform, err = d.Platform.normalised(); err != nil {
			return fail(err)
		}
	} else {
		raw, err := loadConfig(ctx, w.content, config)
		if err != nil {
			return nil, err
		}
		var own configDocument
		if err := json.Unmarshal(raw, &own); err != nil {
			return fail(fmt.Errorf("config %s: %w", config.Digest, err))
		}
		if n := len(own.RootFS.DiffIDs); n > 0 && n != len(doc.Layers) {
			// containerd refuses to unpack such an image; release candidates of Docker 25 saved some.
			return fail(fmt.Errorf("it has %s, its config %d", plural(len(doc.Layers), "layer"), n))
		}
		if f.platform, err = reconcilePlatforms(d.Platform, own.ociPlatform); err != nil {
			return fail(err)
		}
	}
	if f.blobs, err = w.blobs(config, doc.Layers); err != nil {
		return fail(err)
	}
	return f, nil
}

// blobs are the config and the layers, each digest once.
func (w *walker) blobs(config v1.Descriptor, layers []descriptor) ([]registry.Blob, error) {
	sizes := map[v1.Hash]int64{}
	var blobs []registry.Blob
	add := func(d v1.Descriptor) error {
		if size, ok := sizes[d.Digest]; ok {
			if size != d.Size {
				return fmt.Errorf("blob %s is listed with two sizes", d.Digest)
			}
			return nil
		}
		b, err := w.content.blob(d)
		if err != nil {
			return err
		}
		sizes[d.Digest] = d.Size
		blobs = append(blobs, b)
		return nil
	}
	if err := add(config); err != nil {
		return nil, err
	}
	for _, layer := range layers {
		d, err := layer.checked()
		if err != nil {
			return nil, err
		}
		if err := add(d); err != nil {
			return nil, err
		}
	}
	return blobs, nil
}
