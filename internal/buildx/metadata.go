package buildx

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/taglast/taglast/internal/escape"
	"github.com/taglast/taglast/internal/provenance"
)

// maxMaterials bounds what the builder may name for all platforms of a build together: a statement of more would be of no use.
const maxMaterials = 1000

// provenanceKey is the metadata file's entry for a build of one platform; those of several have /os/arch behind it.
const provenanceKey = "buildx.build.provenance"

var (
	sha256Hex = regexp.MustCompile(`^[0-9a-f]{64}$`)
	commitHex = regexp.MustCompile(`^[0-9a-f]{40}$`)
	scpLike   = regexp.MustCompile(`^(?:[^@/:]+@)?([^@/:]+):([^/].*)$`)
)

// material is what a build resolved: an entry of `materials` in SLSA v0.2, of `resolvedDependencies` in v1.
type material struct {
	URI    string            `json:"uri"`
	Digest map[string]string `json:"digest"`
}

// dependencies reads the metadata file: what the builder resolved, each once, sorted. What the request itself handed over,
// layouts, is not among it; a commit that its context pins is.
func (r Request) dependencies(raw []byte) ([]provenance.Dependency, error) {
	materials, err := parseMetadata(raw)
	if err != nil {
		return nil, err
	}
	var out []provenance.Dependency
	for _, m := range materials {
		d, err := m.dependency()
		if err != nil {
			return nil, err
		}
		if !r.handedOver(d) {
			out = append(out, d)
		}
	}
	if d, ok := r.pinned(); ok && !slices.ContainsFunc(out, func(o provenance.Dependency) bool { return o.Digest["gitCommit"] == d.Digest["gitCommit"] }) {
		out = append(out, d)
	}
	slices.SortFunc(out, func(a, b provenance.Dependency) int {
		return cmp.Or(cmp.Compare(a.URI, b.URI), cmp.Compare(a.Digest["sha256"], b.Digest["sha256"]), cmp.Compare(a.Digest["gitCommit"], b.Digest["gitCommit"]))
	})
	return slices.CompactFunc(out, func(a, b provenance.Dependency) bool { return a.URI == b.URI && maps.Equal(a.Digest, b.Digest) }), nil
}

// parseMetadata finds the materials of every platform.
func parseMetadata(raw []byte) ([]material, error) {
	var entries map[string]json.RawMessage
	if err := json.Unmarshal(raw, &entries); err != nil {
		return nil, fmt.Errorf("the metadata file: %w", err)
	}
	var out []material
	for _, key := range slices.Sorted(maps.Keys(entries)) {
		if key != provenanceKey && !strings.HasPrefix(key, provenanceKey+"/") {
			continue
		}
		var p struct {
			Materials       []material `json:"materials"`
			BuildDefinition struct {
				ResolvedDependencies []material `json:"resolvedDependencies"`
			} `json:"buildDefinition"`
		}
		if err := json.Unmarshal(entries[key], &p); err != nil {
			return nil, fmt.Errorf("the metadata file: %s: %w", escape.Bounded(key, 100), err)
		}
		out = append(append(out, p.Materials...), p.BuildDefinition.ResolvedDependencies...)
		if len(out) > maxMaterials {
			return nil, fmt.Errorf("the metadata file: the build has more than %d materials", maxMaterials)
		}
	}
	return out, nil
}

// dependency is a material with its digest checked. A digest of an algorithm that statements do not have is left out.
func (m material) dependency() (provenance.Dependency, error) {
	fail := func(err error) (provenance.Dependency, error) {
		return provenance.Dependency{}, fmt.Errorf("the metadata file: a material %w", err)
	}
	uri, err := publicURI(m.URI)
	if err != nil {
		return fail(err)
	}
	d := provenance.Dependency{URI: uri, Digest: map[string]string{}}
	for algorithm, value := range m.Digest {
		form, name := sha256Hex, "sha256"
		switch algorithm {
		case "sha256":
		case "sha1", "gitCommit": // BuildKit calls a commit sha1
			form, name = commitHex, "gitCommit"
		default:
			continue
		}
		if !form.MatchString(value) {
			return fail(fmt.Errorf("%s: %s is no %s digest", escape.Bounded(uri, 200), quote(value), escape.Bounded(algorithm, 20)))
		}
		d.Digest[name] = value
	}
	return d, nil
}

// publicURI is a material's address without what may be secret in it: user info and, but for a package URL, the query. An
// address as ssh takes it (git@HOST:PATH) becomes one with a scheme.
func publicURI(s string) (string, error) {
	switch {
	case s == "" || escape.HasControl(s) || len(s) > 4096:
		return "", errors.New("has no address that can be shown")
	case strings.HasPrefix(s, "pkg:"):
		return publicPackage(s)
	case strings.HasPrefix(s, "github.com/"):
		s = "https://" + s
	}
	if m := scpLike.FindStringSubmatch(s); m != nil && !strings.Contains(s, "://") {
		s = "ssh://" + m[1] + "/" + m[2]
	}
	u, err := url.Parse(s)
	if err != nil || u.Scheme == "" {
		return "", errors.New("has an address that is no URI") // which is not quoted, for it may hold a secret
	}
	return withoutLogin(u), nil
}

func withoutLogin(u *url.URL) string {
	u.User, u.RawQuery, u.ForceQuery = nil, "", false
	return u.String()
}

// publicPackage is a package URL without what may be secret in the addresses among its qualifiers. One that has nothing of
// the kind stays as it is written.
func publicPackage(s string) (string, error) {
	u, err := url.Parse(s)
	if err != nil {
		return "", errors.New("has a package URL that cannot be read")
	}
	qualifiers, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return "", errors.New("has a package URL whose qualifiers cannot be read")
	}
	changed := false
	for _, values := range qualifiers {
		for i, value := range values {
			if address, err := url.Parse(strings.TrimPrefix(value, "git+")); err == nil && (address.User != nil || address.RawQuery != "") {
				values[i], changed = withoutLogin(address), true
			}
		}
	}
	if changed {
		u.RawQuery = qualifiers.Encode()
		s = u.String()
	}
	return s, nil
}

// handedOver reports whether a dependency is an image that the request itself gave as a layout.
func (r Request) handedOver(d provenance.Dependency) bool {
	return strings.HasPrefix(d.URI, "pkg:oci/") && slices.ContainsFunc(r.Contexts, func(c NamedContext) bool {
		return c.Layout != "" && c.Digest == "sha256:"+d.Digest["sha256"]
	})
}

// pinned is the commit that the address of the context names: …#COMMIT or …#COMMIT:FOLDER.
func (r Request) pinned() (provenance.Dependency, bool) {
	if !remote(r.Context) {
		return provenance.Dependency{}, false
	}
	_, fragment, _ := strings.Cut(r.Context, "#")
	commit, _, _ := strings.Cut(fragment, ":")
	uri, err := publicURI(r.Context)
	if err != nil || !commitHex.MatchString(commit) {
		return provenance.Dependency{}, false
	}
	return provenance.Dependency{URI: uri, Digest: map[string]string{"gitCommit": commit}}, true
}
