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

var (
	algorithmName = regexp.MustCompile(`^[A-Za-z0-9_]{1,32}$`)
	lowerHex      = regexp.MustCompile(`^([0-9a-f]{2})+$`)
)

// hexDigits is how long a digest is, for the algorithms that the DigestSet specification names. Others may be used, too.
var hexDigits = map[string]int{
	"md5": 32, "sha1": 40, "sha224": 56, "sha256": 64, "sha384": 96, "sha512": 128, "sha512_224": 56, "sha512_256": 64,
	"sha3_224": 56, "sha3_256": 64, "sha3_384": 96, "sha3_512": 128,
	"gitBlob": 40, "gitCommit": 40, "gitTag": 40, "gitTree": 40, "dirHash": 64,
}

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
		if !algorithmName.MatchString(name) {
			return fmt.Errorf("%q is not a digest algorithm", escape.Bounded(name, 40))
		}
		if n := hexDigits[name]; !lowerHex.MatchString(value) || n != 0 && len(value) != n {
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
