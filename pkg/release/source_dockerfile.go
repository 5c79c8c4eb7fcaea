package release

import (
	"path"
	"path/filepath"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"

	"github.com/taglast/taglast/internal/buildcontext"
)

// DockerfileSource is a Dockerfile that `docker buildx build` builds for all platforms of the image in one build. Texts
// are as buildx takes them, without control characters; relative paths start at the file's folder.
type DockerfileSource struct {
	File           string         // path of the Dockerfile; within the context where that is a URL
	Context        string         // a folder, or a Git or https URL, see RemoteContext; empty: the file's folder
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
	AddHosts       []string // HOST:IP or HOST=IP
	Allow          []string // entitlements
	Network        string   // of RUN: none or host; empty: the builder's
	ShmSize        string   // a number of bytes, or one with a unit; empty: the builder's
	Ulimits        []string // NAME=SOFT[:HARD]
	SSH            []string // default|ID[=SOCKET|KEY[,KEY]]
}

// Kind is dockerfile.
func (DockerfileSource) Kind() string { return "dockerfile" }

// RemoteContext reports whether the context is a URL that BuildKit fetches, and no folder: https://, http://, git:// and
// ssh://, git@host:path and github.com/owner/repository. A folder of such a name is written with ./ before it.
func (s DockerfileSource) RemoteContext() bool { return buildcontext.IsAddress(s.Context) }

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

// Switches and words of a build; the parser looks them up by these names.
var (
	pullKey    = key{name: "pull", shape: choice, words: []string{"false", "true"}, doc: "With dockerfile: look base images up again, even those that the builder has."}
	noCacheKey = key{name: "no-cache", shape: choice, words: []string{"false", "true"}, doc: "With dockerfile: take nothing from the cache."}
	networkKey = key{name: "network", shape: choice, words: []string{"default", "none", "host"}, doc: "With dockerfile: the network of RUN."}
)

var dockerfileKind = sourceKind{
	keys: []key{
		{name: "dockerfile", doc: "The path of a Dockerfile, which docker buildx builds for all platforms."},
		{name: "context", doc: "With dockerfile: a folder, or a Git or https URL; default the file's own folder."},
		{name: "target", doc: "With dockerfile: the stage to build; default the last."},
		{name: "args", shape: variables, doc: "With dockerfile: build arguments. One without a value has that of the environment's variable of its name."},
		{name: "secrets", shape: list, doc: "With dockerfile: id=NAME,env=VARIABLE or id=NAME,src=FILE."},
		{name: "contexts", shape: variables, doc: "With dockerfile: further build contexts by name; image:NAME is another image of this file."},
		{name: "cache-from", shape: list, doc: "With dockerfile: caches to read; a reference, or type=registry|local|s3|azblob with its parameters."},
		{name: "cache-to", shape: list, doc: "With dockerfile: caches to write; a reference, or type=registry|local|inline|s3|azblob with its parameters."},
		{name: "builder", doc: "With dockerfile: the buildx builder; default the current one."},
		pullKey,
		noCacheKey,
		{name: "no-cache-filters", shape: list, doc: "With dockerfile: stages for which nothing is taken from the cache."},
		{name: "add-hosts", shape: list, doc: "With dockerfile: HOST:IP, for RUN."},
		{name: "allow", shape: list, doc: "With dockerfile: entitlements that RUN may use: network.host, security.insecure, device."},
		networkKey,
		{name: "shm-size", doc: "With dockerfile: the size of /dev/shm for RUN."},
		{name: "ulimit", shape: list, doc: "With dockerfile: NAME=SOFT:HARD, for RUN."},
		{name: "ssh", shape: list, doc: "With dockerfile: SSH agents or keys for RUN: default, or ID=SOCKET or ID=KEY,KEY."},
	},
	parse: (*resolver).dockerfileSource,
}

