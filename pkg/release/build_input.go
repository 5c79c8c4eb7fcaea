package release

import (
	"cmp"
	"encoding/csv"
	"net/url"
	"slices"
	"strings"
	"unicode"

	"github.com/taglast/taglast/internal/buildcontext"
	"github.com/taglast/taglast/internal/jobsecret"
	"github.com/taglast/taglast/internal/weburl"
)

// variable is a name with a value, from a map or from a list of NAME=VALUE.
type variable struct {
	name, value string
	bare        bool     // nothing is written for a value
	at, valueAt position // of the name, of the value
}

// variables reads a map of texts or lines NAME=VALUE, sorted by name. A name that stands twice is an error.
func (r *resolver) variables(n *node, what string) ([]variable, error) {
	if n == nil {
		return nil, nil
	}
	var out []variable
	if n.kind == mapping {
		fields, err := r.pairs(n, what)
		if err != nil {
			return nil, err
		}
		for _, f := range fields {
			out = append(out, variable{f.key, f.value, f.null, f.at, f.valueAt})
		}
	} else {
		lines, err := r.entries(n, false)
		if err != nil {
			return nil, err
		}
		for _, line := range lines {
			name, value, found := strings.Cut(line.text, "=")
			out = append(out, variable{name, value, !found, line.at, line.at})
		}
	}
	slices.SortStableFunc(out, func(a, b variable) int { return cmp.Compare(a.name, b.name) })
	for i, v := range out {
		switch {
		case strings.TrimSpace(v.name) == "" || strings.Contains(v.name, "="):
			return nil, v.at.errorf("%s %s: its name is empty or has `=`", what, quote(v.name))
		case strings.ContainsFunc(v.name+v.value, unicode.IsControl):
			return nil, v.at.errorf("%s %s has a control character", what, quote(v.name))
		case i > 0 && out[i-1].name == v.name:
			return nil, v.at.errorf("%s %s stands twice", what, quote(v.name))
		}
	}
	return out, nil
}

// buildArgs reads build arguments as Compose and docker do: one for which nothing is written has the environment's value,
// and an empty text in quotes is the empty value.
func (r *resolver) buildArgs(n *node) ([]BuildArg, error) {
	read, err := r.variables(n, "build argument")
	if err != nil {
		return nil, err
	}
	var out []BuildArg
	for _, v := range read {
		if v.bare {
			if err := checkVariable(v.name, v.at); err != nil {
				return nil, err
			}
			if isGitHubToken(v.name) {
				return nil, v.at.errorf("%s is a secret, and build arguments stand in the image's history", strings.ToUpper(v.name)).
					withHint("give it as a secret: `secrets: [\"id=github,env=%s\"]`", strings.ToUpper(v.name))
			}
		}
		out = append(out, BuildArg{Name: v.name, Value: v.value, FromEnvironment: v.bare})
	}
	return out, nil
}

// checkVariable refuses to hand the runner's own tokens to a build.
func checkVariable(name string, at position) error {
	if jobsecret.Is(name) {
		return at.errorf("%s is this job's own: a build that has it could act as this job", strings.ToUpper(name))
	}
	return nil
}

// csvPairs reads a record of KEY=VALUE parts as buildx does: at commas outside of quotes that go around a whole part, keys
// in lower case. A key that stands twice is an error. Values are not repeated in errors: they can be secret.
func csvPairs(e entry, what string) (map[string]string, error) {
	fields, err := csv.NewReader(strings.NewReader(e.text)).Read()
	if err != nil {
		return nil, e.at.errorf("%s: quotes go around a whole part: \"src=a,b\"", what)
	}
	out := map[string]string{}
	for _, f := range fields {
		k, v, found := strings.Cut(f, "=")
		k = strings.ToLower(strings.TrimSpace(k))
		switch _, twice := out[k]; {
		case !found:
			return nil, e.at.errorf("%s: a part is not KEY=VALUE", what)
		case twice:
			return nil, e.at.errorf("%s: %s stands twice", what, quote(k))
		}
		out[k] = v
	}
	return out, nil
}

// contextQuery are the keys that BuildKit defines for the address of a Git context.
var contextQuery = []string{"ref", "tag", "branch", "commit", "checksum", "subdir", "keep-git-dir", "submodules"}

// checkRemote refuses a URL that cannot be read or that holds credentials: it stands in the arguments of a process and
// in provenance. The user of an SSH address is no credential.
func checkRemote(what string, e entry) error {
	if !strings.Contains(e.text, "://") {
		return nil
	}
	u, err := url.Parse(e.text)
	if err != nil {
		return e.at.errorf("%s is a URL that cannot be read", what)
	}
	secret := u.User != nil
	if u.Scheme == "ssh" && secret {
		_, secret = u.User.Password()
	}
	if buildcontext.IsAddress(e.text) && u.Scheme != "ssh" {
		for key := range u.Query() {
			if !slices.Contains(contextQuery, key) {
				return e.at.errorf("%s: %s has a query with %s, which would stand in arguments, output and provenance", what, weburl.Show(u), quote(key)).
					withHint("known are %s; a signed address is fetched before this step", strings.Join(contextQuery, ", "))
			}
		}
	}
	if secret {
		return e.at.errorf("%s: %s has credentials in it, which would stand in arguments and in provenance", what, weburl.Show(u)).
			withHint("leave them out, and give the builder the token as a secret: \"id=GIT_AUTH_TOKEN,env=NAME\"")
	}
	return nil
}
