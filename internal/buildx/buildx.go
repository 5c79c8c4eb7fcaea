// Package buildx runs `docker buildx build` and gives what it leaves: an OCI layout in a private directory, and what the
// builder says that it was made of. It knows nothing of release files and images, and it never pushes, loads or tags.
//
// The program is the `docker` whose `docker buildx version` answers, else a `docker-buildx` or `buildx` on PATH. The child
// gets an environment of named variables only (Client.environ), values of secrets stand in no argument, and what it
// prints is made inert, and rid of them, before anyone sees it.
package buildx

import (
	"encoding/json"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/taglast/taglast/internal/provenance"
)

// Request is one build. Texts are as buildx takes them, empty means that the builder's own default holds.
type Request struct {
	Dir            string // relative paths start here; empty means the working directory
	File           string // the Dockerfile: from Dir, or within the context where that is a URL; empty: buildx' default
	Context        string // a folder, or a Git or https URL; empty means Dir
	Target         string
	Platforms      []string
	Args           []Arg
	Secrets        []Secret
	Contexts       []NamedContext
	CacheFrom      []string // type=KIND,KEY=VALUE,…
	CacheTo        []string
	Builder        string // empty means the current one
	Pull           bool
	NoCache        bool
	NoCacheFilters []string
	AddHosts       []string
	Allow          []string
	Network        string
	ShmSize        string
	Ulimits        []string
	SSH            []string
	Labels         map[string]string
	Created        time.Time // SOURCE_DATE_EPOCH; zero means 0, so that two builds do not differ by their time
	Provenance     bool      // keep BuildKit's own provenance in the index
	SBOM           bool      // have BuildKit make an SBOM
}

// Arg is a build argument.
type Arg struct {
	Name, Value     string
	FromEnvironment bool // the value is the environment's variable of that name
}

// Secret is a secret of a build: the content of a variable, or of a file. One of Env and Src is set.
type Secret struct{ ID, Env, Src string }

// NamedContext is a further build context: a text as buildx takes it, or an image of an OCI layout.
type NamedContext struct {
	Name   string
	Value  string
	Layout string // folder of an OCI layout; empty where Value is the context
	Digest string // of the image in Layout, sha256:hex: an index gives each platform its own
}

// Job is where a build leaves its files and who watches it.
type Job struct {
	// TempDir gives a new, empty directory that nobody else reads. Whoever gives it removes it, when the layout in it is
	// no longer read.
	TempDir func() (string, error)
	// Output gives what the build's output goes to, once the build begins; it is closed when that ends. nil, or a nil
	// result, means that nobody watches.
	Output func() io.WriteCloser
}

// Result is what a build left.
type Result struct {
	Layout       string                  // folder of the OCI layout; nothing in it is checked yet
	Dependencies []provenance.Dependency // what the builder resolved: base images, Git and http sources; sorted by URI
}

// key tells whether two requests are the same. A layout is known by its digest, wherever it lies.
func (r Request) key() (string, error) {
	r.Contexts = slices.Clone(r.Contexts)
	for i := range r.Contexts {
		r.Contexts[i].Layout = ""
	}
	raw, err := json.Marshal(r)
	return string(raw), err
}

// local is a folder as an argument, which no folder's name can turn into a flag, standard input or an address.
func local(path string) string {
	switch {
	case path == "":
		return "."
	case strings.HasPrefix(path, "-"):
		return "./" + path
	}
	return path
}

// cacheKind is the kind of a cache: the value of type in its text; registry where it has none, as buildx takes it.
func cacheKind(text string) string {
	for _, field := range strings.Split(text, ",") {
		if kind, ok := strings.CutPrefix(strings.TrimSpace(field), "type="); ok {
			return kind
		}
	}
	return "registry"
}
