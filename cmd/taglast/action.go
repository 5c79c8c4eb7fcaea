package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/taglast/taglast/cmd/taglast/view"
	"github.com/taglast/taglast/internal/actions"
	"github.com/taglast/taglast/internal/inputs"
	"github.com/taglast/taglast/pkg/publish"
)

// actionName is the command that the action's step runs.
const actionName = "action"

// actionCommand is `taglast action`, which no person types: what it does comes by the environment, as action.yml hands it
// over.
func actionCommand(g *globals) *cobra.Command {
	return &cobra.Command{
		Use:    actionName,
		Short:  "Publish, as the step of the action: from its inputs, to its outputs",
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE:   func(cmd *cobra.Command, _ []string) error { return runAction(cmd.Context(), g) },
	}
}

// runAction publishes what the inputs say. Whatever is secret among them is hidden before anything else is written.
func runAction(ctx context.Context, g *globals) error {
	runner := actions.New(g.getenv, g.stderr)
	input := inputOf(g, runner)
	for _, secret := range inputs.Secrets(input) {
		runner.Mask(secret)
	}
	step := *g
	step.getenv = withInputs(g.getenv, input)
	_, authErr := publish.Keychain(step.getenv, runner.Mask) // hides the passwords; the run has one of its own
	job := runner.Job()
	if job.Workspace != "" {
		step.workdir = job.Workspace
	}
	in, err := inputs.Parse(input, inputs.Job{EventName: job.EventName, AnnotationLevels: g.getenv("DOCKER_METADATA_ANNOTATIONS_LEVELS")})
	f := stepFlags(in, g.workdir, step.workdir)
	f.finish = func(r *publish.Report, err error) error {
		return tellRunner(runner, r, err, in.DryRun, absolute(g.workdir, f.outputDir))
	}
	switch {
	case err != nil:
	case authErr != nil:
		err = fmt.Errorf("input %w", authErr)
	case in.Offline && !in.DryRun:
		err = errors.New("input `offline` goes with a dry run")
	}
	if err != nil {
		return f.conclude(&step, runner, nil, wrongUsage(err))
	}
	return f.run(ctx, &step, func(ctx context.Context, o publish.Options) (*publish.Report, error) {
		if in.DryRun {
			return publish.DryRun(ctx, o, in.Offline)
		}
		return publish.Publish(ctx, o)
	})
}

// inputOf gives the inputs by their names. Secrets come as they stand, for blanks at the end of a value are part of it.
func inputOf(g *globals, runner *actions.Runner) func(string) string {
	return func(name string) string {
		if name == "secrets" {
			return g.getenv(actions.InputVariable(name))
		}
		return runner.Input(name)
	}
}

// withInputs is the environment with the credentials that inputs give in the place of its own.
func withInputs(getenv func(string) string, input func(string) string) func(string) string {
	instead := map[string]string{"GITHUB_TOKEN": input("github-token"), "TAGLAST_REGISTRY_AUTH": input("registry-auth")}
	return func(key string) string {
		if value := instead[key]; value != "" {
			return value
		}
		return getenv(key)
	}
}

// stepFlags are the flags of publish as the inputs have them. Paths start at the workspace, which may not be the folder
// that the step runs in.
func stepFlags(in *inputs.Inputs, workdir, workspace string) *releaseFlags {
	at := func(path string) string {
		if path == "" || workdir == workspace {
			return path
		}
		return absolute(workspace, path)
	}
	f := &releaseFlags{
		config: in.Config, registries: in.Registries, only: in.Only, rebuild: in.Rebuild,
		outputDir: at(cmp.Or(in.OutputDir, defaultOutputDir)), signingConfig: at(in.SigningConfig), trustedRoot: at(in.TrustedRoot),
		rekor: cmp.Or(in.Rekor, defaultRekor), stores: in.Stores, jobs: in.Jobs, timeout: in.Timeout, format: in.Format, all: in.All,
		described: in.File, buildEnviron: in.BuildEnviron, noSummary: !in.ShowSummary,
	}
	f.image.ReleaseVersion = in.ReleaseVersion
	if f.timeout == 0 {
		f.timeout = defaultTimeout
	}
	if f.described != nil {
		f.described.Dir = workspace
	}
	return f
}

// tellRunner sets the step's outputs, and declares the images once their tags are written.
func tellRunner(runner *actions.Runner, r *publish.Report, err error, dryRun bool, dir string) error {
	outputs, failed := view.Outputs(r, dryRun, dir, exists)
	for _, o := range outputs {
		failed = errors.Join(failed, runner.Output(o.Name, o.Value))
	}
	if err != nil || dryRun || r == nil {
		return failed
	}
	lines, omitted := view.Artifacts(r, runner.Artifacts())
	if omitted > 0 {
		runner.Warning("", fmt.Sprintf("images that are not declared as artifacts of the job: %d; it has 500 already, or others of these names", omitted))
	}
	return errors.Join(failed, runner.Declare(lines))
}

// absolute is a path that starts at dir, unless it is absolute.
func absolute(dir, path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// What flags have where nothing is given.
const (
	defaultOutputDir = "taglast-out"
	defaultRekor     = "v1"
	defaultTimeout   = time.Hour
)
