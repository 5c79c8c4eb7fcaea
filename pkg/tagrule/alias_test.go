package tagrule_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/taglast/taglast/pkg/tagrule"
)

const semverRules = "type=semver,pattern={{version}} ; type=semver,pattern={{major}}.{{minor}} ; type=semver,pattern={{major}}"

func TestAliases(t *testing.T) {
	for name, tc := range map[string]struct {
		rules, flavor, tag string
		there              string // the repository's tags
		keep               string // the aliases that are kept, sorted; all others move
	}{
		"the first release moves all":                    {semverRules, "", "v1.0.0", "", ""},
		"the highest moves all":                          {semverRules, "", "v1.3.0", "1.2.0 1.2.9 1.2 1 latest", ""},
		"a backport moves the alias of its own series":   {semverRules + " ; alpine", "", "v1.2.9", "1.2.8 1.3.0 latest 1 alpine", "1 alpine latest"},
		"an older patch moves nothing":                   {semverRules, "", "v1.2.8", "1.2.9 1.3.0", "1 1.2 latest"},
		"the same version again moves":                   {semverRules, "", "v1.2.9", "1.2.9 1.2.8", ""},
		"an older major moves its own":                   {semverRules, "", "v1.9.0", "2.0.0 1.8.0", "latest"},
		"an alias with v has the same scope":             {"type=semver,pattern=v{{version}} ; type=semver,pattern=v{{major}}.{{minor}} ; type=semver,pattern=v{{major}}", "", "v1.2.9", "v1.3.0 v1.2.8", "latest v1"},
		"versions with and without v are of one scope":   {semverRules, "", "v1.2.9", "v1.3.0", "1 latest"},
		"10 is above 9":                                  {semverRules, "", "v1.9.0", "1.10.0", "1 latest"},
		"a pre-release does not keep a release back":     {semverRules, "", "v1.2.0", "1.3.0-rc.1 1.2.0-rc.1", ""},
		"a pre-release moves no alias of releases":       {semverRules + " ; stable", "latest=true", "v1.3.0-rc.1", "1.2.0", "latest stable"},
		"not even of lower ones":                         {"type=semver,pattern={{version}} ; stable", "", "v2.0.0-rc.1", "1.0.0", "stable"},
		"the first pre-release of all moves":             {"type=semver,pattern={{version}} ; stable", "", "v1.0.0-rc.1", "", ""},
		"the next one too":                               {"type=semver,pattern={{version}} ; stable", "", "v1.0.0-rc.2", "1.0.0-rc.1 stable", ""},
		"an older pre-release does not":                  {"type=semver,pattern={{version}} ; stable", "", "v1.0.0-rc.1", "1.0.0-rc.2 stable", "stable"},
		"a variant is not a pre-release":                 {"type=semver,pattern={{version}} ; stable", "", "v1.0.0-rc.1", "1.2.0-alpine 1.2.0-trixie-slim", ""},
		"a word of our own is one":                       {"type=semver,pattern={{version}} ; stable", "", "v1.0.0-foo.1", "1.0.0-foo.2", "stable"},
		"a variant keeps no release back":                {semverRules, "", "v1.2.0", "1.3.0-alpine 1.3.0-slim", ""},
		"a suffix has a scope of its own":                {"type=semver,pattern={{version}},suffix=-slim ; type=semver,pattern={{major}},suffix=-slim", "latest=false", "v1.2.0", "1.3.0 1.3.0-trixie-slim 1.3.0-alpine 1.1.0-slim", ""},
		"and is kept back in it":                         {"type=semver,pattern={{version}},suffix=-slim ; type=semver,pattern={{major}},suffix=-slim", "latest=false", "v1.2.0", "1.3.0-slim", "1-slim"},
		"a prefix has one":                               {"type=semver,pattern={{version}},prefix=app- ; type=semver,pattern={{major}},prefix=app-", "latest=false", "v1.2.0", "1.3.0 app-1.1.0 cli-9.9.9", ""},
		"and is kept back in its own":                    {"type=semver,pattern={{version}},prefix=app- ; type=semver,pattern={{major}},prefix=app-", "latest=false", "v1.2.0", "app-1.3.0", "app-1"},
		"a plain name belongs to the suffix that it is":  {"type=semver,pattern={{version}} ; type=semver,pattern={{version}},suffix=-alpine ; alpine ; stable", "", "v1.2.0", "1.3.0-alpine 1.1.0", "alpine"},
		"a plain name beside one suffix belongs to it":   {"type=semver,pattern={{version}},suffix=-slim ; stable", "latest=false", "v1.2.0", "1.3.0-slim", "stable"},
		"beside two suffixes it must be highest in both": {"type=semver,pattern={{version}},suffix=-slim ; type=semver,pattern={{version}},suffix=-fat ; stable", "latest=false", "v1.2.0", "1.3.0-fat", "stable"},
		"latest with a suffix is in the suffix's scope":  {"type=semver,pattern={{version}}", "suffix=-dev,onlatest=true", "v1.2.0", "1.3.0 1.1.0-dev", ""},
		"latest without is in it too":                    {"type=semver,pattern={{version}}", "suffix=-dev", "v1.2.0", "1.3.0-dev", "latest"},
		"PEP 440: a post-release is higher":              {"type=pep440,pattern={{version}} ; type=pep440,pattern={{major}}", "", "1.2.0", "1.2.0.post1", "1 latest"},
		"PEP 440: a release candidate moves nothing":     {"type=pep440,pattern={{version}} ; stable", "", "1.3.0rc1", "1.2.0", "stable"},
		"PEP 440: four parts are compared":               {"type=pep440,pattern={{version}} ; type=pep440,pattern={{major}}.{{minor}}", "", "1.2.3.4", "1.2.3.5", "1.2 latest"},
		"PEP 440: a date is no version":                  {"type=pep440,pattern={{version}} ; stable", "", "1.2.3", "20260131 2026 1.2.0-1", ""},
		"calendar versions":                              {"type=pep440,pattern={{version}} ; type=pep440,pattern={{major}}", "", "2026.1.0", "2025.12.1 2026.2.0", "2026 latest"},
		"plain texts are versions":                       {"1.2.9 ; 1.2 ; 1 ; latest", "", "x", "1.3.0 1.2.8", "1 latest"},
		"a plain text with a variant's name":             {"1.2.9-alpine ; 1.2-alpine ; alpine", "", "x", "1.3.0-alpine 1.2.9", "alpine"},
		"the plain text of a pre-release":                {"1.2.9-rc.1 ; stable", "", "x", "1.2.0", "stable"},
		"match: the text's own series":                   {"type=match,pattern=\\d+.\\d+.\\d+ ; type=match,pattern=\\d+.\\d+", "", "v1.2.9", "1.3.0", "latest"},
		"ref tag":                                        {"type=ref,event=tag ; stable", "", "v1.2.9", "v1.3.0", "latest stable"},
		"a tag that says the version is new with it":     {"type=semver,pattern={{version}} ; type=raw,value=build-of-{{tag}}", "latest=false", "v1.2.9", "1.3.0", ""},
		"and with the version of its own rule":           {"1.2.3 ; type=semver,pattern={{major}},prefix={{tag}}-", "latest=false", "v1.2.9", "1.3.0", ""},
		"a component's tag":                              {"type=semver,pattern={{version}},\"match=app/(.*)\" ; type=semver,pattern={{major}},\"match=app/(.*)\" ; stable", "latest=false", "app/v1.2.9", "1.3.0", "1 stable"},
		"minor alone is an alias of all with that minor": {"type=semver,pattern={{version}} ; type=semver,pattern=x{{minor}}", "latest=false", "v1.2.9", "2.2.0 1.3.0", "x2"},
		// What a pattern writes around the version belongs to the series.
		"a pattern's own suffix":             {"type=semver,pattern={{version}}-alpine ; type=semver,pattern={{major}}-alpine", "", "v1.2.9", "1.3.0-alpine 1-alpine latest", "1-alpine latest"},
		"a pattern's own suffix has a scope": {"type=semver,pattern={{version}}-alpine ; type=semver,pattern={{major}}-alpine", "", "v1.2.9", "1.3.0 1.3.0-slim", ""},
		"a pattern's own prefix":             {"type=semver,pattern=app-{{version}} ; type=semver,pattern=app-{{major}}", "", "v1.2.9", "app-1.3.0", "app-1 latest"},
		"and a git tag without v":            {"type=semver,pattern=app-{{version}} ; type=semver,pattern=app-{{major}}", "", "1.2.9", "app-1.3.0 2.0.0", "app-1 latest"},
		"and v in the tag":                   {"type=semver,pattern=app-v{{version}} ; type=semver,pattern=app-{{major}}", "", "1.2.9", "app-1.3.0 app-v1.2.8", "app-1 latest"},
		"in PEP 440 too":                     {"type=pep440,pattern={{version}}-alpine ; type=pep440,pattern={{major}}.{{minor}}-alpine", "", "1.2.9", "1.3.0-alpine", "latest"},
		"all three numbers with a suffix":    {"type=semver,pattern={{major}}.{{minor}}.{{patch}}-x ; stable", "", "v1.2.9", "1.3.0-x", "latest stable"},
		// The version counts as it is, however its tag writes it.
		"a local part":   {"type=pep440,pattern={{version}} ; stable", "", "1.2.9+cu118", "1.3.0-cu118", "latest stable"},
		"an epoch":       {"type=pep440,pattern={{version}} ; stable", "", "1!1.2.9", "1-1.3.0 2.0.0", "latest stable"},
		"a higher epoch": {"type=pep440,pattern={{version}} ; stable", "", "1!1.0.0", "2.0.0", ""},
		"a capital V":    {"type=pep440,pattern={{version}} ; stable", "", "V1.2.9", "1.3.0", "latest stable"},
		"a version of two numbers with all three": {"type=pep440,pattern={{major}}.{{minor}}.{{patch}} ; type=pep440,pattern={{major}}", "", "2026.1", "2026.2.0", "2026 latest"},
		"build metadata that the tag shows":       {"type=semver,pattern={{raw}} ; stable", "", "v1.28.9+k3s1", "v1.29.0-k3s1", "latest stable"},
		"and that changes":                        {"type=semver,pattern={{raw}} ; stable", "", "v1.28.9+k3s2", "v1.29.0-k3s1", "latest stable"},
		"build metadata by its expression":        {"type=semver,pattern={{version}}-{{build}} ; stable", "", "v1.2.9+5", "1.3.0-1", "latest stable"},
		"a pre-release beside metadata":           {"type=semver,pattern={{raw}} ; stable", "", "v1.28.9+k3s1", "v1.29.0-rc.1", ""},
		"build metadata of a git tag as it is":    {"type=ref,event=tag ; stable", "", "v1.28.9+k3s2", "v1.29.0-k3s1", "latest stable"},
		"a suffix that changes":                   {"type=semver,pattern={{version}},suffix=-{{sha}} ; stable", "", "v1.2.9", "1.3.0-1111111 1.3.0-rc.1", "latest stable"},
		"the flavor's suffix that changes":        {"type=semver,pattern={{version}}", "suffix=-{{sha}}", "v1.4.0", "1.3.0-1111111 1.5.0-rc.1", ""},
		// Variants of pre-releases, dates.
		"a variant's pre-release is not ours":               {"type=semver,pattern={{version}} ; type=semver,pattern={{version}},suffix=-alpine ; next", "latest=true", "v1.0.0-rc.1", "1.0.0-rc.1 1.0.0-rc.1-alpine", ""},
		"nor one of another image":                          {"type=semver,pattern={{version}} ; next", "latest=true", "v1.0.0-rc.1", "1.0.0-rc.2-alpine", ""},
		"a date with dots is no version beside a rule":      {semverRules + " ; type=raw,value=2026.10.31", "", "v1.2.9", "1.3.0", "1 latest"},
		"nor among the tags":                                {semverRules, "", "v1.4.0", "2025.11.15 1.3.0", ""},
		"where versions are years it is":                    {semverRules, "", "v2025.11.0", "2025.11.15", "2025 2025.11 latest"},
		"a plain text does not raise a rule's version":      {semverRules + " ; 9.9.9", "", "v1.2.9", "1.3.0", "1 latest"},
		"years with zeros":                                  {"type=ref,event=tag ; type=match,pattern=\\d+.\\d+", "latest=false", "2026.01.0", "2026.1.5", "2026.01"},
		"each rule's own version":                           {"type=semver,pattern={{version}},value=2.0.0 ; type=semver,pattern={{version}},value=1.2.3 ; type=semver,pattern={{major}},value=1.2.3", "latest=false", "x", "1.9.0", "1"},
		"a part of four numbers moves":                      {"type=pep440,pattern={{version}} ; type=pep440,pattern={{major}}.{{minor}}.{{patch}}", "", "1.2.3.4", "1.2.3.5 1.2.4.0", "1.2.3 latest"},
		"an alias without a version of its own":             {"type=semver,pattern={{major}}", "", "v1.2.9", "1.3.0", "-"},
		"a branch has no version":                           {"type=edge ; type=ref,event=branch", "", "", "1.3.0 edge", "-"},
		"a date has no version":                             {"type=raw,value=20260131 ; nightly", "", "", "20260201 nightly", "-"},
		"a plain commit has none":                           {"type=raw,value={{sha}} ; stable", "", "", "1.3.0 860c190", "-"},
		"a commit has no version":                           {"type=sha,format=long ; stable", "", "", "1.3.0", "-"},
		"what is not a tag of ours does not count":          {semverRules, "", "v1.2.0", "sha256-" + strings.Repeat("0", 64) + " nightly v2 2.0 x1.3.0 1.3.0x", ""},
		"build metadata is not higher":                      {semverRules, "", "v1.2.0", "1.2.0", ""},
		"numbers that JavaScript cannot read are no semver": {semverRules, "", "v1.2.0", "9007199254740993.0.0", ""},
	} {
		t.Run(name, func(t *testing.T) {
			e := tagrule.Event{Name: "push", Ref: "refs/tags/" + tc.tag, SHA: "860c1904a1ce19322e91ac35af1ab07466440c37", DefaultBranch: "main"}
			if tc.tag == "" {
				e.Ref = "refs/heads/main"
			}
			result := evaluate(t, split(tc.rules), split(tc.flavor), e)
			if versioned := tc.keep != "-"; result.Versioned() != versioned {
				t.Fatalf("versioned is %t: %v", !versioned, result.Tags)
			}
			var kept []string
			aliases := result.Aliases(strings.Fields(tc.there), nil)
			for _, text := range slices.Sorted(maps.Keys(aliases)) {
				if aliases[text].Keep {
					kept = append(kept, text)
				}
			}
			if got := strings.Join(kept, " "); got != strings.TrimPrefix(tc.keep, "-") {
				t.Errorf("kept %q, want %q: %+v", got, tc.keep, aliases)
			}
			for _, tag := range result.Tags {
				if _, ok := aliases[tag.Text]; ok != (tag.Class == tagrule.Moving && result.Versioned()) {
					t.Errorf("%s is %s, and an alias: %t", tag.Text, tag.Class, ok)
				}
			}
		})
	}
}

