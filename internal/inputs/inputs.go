// Package inputs turns the inputs of the action into a release and the options of its run. It is pure: a function that
// gives inputs goes in, a value comes out.
//
// An input is called as action.yml calls it, release-version. It reaches the program as a variable of the environment,
// INPUT_ and the name in capitals with underscores for dashes (INPUT_RELEASE_VERSION), because bash can export no name
// with a dash; actions.Runner.Input reads it.
//
// There are three ways to say what is released, of which one step takes one:
//
//   - config, a release file;
//   - the flags of publish by their names: repository, source, tag, …;
//   - the names of docker/metadata-action and docker/build-push-action, with their line syntax: images, tags, context, ….
//
// The second and the third describe one image and go together, as far as they do not say the same thing in two words:
// platform and platforms, label and labels, annotation and annotations, and repository and images are two names of one
// thing, and an error where both are given and differ. tags are rules with images, as tag is, and full references
// without; so tags goes with no repository. source goes with none of the inputs of a Dockerfile's build.
package inputs

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/taglast/taglast/internal/escape"
	"github.com/taglast/taglast/internal/hint"
	"github.com/taglast/taglast/pkg/release"
)

// maxInput bounds an input, in bytes: a release file's values have the same bound.
const maxInput = 256 << 10

// Inputs are what the inputs of the action say.
type Inputs struct {
	Config         string        // path of the release file; empty where File is the release
	File           *release.File // of what other inputs describe; its paths start at the workspace. nil where Config is given
	ReleaseVersion string        // empty: not given. With File, its images have it already

	DryRun      bool
	ShowSummary bool
	GitHubToken string // empty: that of the environment
	Auth        string // registry-auth: logins as YAML; empty: those of the environment

	// BuildEnviron are variables for the builder alone, NAME=VALUE: the values of secrets, which File's images name.
	BuildEnviron []string

	// The other flags of publish; what is not given has its zero value.
	Registries, Only, Stores   []string
	Rebuild, Offline, All      bool
	OutputDir, Format, Rekor   string
	SigningConfig, TrustedRoot string
	Jobs                       int
	Timeout                    time.Duration
}

// Job is what the environment of the job adds to the meaning of inputs.
type Job struct {
	EventName        string // GITHUB_EVENT_NAME
	AnnotationLevels string // DOCKER_METADATA_ANNOTATIONS_LEVELS: where `annotations` without a level go; empty: the index
}

// Secrets are the texts among the inputs that no log may show, those of registry-auth aside: publish.Keychain finds them.
func Secrets(get func(string) string) []string {
	out := []string{get("github-token")}
	values, err := secretValues(get)
	if err != nil { // nobody can tell names from values
		return append(out, get("secrets"))
	}
	for _, v := range values {
		lines := strings.Split(v.value, "\n")
		for _, line := range lines {
			if len(lines) == 1 || len(strings.TrimSpace(line)) >= minSecretLine {
				out = append(out, line)
			}
		}
	}
	return out
}

// minSecretLine is how long a line of a secret of several lines is, to be one: a brace alone would be hidden everywhere.
const minSecretLine = 4

// Parse reads the inputs that get gives by their names, empty for one that is not given. Errors name the input, and carry
// a hint of what to do. The result is there on an error, too, as far as it goes: DryRun and ShowSummary first.
func Parse(get func(string) string, job Job) (*Inputs, error) {
	r := &reader{get: get, job: job, in: &Inputs{ShowSummary: true}}
	for _, step := range []func() error{r.dryRun, r.check, r.options, r.release} {
		if err := step(); err != nil {
			return r.in, err
		}
	}
	return r.in, nil
}

// reader reads inputs into a value.
type reader struct {
	get func(string) string
	job Job
	in  *Inputs
}

// given reports whether an input has a value.
func (r *reader) given(name string) bool { return strings.TrimSpace(r.get(name)) != "" }

// errorf is a mistake in an input.
func errorf(name, format string, args ...any) error {
	return fmt.Errorf("input `%s`: %w", name, fmt.Errorf(format, args...))
}

