package buildx

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/taglast/taglast/internal/buildcontext"
	"github.com/taglast/taglast/internal/escape"
	"github.com/taglast/taglast/internal/provenance"
	"github.com/taglast/taglast/internal/strictjson"
)

// maxDependencies bounds what the builder may name for all platforms of a build together.
const maxDependencies = 1024

// provenanceKey is the metadata file's entry for a build of one platform; those of several have /os/arch behind it. Its
// value is a predicate of SLSA provenance, which is there whether or not the image keeps one.
const provenanceKey = "buildx.build.provenance"

var commitHex = regexp.MustCompile(`^[0-9a-f]{40}$`)

// dependencies reads the metadata file: what the builder resolved for any platform, each once, sorted. What the request
// itself handed over as a layout is not among it; a commit that its context pins is.
func (r Request) dependencies(raw []byte) ([]provenance.Dependency, error) {
	resolved, err := parseMetadata(raw)
	if err != nil {
		return nil, err
	}
	out := slices.DeleteFunc(resolved, r.handedOver)
	if d, ok := r.pinned(); ok && !slices.ContainsFunc(out, func(o provenance.Dependency) bool { return o.Digest["gitCommit"] == d.Digest["gitCommit"] }) {
		out = append(out, d)
	}
	slices.SortFunc(out, func(a, b provenance.Dependency) int {
		return cmp.Or(cmp.Compare(a.URI, b.URI), cmp.Compare(a.Digest["sha256"], b.Digest["sha256"]), cmp.Compare(a.Digest["gitCommit"], b.Digest["gitCommit"]))
	})
	return slices.CompactFunc(out, func(a, b provenance.Dependency) bool { return a.URI == b.URI && maps.Equal(a.Digest, b.Digest) }), nil
}

// parseMetadata gives the dependencies of every platform, in the order of the platforms.
func parseMetadata(raw []byte) ([]provenance.Dependency, error) {
	entries, err := strictjson.Object(raw)
	if err != nil {
		return nil, fmt.Errorf("the metadata file: %w", err)
	}
	var out []provenance.Dependency
	for _, key := range slices.Sorted(maps.Keys(entries)) {
		if key != provenanceKey && !strings.HasPrefix(key, provenanceKey+"/") {
			continue
		}
		resolved, err := provenance.FromSLSA(entries[key])
		if err != nil {
			return nil, fmt.Errorf("the metadata file: %s: %w", escape.Bounded(key, 100), err)
		}
		if out = append(out, resolved...); len(out) > maxDependencies {
			return nil, fmt.Errorf("the metadata file: the build has more than %d dependencies", maxDependencies)
		}
	}
	return out, nil
}

// handedOver reports whether a dependency is an image that the request itself gave as a layout.
func (r Request) handedOver(d provenance.Dependency) bool {
	return strings.HasPrefix(d.URI, "pkg:oci/") && slices.ContainsFunc(r.Contexts, func(c NamedContext) bool {
		return c.Layout != "" && c.Digest == "sha256:"+d.Digest["sha256"]
	})
}

// pinned is the commit that the address of the context names: …#COMMIT or …#COMMIT:FOLDER.
func (r Request) pinned() (provenance.Dependency, bool) {
	_, fragment, _ := strings.Cut(r.Context, "#")
	commit, _, _ := strings.Cut(fragment, ":")
	if !buildcontext.IsAddress(r.Context) || !commitHex.MatchString(commit) {
		return provenance.Dependency{}, false
	}
	address := r.Context
	if strings.HasPrefix(address, "github.com/") {
		address = "https://" + address
	}
	// By way of the parser, so that an address has the form that it gives one which the builder names.
	predicate, err := json.Marshal(map[string]any{"materials": []any{map[string]any{"uri": address, "digest": map[string]string{"sha1": commit}}}})
	if err != nil {
		return provenance.Dependency{}, false
	}
	out, err := provenance.FromSLSA(predicate)
	if err != nil || len(out) != 1 {
		return provenance.Dependency{}, false
	}
	return out[0], true
}
