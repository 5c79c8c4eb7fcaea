package buildx

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/taglast/taglast/internal/escape"
	"github.com/taglast/taglast/internal/hint"
)

// builder is what `buildx inspect` says of a builder.
type builder struct {
	name     string
	driver   string          // docker, docker-container, remote, kubernetes, cloud; empty where no daemon answers
	failure  string          // why it cannot be used; empty where nothing is known against it
	features map[string]bool // of its nodes, false where one lacks it; empty where buildx does not tell
}

// sharedBuilder is an answer that is asked for once.
type sharedBuilder struct {
	done chan struct{}
	b    builder
	err  error
}

const (
	multiPlatform = "Multi-platform build"
	ociExporter   = "OCI exporter"
	builderHint   = "in Actions add `uses: docker/setup-buildx-action@v4` before this step; elsewhere `docker buildx create --use`"
)

// inspect asks what a builder is; an empty name is the current one. Each is asked about once.
func (c *Client) inspect(ctx context.Context, dir, name string) (builder, error) {
	c.mu.Lock()
	s, asked := c.builders[name]
	if !asked {
		s = &sharedBuilder{done: make(chan struct{})}
		c.builders[name] = s
	}
	c.mu.Unlock()
	if asked {
		select {
		case <-s.done:
			return s.b, s.err
		case <-ctx.Done():
			return builder{}, context.Cause(ctx)
		}
	}
	defer close(s.done)
	if s.b, s.err = c.askBuilder(ctx, dir, name); s.err != nil {
		c.mu.Lock()
		delete(c.builders, name) // an answer that was cut short is asked for again
		c.mu.Unlock()
	}
	return s.b, s.err
}

func (c *Client) askBuilder(ctx context.Context, dir, name string) (builder, error) {
	p, err := c.findProgram()
	if err != nil {
		return builder{}, err
	}
	arguments := func(flags ...string) []string {
		args := append([]string{"inspect"}, flags...)
		if name != "" {
			args = append(args, "--builder="+name)
		}
		return args
	}
	out, err := c.ask(ctx, p, dir, arguments("--debug")...) // only so does it tell the features
	var answer *answerError
	if errors.As(err, &answer) && strings.Contains(answer.said, "unknown flag") {
		out, err = c.ask(ctx, p, dir, arguments()...)
	}
	switch {
	case errors.As(err, &answer) && strings.Contains(answer.said, "no builder"):
		if fromEnvironment, _ := c.environ.get("BUILDX_BUILDER"); name == "" {
			name = fromEnvironment
		}
		return builder{}, hint.With(fmt.Errorf("there is no builder %s", quote(name)),
			"`docker buildx ls` lists those there are; in Actions it is the output `name` of docker/setup-buildx-action")
	case errors.As(err, &answer):
		return builder{}, hint.With(fmt.Errorf("the builder%s cannot be asked: %w", named(name), err), builderHint)
	case err != nil:
		return builder{}, fmt.Errorf("buildx inspect: %w", err)
	}
	return parseBuilder(out), nil
}

// parseBuilder reads the answer: lines of "Name:   value", those of each node after the line "Nodes:", its features after
// "Features:".
func parseBuilder(out string) builder {
	b := builder{features: map[string]bool{}}
	nodes, features := false, false
	for line := range strings.Lines(out) {
		key, value, ok := strings.Cut(strings.TrimSpace(line), ":")
		if !ok {
			features = false
			continue
		}
		value = strings.TrimSpace(value)
		indented := strings.HasPrefix(line, " ") || strings.HasPrefix(line, "\t")
		switch features = features && indented; {
		case features:
			has, known := b.features[key]
			b.features[key] = value == "true" && (has || !known)
		case key == "Features":
			features = true
		case key == "Nodes":
			nodes = true
		case nodes:
		case key == "Name":
			b.name = value
		case key == "Driver":
			b.driver = value
		case key == "Error":
			b.failure = value
		}
	}
	return b
}

// can says what of a build the builder cannot do.
func (b builder) can(r Request) error {
	if b.failure != "" {
		return hint.With(fmt.Errorf("the builder%s cannot be reached: %s", named(b.name), escape.Bounded(b.failure, 300)), builderHint)
	}
	lacks := func(feature string) bool {
		has, known := b.features[feature]
		return known && !has
	}
	moby := b.driver == "docker"
	switch {
	case len(r.Platforms) > 1 && (lacks(multiPlatform) || moby && len(b.features) == 0):
		return hint.With(fmt.Errorf("the builder%s (driver %s) builds for one platform at a time; %d are asked for", named(b.name), escape.Bounded(b.driver, 40), len(r.Platforms)), builderHint)
	case lacks(ociExporter):
		return hint.With(fmt.Errorf("the builder%s (driver %s) cannot write an OCI layout", named(b.name), escape.Bounded(b.driver, 40)), builderHint)
	}
	return nil
}

func named(builder string) string {
	if builder == "" {
		return ""
	}
	return " " + quote(builder)
}

// quote makes foreign text fit for an error.
func quote(s string) string { return `"` + escape.Bounded(s, 200) + `"` }
