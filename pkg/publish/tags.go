package publish

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/name"

	"github.com/taglast/taglast/internal/commits"
	"github.com/taglast/taglast/internal/escape"
	"github.com/taglast/taglast/internal/event"
	"github.com/taglast/taglast/internal/github"
	"github.com/taglast/taglast/internal/network"
	"github.com/taglast/taglast/internal/retry"
	"github.com/taglast/taglast/pkg/release"
	"github.com/taglast/taglast/pkg/tagrule"
)

// TagsOptions say which tags are asked for: those of rules, or of a release file's images.
type TagsOptions struct {
	Rules, Flavor []string // lines; without rules docker/metadata-action's default rules apply
	Images        []string // lines of image names as docker/metadata-action takes them; with File, names of its images

	File           *release.File // in the place of Rules and Flavor; Images then names some of its images
	ReleaseVersion string        // stands above the file's

	Transport http.RoundTripper   // GitHub's API, for the date of a commit that nothing else tells; nil means the network
	Getenv    func(string) string // the environment; nil means os.Getenv
	WorkDir   string              // the checkout; empty means "."
	Version   string              // of taglast, for User-Agent
}

// TagSet is what rules give for a git event: the output of `tags --format json`.
type TagSet struct {
	Version string   `json:"version"` // text of the first tag; empty without tags
	Tags    []string `json:"tags"`    // without image names, each once
	Refs    []string `json:"refs"`    // full references, image by image; empty without images
}

// Tags evaluates rules over the git event: that of a GitHub Actions job, as its environment tells it, or of the git
// checkout. No tag is not an error. It sends nothing to any registry; GitHub is asked in a job alone, and only for the
// date of a commit that a rule wants and neither event nor checkout tells.
func Tags(ctx context.Context, o TagsOptions) (TagSet, error) {
	if o.Getenv == nil {
		o.Getenv = os.Getenv
	}
	out := TagSet{Tags: []string{}, Refs: []string{}}
	e, err := o.event(ctx)
	if err != nil {
		return out, err
	}
	wanted, err := o.wanted()
	if err != nil {
		return out, err
	}
	var all []release.Wanted
	for i := range wanted {
		w := &wanted[i]
		e.Version = w.version
		if o.ReleaseVersion != "" {
			e.Version = o.ReleaseVersion
		}
		result, err := tagrule.Evaluate(w.rules, w.flavor, e)
		if err != nil {
			return out, usage(w.image, named(w.image, err))
		}
		out.Version = or(out.Version, result.Version)
		all = append(all, release.Wanted{Image: w.image, Repositories: w.repositories, Tags: result.Tags})
		for _, t := range result.Tags {
			out.Tags = appendNew(out.Tags, t.Text)
		}
		for _, repo := range w.repositories {
			for _, t := range result.Tags {
				out.Refs = appendNew(out.Refs, repo+":"+t.Text)
			}
		}
	}
	if err := release.Conflicts(all); err != nil {
		return out, usage("", err)
	}
	return out, nil
}

// imageRules is one image: what its rules are, and where it goes.
type imageRules struct {
	image, version string
	rules          []tagrule.Rule
	flavor         tagrule.Flavor
	repositories   []string // as references begin with them
}

func (o TagsOptions) wanted() ([]imageRules, error) {
	if o.File == nil {
		w, err := o.rules()
		if err != nil {
			return nil, usage("", err)
		}
		images, err := tagrule.ParseImages(tagrule.Lines(o.Images))
		if err != nil {
			return nil, usage("", err)
		}
		for _, im := range images {
			if !im.Enable {
				continue
			}
			if _, err := name.NewRepository(im.Name); err != nil {
				return nil, usage("", fmt.Errorf("image %q: %w", im.Name, err))
			}
			w.repositories = appendNew(w.repositories, im.Name)
		}
		return []imageRules{w}, nil
	}
	unknown := tagrule.Lines(o.Images)
	only := slices.Clone(unknown)
	var out []imageRules
	for _, im := range o.File.Images {
		unknown = slices.DeleteFunc(unknown, func(n string) bool { return n == im.Name })
		if len(only) > 0 && !slices.Contains(only, im.Name) {
			continue
		}
		out = append(out, imageRules{image: im.Name, version: im.ReleaseVersion, rules: im.Tags, flavor: im.Flavor, repositories: displayNames(im.Repositories)})
	}
	if len(unknown) > 0 {
		return nil, usage("", fmt.Errorf("--image %s: the release has no such image; it has %s", escape.Text(unknown[0]), strings.Join(names(o.File.Images), ", ")))
	}
	return out, nil
}

// event is the job's, or the checkout's.
func (o TagsOptions) event(ctx context.Context) (tagrule.Event, error) {
	getenv := event.Getenv(o.Getenv)
	completed, branch, read := getenv.WithCheckout(ctx, or(o.WorkDir, ".")) // the default branch is nowhere else outside of a job
	checkout := read && !getenv.HasEvent()
	if checkout {
		getenv = completed
	}
	payload, err := event.ReadPayload(getenv("GITHUB_EVENT_PATH"))
	if err != nil {
		return tagrule.Event{}, at(StagePlan, "", "", err)
	}
	e, err := getenv.TagEvent(payload, branch)
	if err != nil {
		return e, usage("", err)
	}
	if e.SHA == "" && checkout { // no git, or no commit: nothing happened
		e.Ref = ""
	}
	known := commits.Options{Dir: o.WorkDir, Payload: payload, Repository: getenv("GITHUB_REPOSITORY")}
	if getenv.InActions() && githubToken(getenv) != "" {
		transport := o.Transport
		if transport == nil {
			transport = network.Transport()
		}
		known.API = func(budget time.Duration) (*github.API, error) {
			return githubAPI(transport, getenv, o.Version, retry.Policy{Budget: budget})
		}
	}
	history := commits.New(known)
	e.CommitDate = func() (time.Time, error) { return history.DateForRules(ctx, e.SHA, e.Now) }
	return e, nil
}

// rules parses the lines that stand in the place of a release file.
func (o TagsOptions) rules() (imageRules, error) {
	lines := tagrule.Lines(o.Rules)
	if len(lines) == 0 {
		lines = tagrule.DefaultRules()
	}
	var w imageRules
	for _, line := range lines {
		r, err := tagrule.Parse(line)
		if err != nil {
			return w, fmt.Errorf("tag rule `%s`: %w", escape.Bounded(line, 200), err)
		}
		w.rules = append(w.rules, r)
	}
	var err error
	w.flavor, err = tagrule.ParseFlavor(tagrule.Lines(o.Flavor))
	return w, err
}

func named(image string, err error) error {
	if image == "" {
		return err
	}
	return fmt.Errorf("image %s: %w", image, err)
}
