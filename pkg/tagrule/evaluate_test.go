package tagrule_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/taglast/taglast/pkg/tagrule"
)

func TestVersionOfARule(t *testing.T) {
	tagged := tagrule.Event{Name: "push", Ref: "refs/tags/v1.2.3"}
	for name, tc := range map[string]struct {
		rule  string
		event tagrule.Event
		want  string // the tag, or the reason after "skip: "
	}{
		"the git tag gives it":                   {"type=semver,pattern={{version}}", tagged, "1.2.3"},
		"value= goes before the git tag":         {"type=semver,pattern={{version}},value=2.0.0", tagged, "2.0.0"},
		"an empty value= is none":                {"type=semver,pattern={{version}},value=", tagged, "1.2.3"},
		"release-version gives it on a branch":   {"type=semver,pattern={{version}}", tagrule.Event{Name: "push", Ref: "refs/heads/main", Version: "v3.0.0"}, "3.0.0"},
		"release-version gives it to pep440":     {"type=pep440,pattern={{version}}", tagrule.Event{Name: "workflow_dispatch", Ref: "refs/heads/main", Version: "3.0rc1"}, "3.0rc1"},
		"value= goes before release-version":     {"type=semver,pattern={{version}},value=2.0.0", tagrule.Event{Name: "push", Ref: "refs/heads/main", Version: "3.0.0"}, "2.0.0"},
		"a branch gives none":                    {"type=semver,pattern={{version}}", tagrule.Event{Name: "push", Ref: "refs/heads/v1.2.3"}, "skip: needs a git tag, or --release-version"},
		"a tag of an event other than push does": {"type=semver,pattern={{version}}", tagrule.Event{Name: "release", Ref: "refs/tags/1.2.3"}, "1.2.3"},
		"semver is strict":                       {"type=semver,pattern={{version}}", tagrule.Event{Ref: "refs/tags/v1.2"}, "skip: v1.2 is not a semantic version"},
		"semver takes one v alone":               {"type=semver,pattern={{version}}", tagrule.Event{Ref: "refs/tags/vv1.2.3"}, "skip: vv1.2.3 is not a semantic version"},
		"semver refuses a leading zero":          {"type=semver,pattern={{version}}", tagrule.Event{Ref: "refs/tags/1.02.3"}, "skip: 1.02.3 is not a semantic version"},
		"semver refuses an empty pre-release":    {"type=semver,pattern={{version}}", tagrule.Event{Ref: "refs/tags/1.2.3-"}, "skip: 1.2.3- is not a semantic version"},
		"semver refuses what JavaScript rounds":  {"type=semver,pattern={{version}}", tagrule.Event{Ref: "refs/tags/9007199254740992.0.0"}, "skip: 9007199254740992.0.0 is not a semantic version"},
		"semver drops build metadata":            {"type=semver,pattern={{version}}", tagrule.Event{Ref: "refs/tags/v1.2.3+exp.sha"}, "1.2.3"},
		"a slash becomes a dash first":           {"type=semver,pattern={{version}}", tagrule.Event{Ref: "refs/tags/p1/v1.2.3"}, "skip: p1-v1.2.3 is not a semantic version"},
		"an invalid value= skips the rule":       {"type=semver,pattern={{version}},value=next", tagged, "skip: next is not a semantic version"},
		"an invalid PEP 440 version skips":       {"type=pep440,pattern={{version}}", tagrule.Event{Ref: "refs/tags/sometag"}, "skip: sometag is not a PEP 440 version"},
		"pep440 fills what is not written":       {"type=pep440,pattern={{major}}.{{minor}}.{{patch}}", tagrule.Event{Ref: "refs/tags/3"}, "3.0.0"},
		"pep440 ignores the epoch in {{major}}":  {"type=pep440,pattern={{major}}", tagrule.Event{Ref: "refs/tags/1!2.3"}, "2"},
		"pep440 keeps a local part":              {"type=pep440,pattern={{version}}", tagrule.Event{Ref: "refs/tags/1.2.3+Ubuntu_01"}, "1.2.3-ubuntu-1"},
		"blanks in braces do not count":          {"type=semver,pattern={{ major }}-x", tagged, "1-x"},
		"a pattern without expression is text":   {"type=semver,pattern=stable", tagged, "stable"},
		"enable=false skips":                     {"type=raw,value=x,enable=false", tagged, "skip: enable=false"},
		"an empty raw value skips":               {"type=raw,value=", tagged, "skip: gives an empty text"},
		"an empty raw value keeps its prefix":    {"type=raw,value=,prefix=x", tagged, "x"},
		"a run of foreign characters is a dash":  {"a/+b c", tagged, "a-b-c"},
	} {
		t.Run(name, func(t *testing.T) {
			result := evaluate(t, []string{tc.rule}, nil, tc.event)
			var got string
			switch {
			case len(result.Tags) > 0:
				got = result.Tags[0].Text
			case len(result.Skipped()) == 1 && result.Skipped()[0].Rule == tc.rule:
				got = "skip: " + result.Skipped()[0].Reason
			}
			if got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

func TestEachTextOnce(t *testing.T) {
	result := evaluate(t, []string{"latest", "type=semver,pattern={{version}}", "type=raw,value=1.2.3,priority=1"}, nil,
		tagrule.Event{Name: "push", Ref: "refs/tags/v1.2.3"})
	want := tagrule.Result{Version: "1.2.3", Tags: []tagrule.Tag{
		{Text: "1.2.3", Class: tagrule.Fixed, Rule: "type=semver,pattern={{version}}"},
		{Text: "latest", Class: tagrule.Moving, Rule: "latest", Latest: true},
	}, Outcomes: []tagrule.Outcome{
		{Rule: "latest", Gave: "latest"},
		{Rule: "type=semver,pattern={{version}}", Gave: "1.2.3"},
		{Rule: "type=raw,value=1.2.3,priority=1", Gave: "1.2.3"},
		{Rule: "flavor latest=auto", Gave: "latest"},
	}}
	if diff := cmp.Diff(want, result, cmpopts.IgnoreUnexported(tagrule.Result{}, tagrule.Tag{})); diff != "" {
		t.Error(diff)
	}
}

func TestSkippedKeepsTheOrderOfTheRules(t *testing.T) {
	lines := []string{"type=raw,value=a,enable=false", "type=semver,pattern={{version}}", "type=pep440,pattern={{version}}"}
	result := evaluate(t, lines, nil, tagrule.Event{Name: "push", Ref: "refs/heads/main"})
	var got []string
	for _, s := range result.Skipped() {
		got = append(got, s.Rule)
	}
	if diff := cmp.Diff(lines, got); diff != "" {
		t.Error(diff)
	}
}

func TestReleaseVersionAgainstThePushedTag(t *testing.T) {
	for name, tc := range map[string]struct {
		event tagrule.Event
		ok    bool
	}{
		"the same version agrees":                  {tagrule.Event{Name: "push", Ref: "refs/tags/v1.2.3", Version: "1.2.3"}, true},
		"another version is an error":              {tagrule.Event{Name: "push", Ref: "refs/tags/v1.2.3", Version: "1.2.4"}, false},
		"another spelling of PEP 440 agrees":       {tagrule.Event{Name: "push", Ref: "refs/tags/v1.2.3rc1", Version: "1.2.3.rc1"}, true},
		"a pre-release is another version":         {tagrule.Event{Name: "push", Ref: "refs/tags/v1.2.3-rc.1", Version: "1.2.3"}, false},
		"what follows the last slash counts":       {tagrule.Event{Name: "push", Ref: "refs/tags/app/v1.2.3", Version: "1.2.4"}, false},
		"a component's tag may agree":              {tagrule.Event{Name: "push", Ref: "refs/tags/app/v1.2.3", Version: "1.2.3"}, true},
		"a tag without a version says nothing":     {tagrule.Event{Name: "push", Ref: "refs/tags/stable", Version: "1.2.4"}, true},
		"a release event may differ from its tag":  {tagrule.Event{Name: "release", Ref: "refs/tags/v1.2.3", Version: "1.2.4"}, true},
		"a branch says nothing":                    {tagrule.Event{Name: "push", Ref: "refs/heads/v1.2.3", Version: "1.2.4"}, true},
		"a version that is none is not a tag's":    {tagrule.Event{Name: "push", Ref: "refs/tags/v1.2.3", Version: "next"}, false},
		"without a release-version the tag counts": {tagrule.Event{Name: "push", Ref: "refs/tags/v1.2.3"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := tagrule.Evaluate(rules(t, []string{"x"}), tagrule.Flavor{}, tc.event)
			if (err == nil) != tc.ok {
				t.Errorf("error is %v, want ok=%t", err, tc.ok)
			}
		})
	}
}

func TestTagsThatNoRegistryTakes(t *testing.T) {
	hex := strings.Repeat("0a", 32)
	for name, tc := range map[string]struct{ rule, want string }{
		"a dot first is an error":                   {"type=raw,value=.x", "is not valid"},
		"a dash first is an error":                  {"type=raw,value=-x", "is not valid"},
		"a foreign character first is a dash first": {"type=raw,value=/x", "is not valid"},
		"128 characters are enough":                 {"type=raw,value=" + strings.Repeat("x", 129), "is not valid"},
		"a referrers tag is an error":               {"type=raw,value=sha256-" + hex, "referrers"},
		"made by a prefix it is one too":            {"type=raw,prefix=sha256-,value=" + hex, "referrers"},
		"and in upper case":                         {"type=raw,value=sha256-" + strings.ToUpper(hex), "referrers"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := tagrule.Evaluate(rules(t, []string{tc.rule}), tagrule.Flavor{}, tagrule.Event{})
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error is %v, want one with %q", err, tc.want)
			}
		})
	}
	if _, err := tagrule.Evaluate(rules(t, []string{"type=raw,value=" + strings.Repeat("x", 128)}), tagrule.Flavor{}, tagrule.Event{}); err != nil {
		t.Errorf("128 characters: %v", err)
	}
	if _, err := tagrule.Evaluate([]tagrule.Rule{{}}, tagrule.Flavor{}, tagrule.Event{}); err == nil {
		t.Error("a zero Rule was evaluated")
	}
}

func TestLatestTakesPrefixAndSuffixOnlyIfAsked(t *testing.T) {
	for name, tc := range map[string]struct{ flavor, want string }{
		"neither":     {"prefix=a-,suffix=-b", "latest"},
		"the prefix":  {"prefix=a-,onlatest=true,suffix=-b", "a-latest"},
		"the suffix":  {"prefix=a-,suffix=-b,onlatest=true", "latest-b"},
		"no longer":   {"suffix=-b,onlatest=true,onlatest=false", "latest"},
		"none at all": {"latest=true", "latest"},
	} {
		t.Run(name, func(t *testing.T) {
			result := evaluate(t, []string{"type=semver,pattern={{version}}"}, []string{tc.flavor},
				tagrule.Event{Name: "push", Ref: "refs/tags/v1.2.3"})
			if last := result.Tags[len(result.Tags)-1]; last.Text != tc.want || !last.Latest {
				t.Errorf("the last tag is %+v, want %s", last, tc.want)
			}
		})
	}
}
