package inputs

import (
	"errors"
	"fmt"
	"path"
	"strings"

	"github.com/taglast/taglast/internal/buildcontext"
	"github.com/taglast/taglast/internal/hint"
	"github.com/taglast/taglast/pkg/release"
	"github.com/taglast/taglast/pkg/tagrule"
)

// image is what inputs say of the image, beside where it goes and under which tags.
func (r *reader) image() (release.Flags, error) {
	f := release.Flags{ReleaseVersion: r.in.ReleaseVersion, Flavor: tagrule.Lines([]string{r.get("flavor")})}
	var err error
	if f.Platforms, _, err = r.either("platform", "platforms", items); err != nil {
		return f, err
	}
	if f.Labels, err = r.pairs("label", "labels", nil); err != nil {
		return f, err
	}
	levels, err := annotationLevels(r.job.AnnotationLevels)
	if err != nil {
		return f, err
	}
	if f.Annotations, err = r.pairs("annotation", "annotations", levels.apply); err != nil {
		return f, err
	}
	if f.SBOM, err = r.switchOf("sbom", "BuildKit makes one of each platform with its own generator; for another SBOM write "+
		"`sbom: {path: …}` into a release file"); err != nil {
		return f, err
	}
	if _, err = r.switchOf("provenance", "leave it out: SLSA provenance is made, signed and stored in any case, and BuildKit's own is not kept"); err != nil {
		return f, err
	}
	if r.given("source") {
		f.Sources = tagrule.Lines([]string{r.get("source")})
		return f, r.checkSource()
	}
	f.Build, err = r.build()
	return f, err
}

// switchOf is an input that docker/build-push-action takes more than true and false for.
func (r *reader) switchOf(name, instead string) (bool, error) {
	on, err := r.flag(name, false)
	if err != nil {
		return false, hint.With(err, instead)
	}
	return on, nil
}

// pairs are KEY=VALUE entries. Of a key that stands twice under the name of docker's actions the later counts, as it does
// there. change is applied to those; nil leaves them.
func (r *reader) pairs(own, theirs string, change func(string) string) ([]string, error) {
	list, name, err := r.either(own, theirs, texts)
	if err != nil {
		return nil, err
	}
	var out []string
	last := map[string]int{}
	for _, entry := range list {
		key, _, found := strings.Cut(entry, "=")
		switch i, twice := last[key]; {
		case !found || strings.HasPrefix(key, "#"):
			return nil, errorf(name, "%s is not KEY=VALUE", quote(entry))
		case name == own:
		case twice:
			out[i] = entry
			continue
		}
		last[key], out = len(out), append(out, entry)
	}
	if name == theirs && change != nil {
		for i := range out {
			out[i] = change(out[i])
		}
	}
	return out, nil
}

// levels are where annotations without a level go: the prefix of their keys; empty is the release's own choice.
type levels string

// annotationLevels reads DOCKER_METADATA_ANNOTATIONS_LEVELS. Of docker/metadata-action's levels an index here has no
// descriptors.
func annotationLevels(text string) (levels, error) {
	var out []string
	for level := range strings.SplitSeq(text, ",") {
		switch level = strings.TrimSpace(level); level {
		case "":
		case release.LevelIndex, release.LevelManifest:
			out = append(out, level)
		default:
			return "", hint.With(fmt.Errorf("DOCKER_METADATA_ANNOTATIONS_LEVELS has %s; a level is `index` or `manifest`", quote(level)),
				"leave it out: annotations go to the index")
		}
	}
	return levels(strings.Join(out, ",")), nil
}

// apply puts an annotation that has no level of its own on the levels.
func (l levels) apply(entry string) string {
	if key, _, _ := strings.Cut(entry, "="); l == "" || strings.Contains(key, ":") {
		return entry
	}
	return string(l) + ":" + entry
}