func TestWhyAnAliasIsKept(t *testing.T) {
	e := tagrule.Event{Name: "push", Ref: "refs/tags/v1.2.9"}
	rules := []string{"type=semver,pattern=v{{version}},suffix=-slim", "slim", "stable"}
	aliases := evaluate(t, rules, []string{"latest=false"}, e).Aliases([]string{"v1.3.0-slim", "v1.10.0-slim", "v1.4.0"}, []string{"sta*"})
	if a := aliases["slim"]; !a.Keep || a.Tag != "v1.10.0-slim" || a.Reason() != "this release is 1.2.9 and 1.10.0 is higher" {
		t.Errorf("%+v: %s", a, a.Reason())
	}
	if a := aliases["stable"]; a.Keep || a.Higher != "1.10.0" || a.Reason() != "" {
		t.Errorf("allow-downgrade did not lift it: %+v", a)
	}
	e.Ref = "refs/tags/v1.3.0-rc.1"
	aliases = evaluate(t, rules, []string{"latest=false"}, e).Aliases([]string{"1.2.0-slim"}, nil)
	if a := aliases["slim"]; a.Reason() != "this release is 1.3.0-rc.1, a pre-release, and 1.2.0 is a release" {
		t.Errorf("%+v: %s", a, a.Reason())
	}
}

