package buildx

import (
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/taglast/taglast/internal/escape"
	"github.com/taglast/taglast/internal/hint"
	"github.com/taglast/taglast/internal/jobsecret"
)

// inherited are the variables that every child gets: what buildx, docker and BuildKit's client read, the proxies, and what
// Windows' programs cannot do without.
var inherited = map[string]bool{
	"PATH": true, "HOME": true, "TMPDIR": true,
	"DOCKER_CONFIG": true, "DOCKER_HOST": true, "DOCKER_CONTEXT": true,
	"http_proxy": true, "https_proxy": true, "no_proxy": true, "all_proxy": true,
	"HTTP_PROXY": true, "HTTPS_PROXY": true, "NO_PROXY": true, "ALL_PROXY": true,
}

var inheritedPrefixes = []string{"BUILDX_", "BUILDKIT_"}

// inheritedOnWindows are further ones there, in capitals: Windows compares names without case.
var inheritedOnWindows = map[string]bool{
	"SYSTEMROOT": true, "SYSTEMDRIVE": true, "WINDIR": true, "COMSPEC": true, "PATHEXT": true, "USERPROFILE": true,
	"HOMEDRIVE": true, "HOMEPATH": true, "APPDATA": true, "LOCALAPPDATA": true, "PROGRAMDATA": true, "PROGRAMFILES": true,
	"PROGRAMFILES(X86)": true, "PROGRAMW6432": true, "TEMP": true, "TMP": true, "USERNAME": true,
}

// forS3 are the variables from which buildx takes the credentials of a cache of kind s3.
var forS3 = []string{
	"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE",
}

// variables are an environment by name, as the system compares names.
type variables map[string]string

func newVariables(environ []string) variables {
	v := variables{}
	for _, e := range environ {
		if name, value, ok := strings.Cut(e, "="); ok && name != "" {
			v[canonical(name)] = value
		}
	}
	return v
}

func canonical(name string) string {
	if runtime.GOOS == "windows" {
		return strings.ToUpper(name)
	}
	return name
}

func (v variables) get(name string) (string, bool) {
	value, ok := v[canonical(name)]
	return value, ok
}

// base is what every child gets. buildx is kept from asking git about the context's folder: what lies there may be
// somebody else's repository, whose configuration names programs for git to run.
func (v variables) base() map[string]string {
	out := map[string]string{}
	for name, value := range v {
		if isInherited(name) {
			out[name] = value
		}
	}
	out["BUILDX_GIT_INFO"], out["BUILDX_GIT_LABELS"] = "false", "false"
	return out
}

func isInherited(name string) bool {
	if inherited[name] || runtime.GOOS == "windows" && inheritedOnWindows[name] {
		return true
	}
	return slices.ContainsFunc(inheritedPrefixes, func(p string) bool { return strings.HasPrefix(name, p) })
}

// environ is the environment of the build, which has what the request names and nothing beyond. It is an error where a
// variable that is named is not set, or is never given to a build.
func (v variables) environ(r Request) ([]string, error) {
	out := v.base()
	for _, n := range r.named() {
		if jobsecret.Is(n.name) {
			return nil, hint.With(fmt.Errorf("%s: %s is never given to a build", n.of, n.name),
				"whoever has it can act as this job; give the build a token of its own")
		}
		value, set := v.get(n.name)
		if !set {
			return nil, hint.With(fmt.Errorf("%s: the environment has no variable %s", n.of, escape.Bounded(n.name, 100)),
				"set it in `env:` of the step; an empty value counts as set")
		}
		out[canonical(n.name)] = value
	}
	if r.usesAgent() {
		value, set := v.get("SSH_AUTH_SOCK")
		if !set {
			return nil, hint.With(fmt.Errorf("ssh: the environment has no SSH_AUTH_SOCK"), "start an agent before this step, or name a key: `default=PATH`")
		}
		out["SSH_AUTH_SOCK"] = value
	}
	if slices.ContainsFunc(slices.Concat(r.CacheFrom, r.CacheTo), func(text string) bool { return cacheKind(text) == "s3" }) {
		for _, name := range forS3 {
			if value, set := v.get(name); set {
				out[name] = value
			}
		}
	}
	// The base images and their digests are told by the provenance in the metadata file. min leaves out the steps of the
	// build; the values of arguments are there all the same, and the file is removed once it is read.
	out["BUILDX_METADATA_PROVENANCE"] = "min"
	out["SOURCE_DATE_EPOCH"] = strconv.FormatInt(r.epoch(), 10)
	return list(out), nil
}

// namedVariable is a variable that a request names, and what names it.
type namedVariable struct{ name, of string }

func (r Request) named() []namedVariable {
	var out []namedVariable
	for _, s := range r.Secrets {
		if s.Env != "" {
			out = append(out, namedVariable{s.Env, "secret " + escape.Bounded(s.ID, 100)})
		}
	}
	for _, a := range r.Args {
		if a.FromEnvironment {
			out = append(out, namedVariable{a.Name, "argument " + escape.Bounded(a.Name, 100)})
		}
	}
	return out
}

// usesAgent reports whether an ssh of the request is the agent's: one that names neither socket nor key.
func (r Request) usesAgent() bool {
	return slices.ContainsFunc(r.SSH, func(s string) bool { return !strings.Contains(s, "=") })
}

func (r Request) epoch() int64 {
	if r.Created.IsZero() {
		return 0
	}
	return max(0, r.Created.Unix())
}

// list is an environment as a process takes it, sorted.
func list(m map[string]string) []string {
	out := make([]string, 0, len(m))
	for _, name := range slices.Sorted(maps.Keys(m)) {
		out = append(out, name+"="+m[name])
	}
	return out
}
