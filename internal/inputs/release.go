package inputs

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/taglast/taglast/internal/hint"
	"github.com/taglast/taglast/pkg/release"
	"github.com/taglast/taglast/pkg/tagrule"
)

// defaultConfig is the release file where nothing describes an image.
const defaultConfig = "taglast.yaml"

// release reads what is released: the path of a file, or the image that inputs describe.
func (r *reader) release() error {
	var describing []string
	for _, i := range slices.Concat(described, renamed) {
		if r.given(i.Name) {
			describing = append(describing, "`"+i.Name+"`")
		}
	}
	switch {
	case len(describing) == 0:
		if r.in.Config == "" {
			r.in.Config = defaultConfig
		}
		return nil
	case r.in.Config != "":
		return hint.With(fmt.Errorf("input `config` excludes %s", strings.Join(describing, ", ")),
			"write what they say into the release file; `push` is `dry-run` there, and `push-to-registry` is `store`")
	}
	return r.describe()
}

// describe makes the release of the inputs: one image, or several from one source where `tags` name repositories with
// different tags.
func (r *reader) describe() error {
	if r.given("push-to-registry") {
		if err := r.pushToRegistry(); err != nil {
			return err
		}
	}
	to, err := r.targets()
	if err != nil {
		return err
	}
	flags, err := r.image()
	if err != nil {
		return err
	}
	flags.Place = r.place
	r.in.File = &release.File{Dir: "."}
	for _, t := range to {
		flags.Name, flags.Repositories, flags.Tags = t.name, t.repositories, t.tags
		one, err := release.FromFlags(flags)
		if err != nil {
			r.in.File = nil
			return err
		}
		r.in.File.Images = append(r.in.File.Images, one.Images...)
	}
	return nil
}

// pushToRegistry adds the registry to the stores.
func (r *reader) pushToRegistry() error {
	push, err := r.flag("push-to-registry", false)
	if err != nil || !push {
		return err
	}
	if len(r.in.Stores) == 0 {
		r.in.Stores = []string{"github"}
	}
	if !slices.Contains(r.in.Stores, "registry") {
		r.in.Stores = append(r.in.Stores, "registry")
	}
	return nil
}

var (
	errNowhere = errors.New("neither `images` nor `repository` nor `tags` says where the image goes")
	errTagless = errors.New("input `repository` goes with `tag`: an image needs a rule")
	errTwoTags = errors.New("inputs `tags` and `repository` exclude each other: without `images`, `tags` are full references")
	errRuleOf  = errors.New("input `tag` is a rule, and neither `images` nor `repository` says of what")
	errFlavor  = errors.New("input `flavor` is about rules, and `tags` without `images` are full references")
	errOff     = errors.New("input `images`: no image is enabled")
)

// targets are where the image goes, and under which tags.
func (r *reader) targets() ([]target, error) {
	repositories, err := r.repositories()
	if err != nil {
		return nil, err
	}
	switch {
	case len(repositories) > 0:
		rules, err := r.rules()
		return []target{{repositories: repositories, tags: rules}}, err
	case r.given("tag"):
		return nil, errRuleOf
	case r.given("tags") && r.given("flavor"):
		return nil, hint.With(errFlavor, "name the repositories in `images`")
	}
	references, err := r.plain("tags", items)
	if err != nil {
		return nil, err
	}
	if len(references) == 0 {
		return nil, hint.With(errNowhere, "name the repositories in `images`; or write a release file and name it in `config`")
	}
	to, err := targets(references)
	for i := range to {
		for j, tag := range to[i].tags {
			to[i].tags[j] = "type=raw,value=" + tag // whatever else the grammar of rules could make of it
		}
	}
	return to, err
}

// repositories are those of `images` or `repository`.
func (r *reader) repositories() ([]string, error) {
	own := tagrule.Lines([]string{r.get("repository")})
	images, err := tagrule.ParseImages(tagrule.Lines([]string{r.get("images")}))
	if err != nil {
		return nil, fmt.Errorf("input `images`: %w", err)
	}
	var theirs []string
	for _, im := range images {
		if name := onHub(im.Name); im.Enable && !slices.Contains(theirs, name) {
			theirs = append(theirs, name)
		}
	}
	switch {
	case r.given("images") && len(theirs) == 0:
		return nil, errOff
	case len(own) > 0 && r.given("tags") && len(theirs) == 0:
		return nil, hint.With(errTwoTags, "write rules into `tag`, or the repositories into `images`")
	case len(own) == 0:
		return theirs, nil
	case len(theirs) > 0 && !slices.Equal(sorted(lower(own)), sorted(theirs)):
		return nil, twoNames("repository", "images")
	}
	return own, nil
}

func lower(list []string) []string {
	out := make([]string, 0, len(list))
	for _, s := range list {
		out = append(out, strings.ToLower(s))
	}
	return out
}

// rules are the tag rules of an image: with `images` docker/metadata-action's where none is given.
func (r *reader) rules() ([]string, error) {
	own, theirs := tagrule.Lines([]string{r.get("tag")}), tagrule.Lines([]string{r.get("tags")})
	switch {
	case len(own) > 0 && len(theirs) > 0 && !slices.Equal(own, theirs):
		return nil, twoNames("tag", "tags")
	case len(own) > 0:
		return own, nil
	case len(theirs) > 0:
		return theirs, nil
	case r.given("images"):
		return tagrule.DefaultRules(), nil
	}
	return nil, hint.With(errTagless, "write one tag or rule a line: `tag: type=semver,pattern={{version}}`; a bare word is itself")
}

// twoNames is the error for two inputs that are one thing and say two.
func twoNames(own, theirs string) error {
	return hint.With(fmt.Errorf("inputs `%s` and `%s` are two names of one thing, and differ", own, theirs), "keep one of them")
}

// either is the list of an input with two names, and which of them it has.
func (r *reader) either(own, theirs string, read func(string) ([]string, error)) (list []string, name string, err error) {
	a, err := r.plain(own, read)
	if err != nil {
		return nil, own, err
	}
	b, err := r.plain(theirs, read)
	switch {
	case err != nil:
		return nil, theirs, err
	case len(a) > 0 && len(b) > 0 && !slices.Equal(a, b):
		return nil, own, twoNames(own, theirs)
	case len(a) > 0:
		return a, own, nil
	}
	return b, theirs, nil
}