// uvNames are names of variants as uv has them: 44, of which the plain ones stand for the newest of their kind.
func uvNames() []string {
	var out []string
	out = append(out, "alpine", "alpine3.22", "alpine3.23", "debian", "trixie", "bookworm", "debian-slim", "trixie-slim", "bookworm-slim")
	for minor := 9; minor <= 14; minor++ {
		for _, base := range []string{"alpine", "alpine3.23", "trixie", "trixie-slim", "bookworm"} {
			out = append(out, fmt.Sprintf("python3.%d-%s", minor, base))
		}
	}
	return append(out, "dhi-alpine3.23", "dhi-debian13", "dhi-python3.13-debian13", "dhi-python3.14-debian13", "dhi-python3.14-alpine3.23")
}

// TestUVReleasesAnOldVersion is uv's own case: 0.12.9 after 0.13.0, and 0.14.0rc1 after both. No alias of 0.13 moves, of
// 44 names each in its own scope.
func TestUVReleasesAnOldVersion(t *testing.T) {
	names := uvNames()
	if len(names) != 44 {
		t.Fatalf("%d names", len(names))
	}
	rules := []string{"type=pep440,pattern={{version}}", "type=pep440,pattern={{major}}.{{minor}}"}
	for _, n := range names {
		rules = append(rules, "type=pep440,pattern={{version}},suffix=-"+n, "type=pep440,pattern={{major}}.{{minor}},suffix=-"+n, n)
	}
	publish := func(version string, there []string) (moved, all []string) {
		result := evaluate(t, rules, nil, tagrule.Event{Name: "push", Ref: "refs/tags/" + version})
		aliases := result.Aliases(there, nil)
		for _, tag := range result.Tags {
			all = append(all, tag.Text)
			if a, ok := aliases[tag.Text]; ok && !a.Keep {
				moved = append(moved, tag.Text)
			}
		}
		return moved, all
	}
	moved, there := publish("0.13.0", nil)
	if len(moved) != 44*2+2 || len(there) != 44*3+3 {
		t.Fatalf("0.13.0 moves %d aliases and has %d tags", len(moved), len(there))
	}
	moved, tags := publish("0.12.9", there)
	if len(moved) != 45 {
		t.Errorf("0.12.9 moves %d aliases, want the 45 of 0.12: %v", len(moved), moved)
	}
	for _, tag := range moved {
		if tag != "0.12" && !strings.HasPrefix(tag, "0.12-") {
			t.Errorf("0.12.9 moves %s", tag)
		}
	}
	there = append(there, tags...)
	if moved, _ = publish("0.14.0rc1", there); len(moved) > 0 {
		t.Errorf("0.14.0rc1 moves %v", moved)
	}
	// One name alone falls back: its own aliases are kept, and no other's.
	moved, _ = publish("0.13.1", append(there, "0.14.0-alpine"))
	if len(moved) != 45*2-1 || slices.Contains(moved, "alpine") || !slices.Contains(moved, "0.13-alpine") || !slices.Contains(moved, "alpine3.22") {
		t.Errorf("0.13.1 after 0.14.0-alpine moves %d aliases: %v", len(moved), moved)
	}
}

