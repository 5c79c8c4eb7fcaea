// Package publish is the pipeline: plan, build, push untagged, attest, verify, and, when every image of the release has
// its proof, tag and report. Each stage takes what the stage before made; no tag ever names an image that is not attested.
package publish

import (
	"context"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"

	"github.com/taglast/taglast/internal/network"
	"github.com/taglast/taglast/pkg/release"
)

// Options of a run. Only File is required. Plan uses neither IDToken, SigningConfig, TrustedRoot, CacheDir, OutputDir nor
// Rebuild; DryRun refuses SigningConfig and TrustedRoot, and has ID tokens of its own.
type Options struct {
	File       *release.File // what to publish; nil is wrong usage
	Only       []string      // image names; empty means all
	Registries []string      // registry hosts; empty means all
	Rebuild    bool          // do not adopt what a fixed tag names
	Stores     []string      // where bundles are kept; empty means "github", and no other kind is supported
	OutputDir  string        // bundles and report.json; empty means taglast-out
	Jobs       int           // requests in flight; zero means 32, of them at most 8 that carry layers

	SigningConfig []byte // Sigstore signing config v0.2; nil means the public-good instance's, by TUF
	TrustedRoot   []byte // Sigstore trusted root v0.1; nil means the public-good instance's, by TUF

	Transport http.RoundTripper   // the network; nil means the network
	Keychain  authn.Keychain      // registry credentials (the function Keychain finds the usual ones); nil means anonymous
	Getenv    func(string) string // the environment; nil means os.Getenv
	// BuildEnviron are variables, NAME=VALUE, beside those of this process's environment, which only a builder gets, and
	// only those that a secret or an argument of its build names.
	BuildEnviron []string
	// IDToken gets an ID token for that audience; nil asks the runner of the environment, as GitHub's toolkit does.
	IDToken func(ctx context.Context, client *http.Client, audience string) (string, error)

	Version  string   // of taglast, for User-Agent and Header; empty means devel
	CacheDir string   // of TUF metadata; empty keeps nothing on disk
	WorkDir  string   // the checkout, which git is asked about; empty means "."
	Observer Observer // is told how far the run is; nil means nobody is
}

// Observer is told how far a run is. Its methods may be called from several goroutines.
type Observer interface {
	// Begin is called once, when the plan is made.
	Begin(Header)
	// Progress is called for one stage after the other, and for each last with Finished.
	Progress(Event)
	// Warn gives a message that the person should see; it is one line, and may hold foreign text.
	Warn(message string)
	// BuildOutput is called when a builder begins to build an image. What the builder prints is written to the result,
	// which is closed when the builder ends; nil is shown nothing. A result that is a Terminal is drawn on by the builder.
	BuildOutput(image string) io.WriteCloser
}

// Terminal is build output that a builder may draw its own bars on.
type Terminal interface {
	// Terminal is the terminal; nil where the output is to be written instead.
	Terminal() *os.File
}

// Header is what is known when the plan has been made.
type Header struct {
	Version      string   // of taglast
	DryRun       bool     // nothing is written
	Release      string   // the version that rules gave; empty where there is none
	FromFlag     bool     // the version was given by release-version
	SHA, Ref     string   // the commit and the ref that started the run
	Repository   string   // owner/name
	Workflow     string   // path@ref
	FromCheckout bool     // the identity was made from the git checkout, not by Actions
	Repositories []string // that this run writes to, each once, docker.io for Docker Hub
	Images       int      // of the selection
	Platforms    []string // that the file asks for, each once
	Logins       []Login  // of a plan: how each registry is logged in to, in the order of the file
}

// Login says where the credentials for a registry come from. It holds no part of them.
type Login struct {
	Registry string // docker.io for Docker Hub
	Source   string // "GITHUB_TOKEN", "~/.docker/config.json", "none: anonymous", …
}

// Event says how far a stage is.
type Event struct {
	Stage       Stage
	Done, Total int           // images; in the tag stage tags
	Note        string        // what to show beside the count; may be empty
	Finished    bool          // the stage's last event
	Took        time.Duration // of a finished stage
}

// Took is what a run cost.
type Took struct {
	Elapsed       time.Duration
	Reads, Writes int   // requests that left the program
	BytesUploaded int64 // blob content
}

// defaultJobs is how many requests are in flight: the work is waiting.
const defaultJobs = 32

func (o Options) withDefaults() Options {
	if o.Transport == nil {
		o.Transport = network.Transport()
	}
	if o.Observer == nil {
		o.Observer = silent{}
	}
	if o.Getenv == nil {
		o.Getenv = os.Getenv
	}
	if len(o.Stores) == 0 {
		o.Stores = []string{"github"}
	}
	if o.IDToken == nil {
		o.IDToken = o.runnerToken
	}
	if o.WorkDir == "" {
		o.WorkDir = "."
	}
	if o.Jobs <= 0 {
		o.Jobs = defaultJobs
	}
	return o
}

type silent struct{}

func (silent) Begin(Header)                      {}
func (silent) Progress(Event)                    {}
func (silent) Warn(string)                       {}
func (silent) BuildOutput(string) io.WriteCloser { return nil }
