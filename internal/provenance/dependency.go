package provenance

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/taglast/taglast/internal/escape"
)

// descriptor is an in-toto ResourceDescriptor with the two fields that are written.
type descriptor struct {
	URI    string            `json:"uri"`
	Digest map[string]string `json:"digest,omitempty"`
}

var lowerHex = regexp.MustCompile(`^[0-9a-f]+$`)

// hexDigits is how long a digest of a dependency is: an image's, and a commit's (in-toto, "DigestSet").
var hexDigits = map[string]int{"sha256": 64, "gitCommit": 40}

// descriptors checks dependencies and leaves out those that are there already.
func descriptors(dependencies []Dependency) ([]descriptor, error) {
	var out []descriptor
	for _, d := range dependencies {
		uri, err := publicURI(d.URI)
		if err != nil {
			return nil, err // it does not quote the URI, which may hold a secret
		}
		if err := checkDigest(d.Digest); err != nil {
			return nil, fmt.Errorf("%s: %w", escape.Bounded(uri, 200), err)
		}
		same := func(o descriptor) bool { return o.URI == uri && maps.Equal(o.Digest, d.Digest) }
		if !slices.ContainsFunc(out, same) {
			out = append(out, descriptor{URI: uri, Digest: maps.Clone(d.Digest)})
		}
	}
	return out, nil
}

func checkDigest(digest map[string]string) error {
	for _, name := range slices.Sorted(maps.Keys(digest)) {
		value := digest[name]
		n, known := hexDigits[name]
		switch {
		case !known:
			return fmt.Errorf("%q is not a digest algorithm of dependencies", escape.Bounded(name, 40))
		case len(value) != n || !lowerHex.MatchString(value):
			return fmt.Errorf("%q is not a %s digest", escape.Bounded(value, 200), name)
		}
	}
	return nil
}

// publicURI returns a dependency's URI as it may stand in a public log. User info is refused. A query is left out, for
// it can hold a secret (a signed address, a token); that of a package URL stays, for its qualifiers name the package,
// but none of them may be an address with user info or a query of its own.
func publicURI(s string) (string, error) {
	if s == "" || !printable(s) {
		return "", errors.New("without a printable URI")
	}
	u, err := url.Parse(s)
	if err != nil || u.Scheme == "" {
		return "", errors.New("with an address that is no URI")
	}
	if u.User != nil || strings.Contains(u.Opaque, "://") { // an opaque part can hide another address
		return "", errors.New("with user info in its URI")
	}
	if u.Scheme == "pkg" {
		return s, checkQualifiers(u.RawQuery)
	}
	if u.RawQuery == "" && !u.ForceQuery {
		return s, nil
	}
	u.RawQuery, u.ForceQuery = "", false
	return u.String(), nil
}

func checkQualifiers(query string) error {
	values, err := url.ParseQuery(query)
	if err != nil {
		return errors.New("with qualifiers that cannot be read")
	}
	for name, list := range values {
		for _, value := range list {
			u, err := url.Parse(strings.TrimPrefix(value, "git+"))
			if err == nil && (u.User != nil || u.RawQuery != "") {
				return fmt.Errorf("with user info or a query in its qualifier %s", escape.Bounded(name, 40))
			}
		}
	}
	return nil
}
