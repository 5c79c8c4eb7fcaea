package provenance

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/taglast/taglast/internal/escape"
	"github.com/taglast/taglast/internal/strictjson"
)

// PredicateTypeV02 is SLSA provenance v0.2, which FromSLSA reads beside v1.
const PredicateTypeV02 = "https://slsa.dev/provenance/v0.2"

// ErrUnknownForm is returned by FromSLSA for a document that is no SLSA provenance in a form that it knows. Such a
// document says nothing of dependencies, and a caller for whom they are an addition may go on without.
var ErrUnknownForm = errors.New("not SLSA provenance in a form that is known")

// Bounds of FromSLSA.
const (
	maxMaterials   = 1024
	maxMaterialURI = 4096
)

// FromSLSA returns what the predicate of another builder's SLSA provenance says was built from, each once, in its order:
// the materials of v0.2 or the resolvedDependencies of v1. They can be listed as Input.Dependencies: of a URI, user info
// is left out, and a query unless it is a package URL's; Git's scp-like user@host:path is written as ssh://host/path. Of
// a digest set sha256 is kept, and sha1 or gitCommit of a commit as gitCommit; one in another algorithm alone leaves an
// entry without a digest.
//
// A document without either list, with more than 1024 entries, or with an entry whose URI is none is ErrUnknownForm. A
// sha256, sha1 or gitCommit that is not lower-case hex of its length is another error: an entry left out for it would
// make the list of what went into a build look whole where it is not.
func FromSLSA(predicate []byte) ([]Dependency, error) {
	list, err := materials(predicate)
	if err != nil {
		return nil, err
	}
	var out []Dependency
	for i, raw := range list {
		d, err := material(raw)
		if err != nil {
			return nil, fmt.Errorf("dependency %d of a SLSA provenance: %w", i+1, err)
		}
		same := func(o Dependency) bool { return o.URI == d.URI && maps.Equal(o.Digest, d.Digest) }
		if !slices.ContainsFunc(out, same) {
			out = append(out, d)
		}
	}
	return out, nil
}

// materials are the entries of either list, unread.
func materials(predicate []byte) ([]json.RawMessage, error) {
	object, err := strictjson.Object(predicate)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnknownForm, err)
	}
	raw, ok := object["materials"]
	if definition, v1 := object["buildDefinition"]; v1 {
		fields, err := strictjson.Object(definition)
		if err != nil {
			return nil, fmt.Errorf("%w: buildDefinition: %w", ErrUnknownForm, err)
		}
		if raw, ok = fields["resolvedDependencies"]; !ok {
			return nil, nil // it is optional in v1, and so are materials in v0.2
		}
	}
	if _, v02 := object["buildType"]; !ok && v02 {
		return nil, nil
	}
	var list []json.RawMessage
	if !ok || json.Unmarshal(raw, &list) != nil {
		return nil, fmt.Errorf("%w: it has neither materials nor resolvedDependencies", ErrUnknownForm)
	}
	if len(list) > maxMaterials {
		return nil, fmt.Errorf("%w: %d dependencies are more than %d", ErrUnknownForm, len(list), maxMaterials)
	}
	return list, nil
}

// material reads one entry.
func material(raw json.RawMessage) (Dependency, error) {
	object, err := strictjson.Object(raw)
	if err != nil {
		return Dependency{}, fmt.Errorf("%w: %w", ErrUnknownForm, err)
	}
	written, err := strictjson.Member(object, "uri")
	if err != nil || len(written) > maxMaterialURI {
		return Dependency{}, fmt.Errorf("%w: it has no URI of at most %d bytes", ErrUnknownForm, maxMaterialURI)
	}
	uri, err := publicURI(withoutUser(written))
	if err != nil {
		return Dependency{}, fmt.Errorf("%w: an entry %w", ErrUnknownForm, err)
	}
	digests := map[string]json.RawMessage{}
	if set, ok := object["digest"]; ok && string(set) != "null" {
		if digests, err = strictjson.Object(set); err != nil {
			return Dependency{}, fmt.Errorf("%w: a digest set: %w", ErrUnknownForm, err)
		}
	}
	d := Dependency{URI: uri}
	for _, known := range []struct{ from, to string }{{"sha256", "sha256"}, {"sha1", "gitCommit"}, {"gitCommit", "gitCommit"}} {
		if _, ok := digests[known.from]; !ok {
			continue
		}
		value, err := strictjson.Member(digests, known.from)
		if err != nil {
			return Dependency{}, fmt.Errorf("%s: its digest %w", escape.Bounded(uri, 200), err)
		}
		if err := checkDigest(map[string]string{known.to: value}); err != nil {
			return Dependency{}, fmt.Errorf("%s: %w", escape.Bounded(uri, 200), err)
		}
		if d.Digest == nil {
			d.Digest = map[string]string{}
		}
		d.Digest[known.to] = value
	}
	return d, nil
}

// withoutUser is a URI without user info: BuildKit writes xxxxx:xxxxx where there were credentials, and git@ of a Git
// server is no part of its name. What is no URI stays as it is.
func withoutUser(s string) string {
	if !strings.Contains(s, "://") {
		if user, rest, ok := strings.Cut(s, "@"); ok && !strings.ContainsAny(user, ":/") {
			if host, path, ok := strings.Cut(rest, ":"); ok && host != "" && !strings.Contains(host, "/") {
				return "ssh://" + host + "/" + strings.TrimPrefix(path, "/") // git@github.com:acme/app.git
			}
		}
		return s
	}
	u, err := url.Parse(s)
	if err != nil || u.User == nil {
		return s
	}
	u.User = nil
	return u.String()
}
