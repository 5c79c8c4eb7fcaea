package release_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/taglast/taglast/internal/hint"
	"github.com/taglast/taglast/pkg/release"
	"github.com/taglast/taglast/pkg/tagrule"
)

// shown is an error as the program prints it: its text after "error: ", what became of the tags between them.
func shown(tags string, err error) string {
	s := "error: " + tags + err.Error() + "\n"
	if h := hint.Of(err); h != "" {
		s += "hint:  " + h + "\n"
	}
	return s
}

func TestErrorTexts(t *testing.T) {
	for name, tc := range map[string]struct{ file, want string }{
		"a GitHub expression": {
			file: `repositories:
      - "ghcr.io/${{ github.repository_owner }}/uv"
`,
			want: "error: taglast.yaml:2:18: `${{ github.repository_owner }}` is not evaluated here: GitHub does not read this file\n" +
				"hint:  set `env: {OWNER: \"${{ github.repository_owner }}\"}` on the step and write \"ghcr.io/${OWNER}/uv\"\n",
		},
		"unquoted braces": {
			file: `platforms:
  - linux/amd64
  - linux/arm64
repositories: [ghcr.io/acme/app]
tags: [latest]
labels:
  a: b
images:
  - name: {{variant}}
    source: {oci: dist}
`,
			want: `error: taglast.yaml:9:11: a value that begins with {{ must be quoted, or YAML reads it as a map
           name: {{variant}}
                 ^
hint:  name: "{{variant}}"
`,
		},
		"a typo": {
			file: "repository: ghcr.io/acme/hello\n",
			want: "error: taglast.yaml:1:1: unknown key `repository`; did you mean `repositories`? It takes a list: repositories: [ghcr.io/acme/hello]\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			file := tc.file
			if !strings.Contains(file, "images:") {
				file += "tags: [latest]\nimages:\n  - {name: uv, source: {oci: dist}}\n"
			}
			_, err := release.Parse("taglast.yaml", []byte(file), nil)
			if err == nil {
				t.Fatal("no error")
			}
			if got := shown("", err); got != tc.want {
				t.Errorf("got\n%s\nwant\n%s", got, tc.want)
			}
		})
	}
}

func TestNoTagsText(t *testing.T) {
	rules := parseRules(t, "type=semver,pattern={{version}}", "type=semver,pattern={{major}}.{{minor}}")
	event := tagrule.Event{Name: "push", Ref: "refs/heads/main"}
	result, err := tagrule.Evaluate(rules, tagrule.Flavor{}, event)
	if err != nil {
		t.Fatal(err)
	}
	want := "error: no tag was changed. plan: image hello: no rule gives a tag on push of refs/heads/main\n" +
		"       type=semver,pattern={{version}}             needs a git tag, or --release-version\n" +
		"       type=semver,pattern={{major}}.{{minor}}     needs a git tag, or --release-version\n" +
		"hint:  add `type=edge` for pushes to main, or run this job on tags only, or set `if-no-tags: skip`\n"
	if got := shown("no tag was changed. plan: ", release.NoTags("hello", event, result.Skipped())); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	event.Ref = "refs/tags/sometag"
	if got := hint.Of(release.NoTags("hello", event, nil)); strings.Contains(got, "edge") {
		t.Errorf("on the push of a tag the hint is %q", got)
	}
}

func TestConflictsText(t *testing.T) {
	var wanted []release.Wanted
	latest := []tagrule.Tag{{Text: "latest", Latest: true}}
	for i, name := range append([]string{"uv", "alpine3.23", "alpine3.22"}, make([]string, 30)...) {
		if name == "" {
			name = fmt.Sprintf("variant%d", i)
		}
		wanted = append(wanted, release.Wanted{Image: name, Repositories: []string{"ghcr.io/astral-sh/uv"}, Tags: latest})
	}
	want := "error: nothing was sent. tag `latest` is wanted by 33 images: uv, alpine3.23, alpine3.22 and 30 more\n" +
		"hint:  images with `flavor: [latest=true]` need a suffix: `suffix=-{{image}},onlatest=true`; or leave flavor out\n"
	if got := shown("nothing was sent. ", release.Conflicts(wanted)); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestConflicts(t *testing.T) {
	tags := func(names ...string) []tagrule.Tag {
		var out []tagrule.Tag
		for _, n := range names {
			out = append(out, tagrule.Tag{Text: n})
		}
		return out
	}
	for name, tc := range map[string]struct {
		wanted []release.Wanted
		want   string
	}{
		"one tag in two repositories is none": {[]release.Wanted{
			{"a", []string{"ghcr.io/acme/a"}, tags("1.0.0")}, {"b", []string{"ghcr.io/acme/b"}, tags("1.0.0")},
		}, ""},
		"two tags in one repository are none": {[]release.Wanted{
			{"a", []string{"ghcr.io/acme/a"}, tags("1.0.0")}, {"b", []string{"ghcr.io/acme/a"}, tags("1.0.0-b")},
		}, ""},
		"one repository in common is enough": {[]release.Wanted{
			{"a", []string{"ghcr.io/acme/a", "docker.io/acme/a"}, tags("x", "1.0.0")}, {"b", []string{"docker.io/acme/a"}, tags("1.0.0")},
		}, "tag `1.0.0` is wanted by 2 images: a, b"},
	} {
		t.Run(name, func(t *testing.T) {
			got := ""
			if err := release.Conflicts(tc.wanted); err != nil {
				got = err.Error()
			}
			if got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

func parseRules(t *testing.T, lines ...string) []tagrule.Rule {
	t.Helper()
	var rules []tagrule.Rule
	for _, line := range lines {
		r, err := tagrule.Parse(line)
		if err != nil {
			t.Fatal(err)
		}
		rules = append(rules, r)
	}
	return rules
}
