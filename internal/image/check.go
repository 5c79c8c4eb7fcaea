package image

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/taglast/taglast/pkg/release"
)

// maxMetadata bounds all annotations and labels of a request together: registries refuse large manifests, and
// what is larger does not belong into an annotation.
const maxMetadata = 64 << 10

// Check says what is wrong with r that can be told without a network and without reading an image: a plan calls it
// before anything is sent, Build calls it again.
func (r Request) Check(ctx context.Context) error {
	if err := r.check(); err != nil {
		return fmt.Errorf("image %s: %w", r.Name, err)
	}
	if err := r.Source.check(ctx, r.env()); err != nil {
		return err
	}
	if err := r.checkSBOM(); err != nil {
		return fmt.Errorf("image %s: %w", r.Name, err)
	}
	return nil
}

// CheckFiles is the part of Check that a plan can do on another machine than the release's: whether what a Dockerfile
// source names in the checkout is there. It uses the source and the folder alone.
func (r Request) CheckFiles() error {
	if s, ok := r.Source.(interface{ checkFiles(Env) error }); ok {
		return s.checkFiles(r.Env)
	}
	return nil
}

func (r Request) check() error {
	if r.Source == nil {
		return errors.New("it has no source")
	}
	size := 0
	count := func(what, key, value string) error {
		if size += len(key) + len(value); size > maxMetadata {
			return fmt.Errorf("annotations and labels have more than %d bytes", maxMetadata)
		}
		return checkText(what, key, value)
	}
	for _, a := range r.Annotations {
		if err := checkAnnotation(a, r.Env.KeepAttestations); err != nil {
			return err
		}
		if err := count("annotation", a.Key, a.Value); err != nil {
			return err
		}
	}
	for _, key := range slices.Sorted(maps.Keys(r.Labels)) {
		if err := count("label", key, r.Labels[key]); err != nil {
			return err
		}
	}
	if _, builds := r.Source.(dockerfileSource); r.Env.KeepAttestations && len(r.Labels) > 0 && !builds { // a builder sets them before it attests
		return errors.New("labels: BuildKit's attestations are about the digests that labels change; leave labels or keep-attestations out")
	}
	return nil
}

// defaults are asked for and checked as the request's own annotations are.
func (r Request) defaults(ctx context.Context) ([]release.Annotation, error) {
	if r.Defaults == nil {
		return nil, nil
	}
	values, err := r.Defaults(ctx)
	if err != nil {
		return nil, err
	}
	var out []release.Annotation
	size := 0
	for _, key := range slices.Sorted(maps.Keys(values)) {
		if size += len(key) + len(values[key]); size > maxMetadata {
			return nil, fmt.Errorf("default annotations have more than %d bytes", maxMetadata)
		}
		if err := checkText("default annotation", key, values[key]); err != nil {
			return nil, err
		}
		out = append(out, release.Annotation{Key: key, Value: values[key]})
	}
	return out, nil
}

// labels are what a builder is to set: the defaults, and above them those of the file.
func (r Request) labels(ctx context.Context) (map[string]string, error) {
	defaults, err := r.defaults(ctx)
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	for _, a := range defaults {
		out[a.Key] = a.Value
	}
	for key, value := range r.Labels {
		setOrDelete(out, key, value)
	}
	return out, nil
}

// checkAnnotation refuses levels and platforms that do not go together.
func checkAnnotation(a release.Annotation, keepAttestations bool) error {
	switch a.Level {
	case "", release.LevelIndex:
		if a.Platform != (release.Platform{}) {
			return fmt.Errorf("annotation %s: only manifest annotations have a platform", quote(a.Key))
		}
	case release.LevelManifest:
		if keepAttestations {
			return fmt.Errorf("annotation %s: BuildKit's attestations are about the digests that manifest annotations change; "+
				"leave these or keep-attestations out", quote(a.Key))
		}
	default:
		return fmt.Errorf("annotation %s: level %s is neither index nor manifest", quote(a.Key), quote(a.Level))
	}
	return nil
}

// checkText refuses what would act on a terminal or in a log wherever the image is shown, and what is not JSON text.
func checkText(what, key, value string) error {
	switch {
	case key == "":
		return fmt.Errorf("%s: its key is empty", what)
	case !utf8.ValidString(key) || !utf8.ValidString(value):
		return fmt.Errorf("%s %s: not UTF-8", what, quote(key))
	case strings.ContainsFunc(key, unicode.IsControl) || strings.ContainsFunc(value, unicode.IsControl):
		return fmt.Errorf("%s %s: it has control characters", what, quote(key))
	}
	return nil
}
