package tagrule_test

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/taglast/taglast/pkg/tagrule"
)

// original is a case of testdata/original.json: rules and an event, and what docker/metadata-action v6 gives for them
// (its own code is not here; the file was written by a model of it that uses its own libraries).
type original struct {
	Rules, Flavor, Images         []string
	Event, Ref, SHA, Base, Branch string
	Now, Commit                   string
	Short                         int

	Error       string
	Version     string
	Names, Tags []string
}

// ociTag is the distribution specification's grammar, without the form of referrers tags.
var (
	ociTag    = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$`)
	referrers = regexp.MustCompile(`^sha256-[0-9a-fA-F]{64}$`)
)

// run evaluates a case.
func (c original) run() (version string, names, tags []string, err error) {
	var rules []tagrule.Rule
	lines := c.Rules
	if len(lines) == 0 {
		lines = tagrule.DefaultRules()
	}
	for _, line := range lines {
		r, err := tagrule.Parse(line)
		if err != nil {
			return "", nil, nil, err
		}
		rules = append(rules, r)
	}
	flavor, err := tagrule.ParseFlavor(c.Flavor)
	if err != nil {
		return "", nil, nil, err
	}
	images, err := tagrule.ParseImages(c.Images)
	if err != nil {
		return "", nil, nil, err
	}
	e := tagrule.Event{
		Name: c.Event, Ref: c.Ref, SHA: c.SHA, DefaultBranch: c.Branch, BaseRef: c.Base, ShortSHA: c.Short,
	}
	if e.Now, err = time.Parse(time.RFC3339, c.Now); err != nil {
		return "", nil, nil, err
	}
	if c.Commit != "" {
		e.CommitDate = func() (time.Time, error) { return time.Parse(time.RFC3339, c.Commit) }
	}
	result, err := tagrule.Evaluate(rules, flavor, e)
	if err != nil {
		return "", nil, nil, err
	}
	for _, t := range result.Tags {
		names = append(names, t.Text)
	}
	for _, i := range images {
		for _, name := range names {
			if tag := i.Name + ":" + name; i.Enable && !slices.Contains(tags, tag) {
				tags = append(tags, tag)
			}
		}
	}
	return result.Version, names, tags, nil
}

// TestTheOriginal holds us to docker/metadata-action: the same version and tags in the same order. Where it fails, or
// gives a tag that no registry takes, we give an error.
func TestTheOriginal(t *testing.T) {
	b, err := os.ReadFile("testdata/original.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []original
	if err := json.Unmarshal(b, &cases); err != nil {
		t.Fatal(err)
	}
	for i, c := range cases {
		refused := c.Error != "" || slices.ContainsFunc(c.Names, func(s string) bool { return !ociTag.MatchString(s) || referrers.MatchString(s) })
		version, names, tags, err := c.run()
		switch {
		case refused && err == nil:
			t.Errorf("%d: %q flavor %q on %s gives %q; the original: %q %s", i, c.Rules, c.Flavor, c.Ref, names, c.Names, c.Error)
		case refused:
		case err != nil:
			t.Errorf("%d: %q flavor %q on %s: %v; want %q", i, c.Rules, c.Flavor, c.Ref, err, c.Names)
		case version != c.Version || !slices.Equal(names, c.Names) || len(c.Tags) > 0 && len(tags) > 0 && !slices.Equal(tags, c.Tags):
			t.Errorf("%d: %q flavor %q on %s %s gives %q %q; want %q %q", i, c.Rules, c.Flavor, c.Event, c.Ref, names, tags, c.Names, c.Tags)
		}
	}
}
