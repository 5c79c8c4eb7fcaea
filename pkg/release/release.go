// Package release reads the release file: which images go to which repositories, from what, under which tags. It checks
// all that can be checked without a network, resolves placeholders and defaults, and says of each mistake where it is.
//
// It is pure but for Load, which reads one file. Every scalar of the file is the text that is written: 1.10 is 1.10 and
// yes is yes. The parser and the JSON Schema are derived from one table of keys.
package release

import (
	"errors"
	"fmt"
	"path/filepath"

	"github.com/google/go-containerregistry/pkg/name"

	"github.com/taglast/taglast/internal/bounded"
	"github.com/taglast/taglast/pkg/tagrule"
)

// maxFile bounds the release file.
const maxFile = 1 << 20

// File is a release file, resolved: what stands above images is merged into each of them.
type File struct {
	Path   string // as given; empty where flags took the place of a file
	Dir    string // relative paths of the file start here
	Images []Image
}

// Image is one image of the release.
type Image struct {
	Name             string
	Repositories     []name.Repository // in lower case, each once; ociref.DisplayName writes them for people
	Platforms        []Platform        // those that the source must have, each once
	ReleaseVersion   string            // empty: not given
	Tags             []tagrule.Rule    // none: published by digest alone
	Flavor           tagrule.Flavor    // of all its lines
	Annotations      []Annotation
	Labels           map[string]string // an empty value removes one
	IfNoTags         string            // IfNoTagsError or IfNoTagsSkip
	Fixed            []string          // globs
	Moving           []string          // globs
	AllowDowngrade   []string          // globs
	Source           Source
	SBOM             SBOM
	KeepAttestations bool // keep BuildKit's attestations inside the index
	Line, Column     int  // of the entry in the file; 0 without a file
}

// SBOM says where the software bill of materials of each platform comes from. The zero value wants none; only one of its
// fields is set.
type SBOM struct {
	FromBuild bool   // BuildKit makes it, or left it in the index of the source
	Path      string // of a file for each platform, with {{platform}}, {{os}}, {{arch}} and {{arch-variant}} left in it
}

// What happens to an image for which no rule gives a tag.
const (
	IfNoTagsError = "error"
	IfNoTagsSkip  = "skip"
)

// Annotation is set on the index or on manifests. An image's are sorted by level, platform and key.
type Annotation struct {
	Level    string   // LevelIndex or LevelManifest; empty is LevelIndex
	Platform Platform // with LevelManifest: the only one whose manifest gets it; the zero value is all
	Key      string
	Value    string // an empty one removes the key
}

// Levels of annotations.
const (
	LevelIndex    = "index"
	LevelManifest = "manifest"
)

// Load reads and checks the file at path, of at most 1 MiB; see Parse. getenv looks up what ${NAME} names; nil means
// os.LookupEnv.
func Load(path string, getenv func(string) (string, bool)) (*File, error) {
	data, err := bounded.ReadFile(path, maxFile)
	if errors.Is(err, bounded.ErrTooLarge) {
		return nil, tooLarge(path)
	}
	if err != nil {
		return nil, fmt.Errorf("release file: %w", err)
	}
	return Parse(path, data, getenv)
}

// Parse checks data as the release file at path and resolves it. getenv looks up what ${NAME} names; nil means
// os.LookupEnv. A mistake in the file is an *Error.
func Parse(path string, data []byte, getenv func(string) (string, bool)) (*File, error) {
	d := newDocument(path, data, getenv)
	root, err := d.parseYAML()
	if err != nil {
		return nil, err
	}
	images, err := d.resolve(root)
	if err != nil {
		return nil, err
	}
	return &File{Path: path, Dir: filepath.Dir(path), Images: images}, nil
}

func tooLarge(path string) error {
	return position{file: path}.errorf("the release file has more than %d bytes", maxFile)
}
