package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/taglast/taglast/cmd/taglast/view"
	"github.com/taglast/taglast/internal/actions"
	"github.com/taglast/taglast/internal/escape"
	"github.com/taglast/taglast/internal/hint"
	"github.com/taglast/taglast/internal/retry"
	"github.com/taglast/taglast/internal/trust"
	"github.com/taglast/taglast/pkg/publish"
	"github.com/taglast/taglast/pkg/release"
)

// releaseFlags are the flags of publish and plan.
type releaseFlags struct {
	config        string
	image         release.Flags
	registries    []string
	only          []string
	rebuild       bool
	dryRun        bool
	offline       bool
	outputDir     string
	signingConfig string
	trustedRoot   string
	rekor         string
	stores        []string
	jobs          int
	timeout       time.Duration
	format        string
	all           bool
}

func (f *releaseFlags) register(cmd *cobra.Command, offline string) {
	fs := cmd.Flags()
	fs.StringVarP(&f.config, "config", "f", "", "release file (default taglast.yaml)")
	fs.StringArrayVar(&f.image.Repositories, "repository", nil, "where the image goes, without a release file; repeatable")
	fs.StringArrayVar(&f.image.Sources, "source", nil, "KIND=VALUE: "+alternatives(release.SourceKinds())+"; repeatable")
	fs.StringArrayVar(&f.image.Tags, "tag", nil, "tag rule; repeatable")
	fs.StringArrayVar(&f.image.Flavor, "flavor", nil, "latest=, prefix=, suffix=; repeatable")
	fs.StringArrayVar(&f.image.Platforms, "platform", nil, "platform that the image must have; repeatable")
	fs.StringArrayVar(&f.image.Annotations, "annotation", nil, "[LEVEL:]KEY=VALUE; repeatable")
	fs.StringArrayVar(&f.image.Labels, "label", nil, "KEY=VALUE; repeatable")
	fs.StringVar(&f.image.ReleaseVersion, "release-version", "", "the version, where it is not the git tag")
	fs.StringArrayVar(&f.registries, "registry", nil, "only the repositories on this host; repeatable")
	fs.StringArrayVar(&f.only, "only", nil, "only this image; repeatable")
	fs.BoolVar(&f.rebuild, "rebuild", false, "build even where a fixed tag already names an attested image")
	fs.BoolVar(&f.offline, "offline", false, offline)
	fs.StringVar(&f.outputDir, "output-dir", "taglast-out", "directory for bundles and report.json")
	fs.StringVar(&f.signingConfig, "signing-config", "", "Sigstore signing config v0.2 (default: the public-good instance's, by TUF)")
	fs.StringVar(&f.trustedRoot, "trusted-root", "", "Sigstore trusted root v0.1 (default: the public-good instance's, by TUF)")
	fs.StringVar(&f.rekor, "rekor", "v1", "which version of the log to take from the signing config")
	fs.StringArrayVar(&f.stores, "store", nil, "where bundles are kept: github (default); repeatable")
	fs.IntVar(&f.jobs, "jobs", 0, "requests in flight (default 32, of them at most 8 that carry layers)")
	fs.DurationVar(&f.timeout, "timeout", time.Hour, "of the whole run")
	fs.StringVar(&f.format, "format", "", "json prints the report as one JSON document")
	fs.BoolVar(&f.all, "all", false, "list every image")
}

const credentialsHelp = `Credentials for a registry come from the first of these that has any: TAGLAST_REGISTRY_AUTH (a YAML list of
{registry, username, password}), docker's config and credential helpers (DOCKER_CONFIG), podman's auth file, and for
ghcr.io GITHUB_TOKEN. taglast plan names which it is for each registry, and never a secret.`

