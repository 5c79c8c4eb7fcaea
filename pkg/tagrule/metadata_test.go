package tagrule_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/taglast/taglast/pkg/tagrule"
)

// The rows of docker/metadata-action v6.2.0's test suite and README that raw, semver and pep440 cover, under the
// suite's own names.
func TestTagsEqualTheOriginals(t *testing.T) {
	for _, tc := range []struct{ name, ref, rules, flavor, tags string }{
		{"tag11", "v1.1.1", "type=semver,pattern={{version}} ; type=semver,pattern={{major}}.{{minor}} ; type=semver,pattern={{major}}", "", "1.1.1 1.1 1 latest"},
		{"tag12", "v1.1.1", "type=semver,pattern={{version}} ; type=semver,pattern={{major}}.{{minor}}.{{patch}}", "", "1.1.1 latest"},
		{"tag13", "v2.0.8-beta.67", "type=semver,pattern={{major}}.{{minor}} ; type=semver,pattern={{major}}", "", "2.0.8-beta.67"},
		{"tag21", "v1.1.1", "type=semver,pattern={{version}} ; type=semver,pattern={{major}}.{{minor}}.{{patch}}", "suffix=-dev,onlatest=true", "1.1.1-dev latest-dev"},
		{"tag22", "v1.1.1", "type=semver,pattern={{version}} ; type=semver,pattern={{major}}.{{minor}}.{{patch}}", "prefix=foo-,onlatest=true ; suffix=-dev,onlatest=true", "foo-1.1.1-dev foo-latest-dev"},
		{"tag24", "1.2", "type=pep440,pattern={{version}} ; type=pep440,pattern={{major}}.{{minor}}", "", "1.2 latest"},
		{"tag25", "1.1beta2", "type=pep440,pattern={{major}}.{{minor}} ; type=pep440,pattern={{major}}", "", "1.1b2"},
		{"tag26", "1.0dev4", "type=pep440,pattern={{major}}.{{minor}} ; type=pep440,pattern={{major}}", "", "1.0.dev4"},
		{"tag28", "v1.1.1", "type=pep440,pattern={{version}} ; type=pep440,pattern={{major}}.{{minor}}.{{patch}} ; type=pep440,pattern={{major}}.{{minor}} ; type=pep440,pattern={{major}}", "", "1.1.1 1.1 1 latest"},
		{"tag29", "1.2post1", "type=pep440,pattern={{version}} ; type=pep440,pattern={{major}}.{{minor}} ; type=pep440,pattern={{major}}", "", "1.2.post1"},
		{"raw05", "v1.1.1", "type=semver,pattern={{version}} ; type=semver,pattern={{major}}.{{minor}} ; type=semver,pattern={{major}} ; type=raw,my ; type=raw,custom ; type=raw,tags", "", "1.1.1 1.1 1 my custom tags latest"},
		{"raw06", "v1.1.1", "type=raw,my ; type=raw,custom ; type=raw,tags", "", "my custom tags"},
		{"raw10", "heads/dev", "type=raw,foo ; type=raw,bar,enable=false ; type=raw,baz,enable=true", "latest=false", "foo baz"},
		{"README semver {{version}}", "v1.2.3", "type=semver,pattern={{version}}", "latest=false", "1.2.3"},
		{"README semver {{major}}.{{minor}}", "v1.2.3", "type=semver,pattern={{major}}.{{minor}}", "latest=false", "1.2"},
		{"README semver v{{major}}", "v1.2.3", "type=semver,pattern=v{{major}}", "latest=false", "v1"},
		{"README semver {{minor}}", "v1.2.3", "type=semver,pattern={{minor}}", "latest=false", "2"},
		{"README semver {{patch}}", "v1.2.3", "type=semver,pattern={{patch}}", "latest=false", "3"},
		{"README semver pre-release", "v2.0.8-beta.67", "type=semver,pattern={{version}} ; type=semver,pattern={{major}}", "", "2.0.8-beta.67"},
		{"README pep440 release candidate", "1.2.3rc2", "type=pep440,pattern={{major}}.{{minor}}", "", "1.2.3rc2"},
		{"README pep440 post-release", "1.2.3post1", "type=pep440,pattern={{major}}.{{minor}}", "", "1.2.3.post1"},
		{"README pep440 beta", "1.2.3beta2", "type=pep440,pattern={{major}}.{{minor}}", "", "1.2.3b2"},
		{"README pep440 development release", "1.0dev4", "type=pep440,pattern={{major}}.{{minor}}", "", "1.0.dev4"},
		{"README pep440 v{{major}}", "1.2.3", "type=pep440,pattern=v{{major}}", "latest=false", "v1"},
		// the parts of mixed rows that these types make
		{"push12", "heads/my/feature#1245", "type=semver,pattern={{version}} ; type=pep440,pattern={{version}}", "", ""},
		{"push14", "heads/master", "type=semver,pattern={{version}},value=v1.2.3 ; type=pep440,pattern={{version}},value=v1.2.3", "", "1.2.3 latest"},
		{"tag15", "v2.0.8-beta.67", "type=raw,priority=2000,foo ; type=semver,pattern={{version}}", "", "foo 2.0.8-beta.67"},
		{"raw07", "heads/dev", "type=raw,my ; type=raw,custom ; type=raw,tags", "latest=true", "my custom tags latest"},
		{"raw09", "heads/dev", "type=raw,my,prefix=foo-,suffix=-bar ; type=raw,custom ; type=raw,tags", "latest=false ; prefix=glo- ; suffix=-bal", "foo-my-bar glo-custom-bal glo-tags-bal"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			ref := "refs/tags/" + tc.ref
			if strings.HasPrefix(tc.ref, "heads/") {
				ref = "refs/" + tc.ref
			}
			result := evaluate(t, split(tc.rules), split(tc.flavor), tagrule.Event{Name: "push", Ref: ref})
			var tags []string
			for _, tag := range result.Tags {
				tags = append(tags, tag.Text)
			}
			if want := strings.Fields(tc.tags); !slices.Equal(tags, want) {
				t.Errorf("tags are %q, want %q", tags, want)
			}
			if len(tags) > 0 && result.Version != tags[0] {
				t.Errorf("version is %q, want the first tag", result.Version)
			}
		})
	}
}

func split(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(s, " ; ")
}

func evaluate(t *testing.T, lines, flavor []string, e tagrule.Event) tagrule.Result {
	t.Helper()
	f, err := tagrule.ParseFlavor(flavor)
	if err != nil {
		t.Fatal(err)
	}
	result, err := tagrule.Evaluate(rules(t, lines), f, e)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

func rules(t *testing.T, lines []string) []tagrule.Rule {
	t.Helper()
	var rules []tagrule.Rule
	for _, line := range lines {
		r, err := tagrule.Parse(line)
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		rules = append(rules, r)
	}
	return rules
}
