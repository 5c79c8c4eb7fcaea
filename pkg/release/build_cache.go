package release

import (
	"net/url"
	"slices"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"

	"github.com/taglast/taglast/internal/nearest"
)

// cacheUse is one of the two keys that name caches.
type cacheUse struct {
	key   string
	kinds []string
	local string // what of type=local names its folder
}

var (
	cacheFrom = cacheUse{"cache-from", []string{"registry", "local", "s3", "azblob"}, "src"}
	cacheTo   = cacheUse{"cache-to", []string{"registry", "local", "inline", "s3", "azblob"}, "dest"}
)

// cacheSecrets are parameters of caches that are secret.
var cacheSecrets = []string{"access_key_id", "secret_access_key", "session_token"}

// caches reads caches as buildx takes them: a reference, or type=KIND with parameters.
func (r *resolver) caches(n *node, use cacheUse, img *Image) ([]Cache, error) {
	lines, err := r.entries(n, false)
	if err != nil {
		return nil, err
	}
	var out []Cache
	for _, line := range lines {
		c, err := use.parse(line)
		if err != nil {
			return nil, err
		}
		if c.Ref != nil && use.key == cacheTo.key {
			r.cacheTargets = append(r.cacheTargets, cacheTarget{c.Ref, img.Name, line.at})
		}
		out = append(out, c)
	}
	return out, nil
}

func (u cacheUse) parse(line entry) (Cache, error) {
	if err := line.checkPlain(u.key); err != nil {
		return Cache{}, err
	}
	if !strings.Contains(line.text, "=") {
		if line.text == "gha" || line.text == "inline" || slices.Contains(u.kinds, line.text) {
			return Cache{}, line.at.errorf("%s: %s is a kind of cache, not a reference", u.key, quote(line.text)).
				withHint("write it as \"type=%s\", with what else it needs", line.text)
		}
		ref, err := u.reference(line, line.text)
		return Cache{Kind: "registry", Text: "type=registry,ref=" + line.text, Ref: ref}, err
	}
	parts, err := csvPairs(line, u.key)
	if err != nil {
		return Cache{}, err
	}
	c := Cache{Kind: parts["type"], Text: line.text}
	if err := u.checkKind(line, c.Kind); err != nil {
		return Cache{}, err
	}
	if err := u.checkSecrets(line, parts); err != nil {
		return Cache{}, err
	}
	switch {
	case c.Kind == "registry" && parts["ref"] == "":
		return Cache{}, u.missing(line, c.Kind, "ref")
	case c.Kind == "local" && parts[u.local] == "":
		return Cache{}, u.missing(line, c.Kind, u.local)
	case c.Kind == "registry":
		c.Ref, err = u.reference(line, parts["ref"])
	}
	return c, err
}

func (u cacheUse) missing(line entry, kind, part string) error {
	return line.at.errorf("%s: `type=%s` needs `%s=`", u.key, kind, part).
		withHint("write it as \"type=%s,%s=…\", in quotes: [ ] ends a text at its comma", kind, part)
}

func (u cacheUse) reference(line entry, text string) (name.Reference, error) {
	ref, err := name.ParseReference(text)
	if err != nil {
		return nil, line.at.errorf("%s: %s is not an image reference", u.key, quote(text)).
			withHint("it is registry/repository:tag, or \"type=KIND,…\"")
	}
	return ref, nil
}

func (u cacheUse) checkKind(line entry, kind string) error {
	known := strings.Join(u.kinds, ", ")
	switch {
	case slices.Contains(u.kinds, kind):
		return nil
	case kind == "":
		return line.at.errorf("%s: no `type=`; it is one of %s", u.key, known)
	case kind == "gha":
		return line.at.errorf("%s: `type=gha` needs the runner's token, which a builder is never given", u.key).
			withHint("use `type=registry` with a repository of its own; or build in a job without permissions, where type=gha works, " +
				"and publish the OCI layout that it leaves: `source: {oci: …}`")
	case kind == "inline":
		return line.at.errorf("%s has no `type=inline`; it is one of %s", u.key, known).
			withHint("an inline cache is read from the image that has it: `type=registry,ref=…`")
	}
	if near := nearest.Word(kind, u.kinds); near != "" {
		return line.at.errorf("%s: unknown type %s; did you mean `%s`?", u.key, quote(kind), near)
	}
	return line.at.errorf("%s: unknown type %s; it is one of %s", u.key, quote(kind), known)
}

// checkSecrets refuses secrets among the parameters of a cache: they would stand in the arguments of a process.
func (u cacheUse) checkSecrets(line entry, parts map[string]string) error {
	advice := "leave it out, and set AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN in the environment"
	if parts["type"] == "azblob" {
		advice = "leave it out: BuildKit takes AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET from the environment that it runs in"
	}
	for _, part := range cacheSecrets {
		if _, ok := parts[part]; ok {
			return line.at.errorf("%s: `%s` would stand in the arguments of a process", u.key, part).withHint("%s", advice)
		}
	}
	for _, part := range []string{"account_url", "endpoint_url"} {
		if at, err := url.Parse(parts[part]); err != nil || at.User != nil || at.RawQuery != "" {
			return line.at.errorf("%s: `%s` is a URL without credentials or a query: they would stand in the arguments of a process", u.key, part).
				withHint("%s", advice)
		}
	}
	return nil
}