func publishCommand(g *globals) *cobra.Command {
	var f releaseFlags
	cmd := &cobra.Command{
		Use:   "publish [-f FILE]",
		Short: "Plan, build, push untagged, attest, verify, tag",
		Long:  "Plan, build, push untagged, attest, verify, and tag when every image of the release is attested.\n\n" + credentialsHelp,
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return f.run(cmd.Context(), g, func(ctx context.Context, o publish.Options) (*publish.Report, error) {
				if f.dryRun {
					return publish.DryRun(ctx, o, f.offline)
				}
				if f.offline {
					return nil, wrongUsage(errors.New("--offline goes with --dry-run"))
				}
				return publish.Publish(ctx, o)
			})
		},
	}
	f.register(cmd, "with --dry-run: let nothing leave this machine")
	cmd.Flags().BoolVar(&f.dryRun, "dry-run", false, "run every step on an overlay; write nothing to any registry, log or store")
	return cmd
}

func planCommand(g *globals) *cobra.Command {
	var f releaseFlags
	cmd := &cobra.Command{
		Use:   "plan [-f FILE]",
		Short: "Show what publish would do; reads only, builds nothing",
		Long:  "Show what publish would do. It reads only, and builds nothing.\n\n" + credentialsHelp,
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return f.run(cmd.Context(), g, func(ctx context.Context, o publish.Options) (*publish.Report, error) {
				return publish.Plan(ctx, o, f.offline)
			})
		},
	}
	f.register(cmd, "let nothing leave this machine: what the tags name now stays unknown")
	return cmd
}

// run does what publish and plan share: options from flags and environment, the observer, the result.
func (f *releaseFlags) run(ctx context.Context, g *globals, do func(context.Context, publish.Options) (*publish.Report, error)) error {
	runner := actions.New(g.getenv, g.stderr)
	o, err := f.options(g, runner)
	if err != nil {
		return f.fail(g, runner, nil, wrongUsage(err))
	}
	ctx, cancel := context.WithTimeoutCause(ctx, f.timeout, context.DeadlineExceeded)
	defer cancel()
	r, err := do(ctx, o)
	if closer, ok := o.Observer.(interface{ Close() }); ok {
		closer.Close()
	}
	if r != nil && f.format == "json" {
		raw, merr := publish.Marshal(r)
		if merr == nil {
			_, merr = g.stdout.Write(raw)
		}
		err = errors.Join(err, merr)
	}
	if runner.Active() {
		err = errors.Join(err, runner.Summary(view.Summary(r, err)))
	}
	if err != nil {
		return f.fail(g, runner, r, err)
	}
	if f.format != "json" {
		view.Result(g.stdout, r, f.outputDir, f.all)
	}
	if r.Outcome == publish.Partial { // tags are pending, and nothing failed
		return f.fail(g, runner, r, hint.With(fmt.Errorf("pending: %d, left out by --registry", r.Count().Pending),
			"run the same command without --registry later: it writes what is pending; nothing is built or signed again"))
	}
	return nil
}

// wrongUsage is an error of flags, environment or release file, before anything was done.
func wrongUsage(err error) error {
	return &publish.Error{Stage: publish.StagePlan, Usage: true, Err: err}
}

// fail shows err as an annotation in Actions, and as text.
func (f *releaseFlags) fail(g *globals, runner *actions.Runner, r *publish.Report, err error) error {
	if runner.Active() {
		title, detail, hinted := view.Failure(r, err)
		message := strings.Trim(detail+"\n"+hinted, "\n")
		if message == "" { // an annotation must have one
			message = title
		}
		runner.Error(title, message)
	}
	view.WriteFailure(g.stderr, r, err)
	return &exitError{code: publish.ExitCode(r, err), err: err, shown: true}
}

