package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/taglast/taglast/internal/escape"
	"github.com/taglast/taglast/pkg/publish"
)

// tagsFlags are the flags of tags.
type tagsFlags struct {
	config  string
	options publish.TagsOptions
	format  string
}

func tagsCommand(g *globals) *cobra.Command {
	var f tagsFlags
	cmd := &cobra.Command{
		Use:   "tags",
		Short: "Print the tags that rules give for this git event",
		Long: `Print the tags that rules in docker/metadata-action's grammar give for this git event, one a line; with --image, full
references.

The event is that of the GitHub Actions job, or else of the git checkout. Without --rule and --config the default rules
of docker/metadata-action apply. An empty result is not an error.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd.Context(), g) },
	}
	fs := cmd.Flags()
	fs.StringArrayVar(&f.options.Rules, "rule", nil, "tag rule; repeatable")
	fs.StringArrayVar(&f.options.Flavor, "flavor", nil, "latest=, prefix=, suffix=; repeatable")
	fs.StringArrayVar(&f.options.Images, "image", nil, "image name, for full references; with --config, an image of the file; repeatable")
	fs.StringVarP(&f.config, "config", "f", "", "release file, in the place of --rule and --flavor")
	fs.StringVar(&f.options.ReleaseVersion, "release-version", "", "the version, where it is not the git tag")
	fs.StringVar(&f.format, "format", "", "json prints version, tags and references as one JSON document")
	return cmd
}

func (f *tagsFlags) run(ctx context.Context, g *globals) error {
	set, err := f.tags(ctx, g)
	if err != nil {
		return &exitError{code: publish.ExitCode(nil, err), err: err}
	}
	if f.format == "json" {
		e := json.NewEncoder(g.stdout)
		e.SetEscapeHTML(false)
		return e.Encode(set)
	}
	lines := set.Tags
	if len(f.options.Images) > 0 && len(set.Refs) > 0 {
		lines = set.Refs
	}
	for _, line := range lines {
		if _, err := fmt.Fprintln(g.stdout, line); err != nil {
			return err
		}
	}
	return nil
}

func (f *tagsFlags) tags(ctx context.Context, g *globals) (publish.TagSet, error) {
	o := f.options
	o.Transport, o.Getenv, o.WorkDir, o.Version = g.transport, g.getenv, g.workdir, programVersion()
	if f.format != "" && f.format != "json" {
		return publish.TagSet{}, wrongUsage(fmt.Errorf("--format %s: only `json` is supported", escape.Text(f.format)))
	}
	if f.config != "" {
		if len(o.Rules) > 0 || len(o.Flavor) > 0 {
			return publish.TagSet{}, wrongUsage(errors.New("--rule and --flavor stand in the place of a release file; with one, write them into it"))
		}
		file, err := load(g, f.config)
		if err != nil {
			return publish.TagSet{}, wrongUsage(err)
		}
		o.File = file
	}
	return publish.Tags(ctx, o)
}