// check refuses inputs that are not taken, and values that nothing here could read.
func (r *reader) check() error {
	for _, i := range All() {
		value := r.get(i.Name)
		switch {
		case strings.TrimSpace(value) == "":
		case i.Refused():
			return hint.With(fmt.Errorf("input `%s` of %s is not taken here", i.Name, i.Of), i.Description)
		case len(value) > maxInput:
			return errorf(i.Name, "%d bytes; at most %d are read", len(value), maxInput)
		case !utf8.ValidString(value):
			return errorf(i.Name, "not valid UTF-8")
		}
	}
	return nil
}

// options reads what goes with every release.
func (r *reader) options() error {
	in := r.in
	for name, to := range map[string]*[]string{"registry": &in.Registries, "only": &in.Only, "store": &in.Stores} {
		var err error
		if *to, err = r.plain(name, items); err != nil {
			return err
		}
	}
	for name, to := range map[string]*string{
		"config": &in.Config, "release-version": &in.ReleaseVersion, "github-token": &in.GitHubToken,
		"output-dir": &in.OutputDir, "format": &in.Format, "rekor": &in.Rekor, "signing-config": &in.SigningConfig, "trusted-root": &in.TrustedRoot,
	} {
		*to = strings.TrimSpace(r.get(name))
		if escape.HasControl(*to) {
			return errorf(name, "a control character; one text on one line is asked for")
		}
	}
	in.Auth = r.get("registry-auth")
	for name, to := range map[string]*bool{"rebuild": &in.Rebuild, "offline": &in.Offline, "all": &in.All} {
		var err error
		if *to, err = r.flag(name, false); err != nil {
			return err
		}
	}
	return r.numbers()
}

func (r *reader) numbers() error {
	if text := strings.TrimSpace(r.get("jobs")); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			return errorf("jobs", "%s is not a number from 1", quote(text))
		}
		r.in.Jobs = n
	}
	if text := strings.TrimSpace(r.get("timeout")); text != "" {
		d, err := time.ParseDuration(text)
		if err != nil || d <= 0 {
			return hint.With(errorf("timeout", "%s is not a duration", quote(text)), "a number with its unit: 90m, 1h30m")
		}
		r.in.Timeout = d
	}
	return nil
}

// plain is a list whose entries have no control characters.
func (r *reader) plain(name string, read func(string) ([]string, error)) ([]string, error) {
	list, err := read(r.get(name))
	if err != nil {
		return nil, fmt.Errorf("input `%s`: %w", name, err)
	}
	for _, entry := range list {
		if escape.HasControl(entry) {
			return nil, errorf(name, "a control character in %s", quote(entry))
		}
	}
	return list, nil
}

// flag is an input that is true or false, as YAML writes them and GitHub's getBooleanInput reads them.
func (r *reader) flag(name string, otherwise bool) (bool, error) {
	switch text := strings.TrimSpace(r.get(name)); text {
	case "":
		return otherwise, nil
	case "true", "True", "TRUE":
		return true, nil
	case "false", "False", "FALSE":
		return false, nil
	default:
		return otherwise, errorf(name, "%s; it is `true` or `false`", quote(text))
	}
}

var errDryRuns = errors.New("inputs `push` and `dry-run` contradict each other: `push: false` is `dry-run: true`")

// dryRun decides whether anything is written. Of the events that auto is dry on, none may publish by accident; on all
// others a permission that lacks is an error, never a green job that published nothing.
func (r *reader) dryRun() (err error) {
	text := strings.TrimSpace(r.get("dry-run"))
	auto := text == "" || text == "auto"
	switch r.job.EventName {
	case "pull_request", "pull_request_target", "merge_group":
		r.in.DryRun = true
	}
	if r.in.ShowSummary, err = r.flag("show-summary", true); err != nil {
		return err
	}
	if !auto {
		if r.in.DryRun, err = r.flag("dry-run", r.in.DryRun); err != nil {
			return errorf("dry-run", "%s; it is `true`, `false` or `auto`", quote(text))
		}
	}
	if !r.given("push") {
		return nil
	}
	push, err := r.flag("push", false)
	switch {
	case err != nil:
		return err
	case !auto && push == r.in.DryRun:
		return hint.With(errDryRuns, "leave one of them out; without both, pull requests and the merge queue are dry, and all else is published")
	}
	r.in.DryRun = !push
	return nil
}

// quote is foreign text for a message.
func quote(s string) string { return "`" + escape.Bounded(s, 120) + "`" }