func (f *releaseFlags) options(g *globals, runner *actions.Runner) (publish.Options, error) {
	o := publish.Options{
		Only: f.only, Registries: f.registries, Rebuild: f.rebuild, Stores: f.stores, OutputDir: f.outputDir, Jobs: f.jobs,
		Transport: g.transport, Getenv: g.getenv, Version: programVersion(), WorkDir: g.workdir, CacheDir: trust.DefaultCacheDir(),
		Observer: observer(g.stderr, runner, f.format != ""),
		IDToken: func(ctx context.Context, client *http.Client, audience string) (string, error) {
			return runner.IDToken(ctx, client, audience, retry.Policy{Budget: 5 * time.Minute, AttemptTimeout: 30 * time.Second})
		},
	}
	if f.rekor != "v1" {
		return o, fmt.Errorf("--rekor %s: this version of taglast writes to Rekor v1 only", escape.Text(f.rekor))
	}
	if f.format != "" && f.format != "json" {
		return o, fmt.Errorf("--format %s: only `json` is supported", escape.Text(f.format))
	}
	if f.timeout <= 0 || f.jobs < 0 {
		return o, errors.New("--timeout and --jobs must be positive")
	}
	var err error
	if o.File, err = f.file(g); err != nil {
		return o, err
	}
	if o.SigningConfig, err = readOptional(f.signingConfig); err != nil {
		return o, fmt.Errorf("--signing-config: %w", err)
	}
	if o.TrustedRoot, err = readOptional(f.trustedRoot); err != nil {
		return o, fmt.Errorf("--trusted-root: %w", err)
	}
	runner.Mask(g.getenv("GITHUB_TOKEN"))
	runner.Mask(g.getenv("GH_TOKEN"))
	o.Keychain, err = publish.Keychain(g.getenv, runner.Mask)
	return o, err
}

// file is the release file, or the one image that flags describe where there is none.
func (f *releaseFlags) file(g *globals) (*release.File, error) {
	path := f.config
	described := f.describes()
	if path == "" && !described {
		path = "taglast.yaml"
	}
	if path == "" {
		return release.FromFlags(f.image)
	}
	if described {
		return nil, errors.New("--repository, --source, --tag, --flavor, --platform, --annotation and --label describe an image without a release file; with one, write them into it")
	}
	file, err := load(g, path)
	if err != nil {
		return nil, err
	}
	if f.image.ReleaseVersion != "" {
		for i := range file.Images {
			file.Images[i].ReleaseVersion = f.image.ReleaseVersion
		}
	}
	return file, nil
}

// load reads the release file; its mistakes name it as the person did.
func load(g *globals, path string) (*release.File, error) {
	at := path
	if !filepath.IsAbs(at) {
		at = filepath.Join(g.workdir, at)
	}
	file, err := release.Load(at, g.lookupEnv)
	var mistake *release.Error
	if errors.As(err, &mistake) && mistake.File == at {
		mistake.File = path
	}
	var unread *fs.PathError
	switch {
	case errors.Is(err, fs.ErrNotExist):
		err = hint.With(fmt.Errorf("release file %s: there is none", escape.Text(path)),
			"write one (`taglast schema` describes it), name another with --config, or describe one image with --repository, --source and --tag")
	case errors.As(err, &unread):
		err = fmt.Errorf("release file %s: %w", escape.Text(path), unread.Err)
	}
	return file, err
}

// describes says whether flags describe an image: release-version goes with a file too.
func (f *releaseFlags) describes() bool {
	return slices.ContainsFunc([][]string{
		f.image.Repositories, f.image.Sources, f.image.Tags, f.image.Flavor, f.image.Platforms, f.image.Annotations, f.image.Labels,
	}, func(values []string) bool { return len(values) > 0 })
}

func readOptional(path string) ([]byte, error) {
	if path == "" {
		return nil, nil
	}
	return trust.ReadFile(path)
}

// observer shows progress: groups and plain lines in Actions, bars on a terminal; there builders draw their own, unless
// the result is a document.
func observer(w io.Writer, runner *actions.Runner, document bool) publish.Observer {
	if runner.Active() {
		return &view.Plain{Line: func(s string) { fmt.Fprintln(w, s) }, Commands: runner}
	}
	f, ok := w.(*os.File)
	return &view.Terminal{W: w, Bar: ok && term.IsTerminal(int(f.Fd())), Lines: document}
}

// alternatives joins words as a sentence has them: a, b or c.
func alternatives(words []string) string {
	last := len(words) - 1
	if last < 1 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:last], ", ") + " or " + words[last]
}
