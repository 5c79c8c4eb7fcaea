package image

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"

	"github.com/taglast/taglast/internal/escape"
	"github.com/taglast/taglast/internal/hint"
	"github.com/taglast/taglast/pkg/release"
)

// maxLayouts bounds how many layouts are merged: each has at least one image.
const maxLayouts = maxChildren

// layoutPath is one layout: its path, and as people know it.
type layoutPath struct{ path, shown string }

// ociSource is one or more OCI layouts, directories or tars (image-layout 1.0), merged.
type ociSource release.OCISource

func newOCI(s release.OCISource) Source { return ociSource(s) }

// Repositories are none: layouts are files.
func (ociSource) Repositories() []name.Repository { return nil }

// Local is true: layouts are files.
func (ociSource) Local() bool { return true }

func (ociSource) check(context.Context, Env) error { return nil }

// gather reads every layout.
func (s ociSource) gather(ctx context.Context, env Env) (gathered, error) {
	layouts, help, err := s.layouts(env)
	if err != nil {
		return gathered{}, err
	}
	g := gathered{hint: help}
	for _, p := range layouts {
		if err := ctx.Err(); err != nil {
			return gathered{}, err
		}
		l, err := openLayout(p.path, p.shown)
		if err != nil {
			return gathered{}, err
		}
		trees, err := l.images(ctx, s.Ref, env.KeepAttestations)
		if err != nil {
			return gathered{}, err
		}
		g.sources = append(g.sources, trees...)
	}
	return g, nil
}

// layouts are the files and directories that the paths name, in the order of the paths, those of a pattern sorted,
// each once.
func (s ociSource) layouts(env Env) (layouts []layoutPath, help string, err error) {
	help = "build it, too, or take it out of `platforms`"
	var matched []string
	for _, written := range s.Paths {
		found, pattern, err := env.match(written)
		if err != nil {
			return nil, "", err
		}
		if pattern {
			matched = append(matched, fmt.Sprintf("the pattern %s matched %s", escape.Text(written), plural(len(found), "file")))
		}
		for _, p := range found {
			if !slices.ContainsFunc(layouts, func(o layoutPath) bool { return o.path == p.path }) {
				layouts = append(layouts, p)
			}
		}
	}
	switch {
	case len(layouts) == 0:
		return nil, "", fmt.Errorf("oci: no path is given")
	case len(layouts) > maxLayouts:
		return nil, "", fmt.Errorf("oci: %d layouts are more than %d", len(layouts), maxLayouts)
	}
	if len(matched) > 0 {
		help = env.uploadHint(strings.Join(matched, "; "))
	}
	return layouts, help, nil
}

// match gives the layouts that one path or glob names. A file whose name has the characters of a pattern is found by that name.
func (env Env) match(written string) (layouts []layoutPath, pattern bool, err error) {
	shown := escape.Text(written)
	if written == "" {
		return nil, false, fmt.Errorf("oci: a path is empty")
	}
	path := env.path(written)
	if _, err := os.Lstat(path); err == nil || !strings.ContainsAny(written, "*?[") {
		return []layoutPath{{path, filepath.ToSlash(filepath.Clean(written))}}, false, nil
	}
	if strings.Contains(written, "**") {
		return nil, true, fmt.Errorf("oci: pattern %s: ** is not known; * is anything within one directory", shown)
	}
	if !filepath.IsAbs(written) {
		path = filepath.Join(escapeGlob(env.Dir), written)
	}
	found, err := filepath.Glob(path)
	if err != nil {
		return nil, true, fmt.Errorf("oci: pattern %s: %w", shown, err)
	}
	if len(found) == 0 {
		return nil, true, hint.With(fmt.Errorf("oci: the pattern %s matched no file", shown),
			env.uploadHint("patterns are relative to the folder of the release file"))
	}
	slices.Sort(found)
	for _, f := range found {
		name := f
		if !filepath.IsAbs(written) {
			if rel, err := filepath.Rel(env.path(""), f); err == nil {
				name = rel
			}
		}
		layouts = append(layouts, layoutPath{f, filepath.ToSlash(name)})
	}
	return layouts, true, nil
}

// escapeGlob is a directory as a pattern that matches nothing else.
func escapeGlob(dir string) string {
	var b strings.Builder
	for _, c := range dir {
		switch {
		case c == '\\' && runtime.GOOS != "windows":
			b.WriteString(`\\`)
		case strings.ContainsRune("*?[", c):
			b.WriteString("[" + string(c) + "]")
		default:
			b.WriteRune(c)
		}
	}
	return b.String()
}
