package release

import "github.com/google/go-containerregistry/pkg/name"

// DockerfileSource is a Dockerfile that `docker buildx build` builds for all platforms of the image in one build. Texts
// are as buildx takes them; relative paths start at the file's folder.
type DockerfileSource struct {
	File           string         // path of the Dockerfile; within the context where that is a URL
	Context        string         // a folder, or a Git or https URL; empty: the file's folder
	Target         string         // stage; empty: the last
	Args           []BuildArg     // sorted by name
	Secrets        []Secret       // in their order, each ID once
	Contexts       []NamedContext // sorted by name
	CacheFrom      []Cache
	CacheTo        []Cache
	Builder        string // name of the builder instance; empty: the current one
	Pull           bool   // look base images up again
	NoCache        bool
	NoCacheFilters []string // stages that are built again
	AddHosts       []string // HOST:IP
	Allow          []string // entitlements
	Network        string   // of RUN; empty: the builder's
	ShmSize        string
	Ulimits        []string
	SSH            []string // default|ID[=SOCKET|KEY[,KEY]]
}

// Kind is dockerfile.
func (DockerfileSource) Kind() string { return "dockerfile" }

// BuildArg is a build argument.
type BuildArg struct {
	Name, Value     string
	FromEnvironment bool // the file gives no value: it is the environment's variable of that name
}

// Secret is a secret of a build: the content of a variable of the environment, or of a file. One of Env and Src is set.
type Secret struct{ ID, Env, Src string }

// NamedContext is a further build context, which FROM and COPY --from name.
type NamedContext struct {
	Name  string
	Value string // as buildx takes it; empty where it is an image of this release
	Image string // name of another image of this release (image:NAME in the file)
}

// Cache is an external cache of a build.
type Cache struct {
	Kind string         // registry, local, inline, s3 or azblob
	Text string         // as buildx takes it: type=KIND,KEY=VALUE,…
	Ref  name.Reference // of kind registry; nil for the others
}