func (r *resolver) dockerfileSource(n *node, img *Image) (Source, error) {
	var s DockerfileSource
	for _, step := range []func(*node, *Image, *DockerfileSource) error{
		r.dockerfilePaths, r.dockerfileInputs, r.dockerfileCaches, r.dockerfileSwitches, r.dockerfileRun,
	} {
		if err := step(n, img, &s); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// dockerfilePaths reads what is built: the Dockerfile, its context and the stage.
func (r *resolver) dockerfilePaths(n *node, _ *Image, s *DockerfileSource) error {
	file, err := r.singleText(n.value("dockerfile"))
	if err != nil {
		return err
	}
	if err := file.checkPlain("dockerfile"); err != nil {
		return err
	}
	folder, err := r.optionalText(n, "context")
	if err != nil {
		return err
	}
	target, err := r.optionalText(n, "target")
	if err != nil {
		return err
	}
	s.File, s.Context, s.Target = file.text, folder.text, target.text
	switch {
	case s.File == "-" || s.Context == "-":
		if s.File == "-" {
			folder.at = file.at
		}
		return folder.at.errorf("`-` is the standard input, which is not read here; it is a path")
	case buildcontext.IsAddress(s.File):
		return file.at.errorf("`dockerfile` is a path, not a URL").withHint("a URL stands in `context`, and the Dockerfile's path is within it")
	case !s.RemoteContext() && strings.Contains(s.Context, "://"):
		return folder.at.errorf("`context` is an address of a kind that is not known; it is https://, http://, git:// or ssh://, or a folder")
	case !s.RemoteContext():
		return nil
	case path.IsAbs(s.File) || filepath.IsAbs(s.File) || strings.HasPrefix(path.Clean(s.File)+"/", "../"):
		return file.at.errorf("the Dockerfile %s is not within the context, which is a URL", quote(s.File))
	}
	return checkRemote("`context`", folder)
}

// dockerfileInputs reads what else goes into the build.
func (r *resolver) dockerfileInputs(n *node, img *Image, s *DockerfileSource) (err error) {
	if s.Args, err = r.buildArgs(n.value("args")); err != nil {
		return err
	}
	if s.Secrets, err = r.secrets(n.value("secrets")); err != nil {
		return err
	}
	if s.Contexts, err = r.namedContexts(n.value("contexts"), img); err != nil {
		return err
	}
	s.SSH, err = r.checkedTexts(n, "ssh", checkSSH)
	return err
}

func (r *resolver) dockerfileCaches(n *node, img *Image, s *DockerfileSource) (err error) {
	if s.CacheFrom, err = r.caches(n.value("cache-from"), cacheFrom, img); err != nil {
		return err
	}
	s.CacheTo, err = r.caches(n.value("cache-to"), cacheTo, img)
	return err
}

// dockerfileSwitches reads which builder builds, and what it takes from its cache.
func (r *resolver) dockerfileSwitches(n *node, _ *Image, s *DockerfileSource) error {
	builder, err := r.optionalText(n, "builder")
	if err != nil {
		return err
	}
	s.Builder = builder.text
	for _, c := range []struct {
		key key
		to  *bool
	}{{pullKey, &s.Pull}, {noCacheKey, &s.NoCache}} {
		word, err := r.choice(c.key, n.value(c.key.name))
		if err != nil {
			return err
		}
		*c.to = word == "true"
	}
	stages, err := r.plainEntries(n, "no-cache-filters")
	if err != nil {
		return err
	}
	for _, line := range stages {
		for _, stage := range strings.Split(line.text, ",") {
			if stage = strings.TrimSpace(stage); stage == "" {
				return line.at.errorf("`no-cache-filters` has an empty entry: %s", quote(line.text))
			}
			s.NoCacheFilters = append(s.NoCacheFilters, stage)
		}
	}
	if s.NoCache && len(s.NoCacheFilters) > 0 {
		return stages[0].at.errorf("`no-cache` and `no-cache-filters` exclude each other").withHint("`no-cache` is about every stage: leave one of them out")
	}
	return nil
}

// dockerfileRun reads what the RUN instructions have around them.
func (r *resolver) dockerfileRun(n *node, _ *Image, s *DockerfileSource) (err error) {
	if s.AddHosts, err = r.checkedTexts(n, "add-hosts", checkHost); err != nil {
		return err
	}
	if s.Allow, err = r.checkedTexts(n, "allow", checkEntitlement); err != nil {
		return err
	}
	if s.Ulimits, err = r.checkedTexts(n, "ulimit", checkUlimit); err != nil {
		return err
	}
	if s.Network, err = r.choice(networkKey, n.value("network")); err != nil {
		return err
	}
	if s.Network == networkKey.words[0] {
		s.Network = ""
	}
	size, err := r.optionalText(n, "shm-size")
	if err == nil && size.text != "" {
		err = checkSize(size)
	}
	s.ShmSize = size.text
	return err
}
