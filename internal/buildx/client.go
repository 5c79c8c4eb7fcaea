package buildx

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/taglast/taglast/internal/escape"
	"github.com/taglast/taglast/internal/hint"
	"github.com/taglast/taglast/internal/provenance"
)

// defaultBuilds is how many builds run at the same time: a builder shares its processors among them.
const defaultBuilds = 2

// askTimeout bounds what is asked of buildx beside a build: its version, and what it knows of a builder, for which it
// waits 20 seconds itself.
const askTimeout = time.Minute

// Options of a Client. The zero value is ready for use.
type Options struct {
	Environ []string // NAME=VALUE; nil means the environment of this process
	Builds  int      // that run at the same time; zero means 2
	// Grace is how long a build that is told to end may take before it is killed; zero means 10 seconds.
	Grace time.Duration
}

// Client runs the builds of one run. All its methods may be called from several goroutines.
type Client struct {
	environ variables
	slots   chan struct{} // filled by builds that run
	grace   time.Duration

	findProgram func() (program, error)

	mu       sync.Mutex
	builds   map[string]*sharedBuild
	builders map[string]*sharedBuilder
}

// New returns a client. It asks nothing yet.
func New(o Options) *Client {
	if o.Environ == nil {
		o.Environ = os.Environ()
	}
	if o.Builds <= 0 {
		o.Builds = defaultBuilds
	}
	if o.Grace <= 0 {
		o.Grace = defaultGrace
	}
	c := &Client{
		environ: newVariables(o.Environ), slots: make(chan struct{}, o.Builds), grace: o.Grace,
		builds: map[string]*sharedBuild{}, builders: map[string]*sharedBuilder{},
	}
	c.findProgram = sync.OnceValues(c.find)
	return c
}

// program is an installed buildx.
type program struct {
	command []string // docker buildx, or the plugin by itself
	name    string   // of the repository that it is built from: github.com/docker/buildx
	version string   // as it says; empty where it says none
}

var (
	errNoProgram = errors.New("no buildx: neither `docker buildx` nor `docker-buildx` or `buildx` is on PATH")
	versionWord  = regexp.MustCompile(`^v?[0-9][0-9A-Za-z.+_~-]{0,63}$`)
	githubName   = regexp.MustCompile(`^github\.com/[A-Za-z0-9-]{1,64}/[A-Za-z0-9._-]{1,64}$`)
)

const installHint = "in Actions add a step before this one: `uses: docker/setup-buildx-action@v4`; elsewhere install docker-buildx"

// find looks for docker with its plugin, then for the plugin by itself.
func (c *Client) find() (program, error) {
	ctx, cancel := context.WithTimeout(context.Background(), askTimeout)
	defer cancel()
	for _, candidate := range [][]string{{"docker", "buildx"}, {"docker-buildx"}, {"buildx"}} {
		file := c.lookPath(candidate[0])
		if file == "" {
			continue
		}
		p := program{command: append([]string{file}, candidate[1:]...)}
		out, err := c.ask(ctx, p, "", "version")
		if err != nil {
			continue
		}
		words := strings.Fields(out)
		if len(words) == 0 {
			continue
		}
		if p.name = words[0]; len(words) > 1 && versionWord.MatchString(words[1]) {
			p.version = words[1]
		}
		return p, nil
	}
	return program{}, hint.With(errNoProgram, installHint)
}

// lookPath is a program on the PATH of the client's environment, empty where there is none. Folders of PATH that are
// relative are passed over: what lies in a checkout is not meant.
func (c *Client) lookPath(name string) string {
	path, _ := c.environ.get("PATH")
	for _, dir := range filepath.SplitList(path) {
		if !filepath.IsAbs(dir) {
			continue
		}
		if file, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
			return file
		}
	}
	return ""
}

// shown is the program with its version, for errors.
func (p program) shown() string {
	if p.version == "" {
		return "buildx"
	}
	return "buildx " + p.version
}

// BuilderDependencies are the program that builds, as a package URL with its version, for
// `runDetails.builder.builderDependencies`. It is an error where there is none.
func (c *Client) BuilderDependencies() ([]provenance.Dependency, error) {
	p, err := c.findProgram()
	if err != nil {
		return nil, err
	}
	repository, ok := strings.CutPrefix(p.name, "github.com/")
	if !ok || !githubName.MatchString(p.name) {
		return nil, nil // another program by that name: nothing is known of it
	}
	uri := "pkg:github/" + strings.ToLower(repository)
	if p.version != "" {
		uri += "@" + strings.NewReplacer("+", "%2B", "~", "%7E").Replace(p.version)
	}
	return []provenance.Dependency{{URI: uri}}, nil
}

// ask runs buildx for a short answer, and gives its standard output. The error holds what it said on standard error.
func (c *Client) ask(ctx context.Context, p program, dir string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	var stdout, stderr head
	cmd := newCommand(ctx, c.grace, p.command, args)
	cmd.Dir, cmd.Env = dir, list(c.environ.base())
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := runCommand(cmd); err != nil {
		if ctx.Err() != nil {
			return "", context.Cause(ctx)
		}
		said := strings.TrimPrefix(strings.TrimSpace(stderr.String()), "ERROR: ")
		if said == "" {
			return "", err
		}
		return "", &answerError{said}
	}
	return stdout.String(), nil
}

// answerError is what buildx said instead of an answer.
type answerError struct{ said string }

func (e *answerError) Error() string {
	return fmt.Sprintf("buildx says: %s", escape.Bounded(e.said, 500))
}

// head keeps the first 64 KiB of what is written to it.
type head struct{ b []byte }

func (h *head) Write(p []byte) (int, error) {
	h.b = append(h.b, p[:min(len(p), 64<<10-len(h.b))]...)
	return len(p), nil
}

func (h *head) String() string { return string(h.b) }