func FuzzAliases(f *testing.F) {
	f.Add("type=semver,pattern={{major}},suffix=-a", "v1.2.3-rc.1", "1.3.0-a 1.2.3 v9 1.2.0-alpine")
	f.Add("type=match,pattern=\\d.\\d", "p1/v1.2.3", "2.0.0")
	f.Add("stable", "1.2.post1", "1.2.post2 1.2.0.dev1")
	f.Fuzz(func(t *testing.T, line, tag, there string) {
		var rules []tagrule.Rule
		for _, l := range []string{line, "type=semver,pattern={{version}}", "type=pep440,pattern={{version}},suffix=-p"} {
			r, err := tagrule.Parse(l)
			if err != nil {
				return
			}
			rules = append(rules, r)
		}
		result, err := tagrule.Evaluate(rules, tagrule.Flavor{}, tagrule.Event{Name: "push", Ref: "refs/tags/" + tag})
		if err != nil {
			return
		}
		for text, a := range result.Aliases(strings.Fields(there), nil) {
			if a.Keep != (a.Reason() != "") || a.Keep && !slices.Contains(strings.Fields(there), a.Tag) {
				t.Fatalf("%s: %+v", text, a)
			}
		}
	})
}

// BenchmarkAliases40000 decides uv's 90 aliases among 40,000 tags, on the release of an old version.
func BenchmarkAliases40000(b *testing.B) {
	rules := []tagrule.Rule{}
	lines := []string{"type=pep440,pattern={{version}}", "type=pep440,pattern={{major}}.{{minor}}"}
	for _, n := range uvNames() {
		lines = append(lines, "type=pep440,pattern={{version}},suffix=-"+n, "type=pep440,pattern={{major}}.{{minor}},suffix=-"+n, n)
	}
	for _, line := range lines {
		r, err := tagrule.Parse(line)
		if err != nil {
			b.Fatal(err)
		}
		rules = append(rules, r)
	}
	result, err := tagrule.Evaluate(rules, tagrule.Flavor{}, tagrule.Event{Name: "push", Ref: "refs/tags/0.2.9"})
	if err != nil {
		b.Fatal(err)
	}
	var there []string
	for i := 0; len(there) < 40_000; i++ {
		version := fmt.Sprintf("0.%d.%d", i/20, i%20)
		there = append(there, version)
		for _, n := range uvNames() {
			there = append(there, version+"-"+n)
		}
	}
	for b.Loop() {
		if kept := result.Aliases(there, nil); len(kept) != 90 {
			b.Fatal(len(kept))
		}
	}
}