// ofBuild are the inputs of a Dockerfile's build, and their keys in a source.
var ofBuild = []struct {
	input, key string
	read       func(string) ([]string, error)
}{
	{"file", "dockerfile", single},
	{"context", "context", single},
	{"target", "target", single},
	{"builder", "builder", single},
	{"build-args", "args", arguments},
	{"build-contexts", "contexts", texts},
	{"cache-from", "cache-from", texts},
	{"cache-to", "cache-to", texts},
}

// switchesOfBuild have the same names in a source.
var switchesOfBuild = []string{"pull", "no-cache"}

func inputsOfBuild() []string {
	out := append([]string{secretsInput, secretEnvs, secretFiles}, switchesOfBuild...)
	for _, b := range ofBuild {
		out = append(out, b.input)
	}
	return out
}

// checkSource refuses inputs of a build where the source is given.
func (r *reader) checkSource() error {
	for _, name := range inputsOfBuild() {
		if r.given(name) {
			return hint.With(fmt.Errorf("input `%s` is about the build of a Dockerfile, and `source` says what is published", name),
				"leave one of them out; the source of a Dockerfile has keys for all of it, one KEY=VALUE a line: dockerfile=Dockerfile")
		}
	}
	return nil
}

var (
	errDefaultContext = errors.New("input `context`: `{{defaultContext}}` is the Git context, and the checkout is built here")
	errTagContext     = errors.New("input `context` is the build's, a folder or a URL; tag rules always see the event of the workflow")
)

// build is the source of the Dockerfile: by default that of the checkout.
func (r *reader) build() ([]release.Setting, error) {
	folder := strings.TrimSpace(r.get("context"))
	switch {
	case strings.Contains(strings.ReplaceAll(folder, " ", ""), "{{defaultContext}}"):
		return nil, hint.With(errDefaultContext, "leave it out; a folder of the checkout is `context: folder`")
	case folder == "git" || folder == "workflow":
		return nil, hint.With(errTagContext, "leave it out; a folder of that name is `./"+folder+"`")
	}
	var out []release.Setting
	for _, b := range ofBuild {
		values, err := r.plain(b.input, b.read)
		if err != nil {
			return nil, err
		}
		if len(values) > 0 {
			out = append(out, release.Setting{Key: b.key, Values: values})
		}
	}
	if !r.given("file") {
		out = append(out, release.Setting{Key: "dockerfile", Values: []string{dockerfileOf(folder)}})
	}
	for _, name := range switchesOfBuild {
		if on, err := r.flag(name, false); err != nil {
			return nil, err
		} else if on {
			out = append(out, release.Setting{Key: name, Values: []string{"true"}})
		}
	}
	secrets, err := r.secrets()
	if len(secrets) > 0 {
		out = append(out, release.Setting{Key: "secrets", Values: secrets})
	}
	return out, err
}

// dockerfileOf is the Dockerfile of a context: in its folder, or within the tree that its URL names.
func dockerfileOf(folder string) string {
	if folder == "" || buildcontext.IsAddress(folder) {
		return "Dockerfile"
	}
	return path.Join(folder, "Dockerfile")
}

// place is what a mistake calls the input that a key of the release came from.
func (r *reader) place(key string) string {
	inputs := []string{key}
	switch key {
	case "repositories":
		inputs = []string{"images", "repository", "tags"}
	case "tags":
		inputs = []string{"tags", "tag", "images"}
	case "platforms", "annotations", "labels":
		inputs = []string{key, strings.TrimSuffix(key, "s")}
	case "secrets":
		inputs = []string{secretsInput, secretEnvs, secretFiles}
	case "source":
		inputs = []string{"source", "file"}
	}
	for _, b := range ofBuild {
		if b.key == key {
			inputs = []string{b.input}
		}
	}
	for _, name := range inputs {
		if r.given(name) {
			return "input `" + name + "`"
		}
	}
	return "input `" + inputs[0] + "`"
}
