// Command taglast publishes container images from a GitHub Actions job: it builds the index, pushes it untagged, signs
// its provenance as the job's workflow, stores it, checks it the way users will, and only then writes the tags.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/taglast/taglast/cmd/taglast/view"
	"github.com/taglast/taglast/internal/escape"
	"github.com/taglast/taglast/internal/jobsecret"
)

// version is set by the release build (-ldflags -X); without it the module's version is used.
var version = ""

func main() {
	keepPrivate()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	wd, err := os.Getwd()
	if err != nil {
		fmt.Fprintln(os.Stderr, "error: nothing was sent.", err)
		os.Exit(1)
	}
	code := run(ctx, &globals{
		stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr,
		getenv: hideFromChildren(os.Args[1:]), lookupEnv: os.LookupEnv, workdir: wd,
	}, os.Args[1:])
	stop()
	os.Exit(code)
}

// hideFromChildren takes out of the environment what no child process may have, and gives an os.Getenv that still knows it.
// The credential helpers that docker's config names are such processes; who can ask for an ID token can sign as this job.
// Of the action's step these are its inputs too, among which are tokens and secrets.
func hideFromChildren(args []string) func(string) string {
	hidden := map[string]string{}
	names := jobsecret.Names()
	if len(args) > 0 && args[0] == actionName {
		for _, variable := range os.Environ() { // of another version's action.yml, too
			if name, _, _ := strings.Cut(variable, "="); strings.HasPrefix(name, "INPUT_") {
				names = append(names, name)
			}
		}
	}
	for _, key := range names {
		if value, ok := os.LookupEnv(key); ok && os.Unsetenv(key) == nil {
			hidden[key] = value
		}
	}
	return func(key string) string {
		if value, ok := hidden[key]; ok {
			return value
		}
		return os.Getenv(key)
	}
}

// globals is what a command has from outside: streams, environment, network.
type globals struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	getenv         func(string) string
	lookupEnv      func(string) (string, bool)
	transport      http.RoundTripper // nil means the real network
	workdir        string
}

// exitError carries a command's exit code; shown is true where the error has been written already.
type exitError struct {
	code  int
	err   error
	shown bool
}

func (e *exitError) Error() string { return e.err.Error() }
func (e *exitError) Unwrap() error { return e.err }

// run executes one command line and gives its exit code: 0 done, 1 failed and no tag was changed, 2 wrong usage or
// release file, 3 failed after a tag may have changed.
func run(ctx context.Context, g *globals, args []string) int {
	root := &cobra.Command{
		Use:           "taglast",
		Short:         "Publish container images so that no tag ever names an image that is not attested",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.AddCommand(publishCommand(g), planCommand(g), verifyCommand(g), tagsCommand(g), schemaCommand(g), versionCommand(g), actionCommand(g))
	root.CompletionOptions.HiddenDefaultCmd = true
	root.SetArgs(args)
	root.SetIn(g.stdin)
	root.SetOut(g.stdout)
	root.SetErr(g.stderr)
	cmd, err := root.ExecuteContextC(ctx)
	if err == nil {
		return 0
	}
	var exit *exitError
	if !errors.As(err, &exit) { // cobra's own: a wrong flag, argument or command
		fmt.Fprintf(g.stderr, "error: nothing was sent. %s\nhint:  %s --help\n", escape.Lines(err.Error()), cmd.CommandPath())
		return 2
	}
	if !exit.shown {
		view.WriteFailure(g.stderr, nil, exit.err)
	}
	return exit.code
}
