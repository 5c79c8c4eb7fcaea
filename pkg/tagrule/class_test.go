package tagrule_test

import (
	"strings"
	"testing"

	"github.com/taglast/taglast/pkg/tagrule"
)

func TestClass(t *testing.T) {
	for name, tc := range map[string]struct {
		rules, tag, text string
		want             tagrule.Class
	}{
		"a version is fixed":                              {"type=semver,pattern={{version}}", "v1.2.3", "1.2.3", tagrule.Fixed},
		"a version with v is fixed":                       {"type=semver,pattern=v{{version}}", "v1.2.3", "v1.2.3", tagrule.Fixed},
		"a pre-release is fixed":                          {"type=semver,pattern={{major}}", "v1.2.3-rc.1", "1.2.3-rc.1", tagrule.Fixed},
		"all three numbers are a version":                 {"type=semver,pattern={{major}}.{{minor}}.{{patch}}", "v1.2.3", "1.2.3", tagrule.Fixed},
		"major moves":                                     {"type=semver,pattern={{major}}", "v1.2.3", "1", tagrule.Moving},
		"major and minor move":                            {"type=semver,pattern={{major}}.{{minor}}", "v1.2.3", "1.2", tagrule.Moving},
		"an alias that looks like a version moves":        {"type=semver,pattern={{major}}.{{minor}}.0", "v1.2.3", "1.2.0", tagrule.Moving},
		"prefix and suffix are taken off":                 {"type=semver,pattern={{version}},prefix=rel-,suffix=-slim", "v1.2.3", "rel-1.2.3-slim", tagrule.Fixed},
		"and sanitised before":                            {"type=semver,pattern={{version}},prefix=a/b+,suffix=+c", "v1.2.3", "a-b-1.2.3-c", tagrule.Fixed},
		"a suffix alone moves":                            {"type=raw,value=,suffix=slim", "v1.2.3", "slim", tagrule.Moving},
		"PEP 440 with three parts is fixed":               {"type=pep440,pattern={{version}}", "2026.1.0", "2026.1.0", tagrule.Fixed},
		"PEP 440 with four parts is fixed":                {"type=pep440,pattern={{version}}", "1.2.3.4", "1.2.3.4", tagrule.Fixed},
		"PEP 440 with two parts moves":                    {"type=pep440,pattern={{version}}", "1.2", "1.2", tagrule.Moving},
		"a PEP 440 pre-release with two parts is fixed":   {"type=pep440,pattern={{version}}", "1.2rc1", "1.2rc1", tagrule.Fixed},
		"a PEP 440 post-release is fixed":                 {"type=pep440,pattern={{version}}", "1.2post1", "1.2.post1", tagrule.Fixed},
		"a development release is fixed":                  {"type=pep440,pattern={{major}}", "1.2.dev3", "1.2.dev3", tagrule.Fixed},
		"a version with text before it is fixed":          {"type=semver,pattern=app-{{version}}", "1.2.3", "app-1.2.3", tagrule.Fixed},
		"a version with text behind it is fixed":          {"type=pep440,pattern={{version}}-alpine", "1.2.3", "1.2.3-alpine", tagrule.Fixed},
		"a version with an epoch is fixed":                {"type=pep440,pattern={{version}}", "1!1.2.3", "1-1.2.3", tagrule.Fixed},
		"three of four numbers move":                      {"type=pep440,pattern={{version}} ; type=pep440,pattern={{major}}.{{minor}}.{{patch}}", "1.2.3.4", "1.2.3", tagrule.Moving},
		"a raw version is fixed":                          {"type=raw,value=1.2.3", "x", "1.2.3", tagrule.Fixed},
		"a word moves":                                    {"stable", "x", "stable", tagrule.Moving},
		"a day is fixed":                                  {"type=raw,value=20260131", "x", "20260131", tagrule.Fixed},
		"a day with dashes is fixed":                      {"type=raw,value=2026-01-31", "x", "2026-01-31", tagrule.Fixed},
		"a second is fixed":                               {"type=raw,value=20260131-093000", "x", "20260131-093000", tagrule.Fixed},
		"a day that no calendar has moves":                {"type=raw,value=20261331", "x", "20261331", tagrule.Moving},
		"a month moves":                                   {"type=raw,value=2026-01", "x", "2026-01", tagrule.Moving},
		"a day in a prefix attribute is fixed":            {"type=raw,prefix=nightly-,value=20260131", "x", "nightly-20260131", tagrule.Fixed},
		"a text that an alias also makes moves":           {"type=pep440,pattern={{version}} ; type=pep440,pattern={{major}}", "20260131", "20260131", tagrule.Moving},
		"whichever comes first":                           {"type=pep440,pattern={{major}} ; type=pep440,pattern={{version}}", "20260131", "20260131", tagrule.Moving},
		"a commit is fixed":                               {"type=sha", "x", "sha-860c190", tagrule.Fixed},
		"a whole commit is fixed":                         {"type=sha,format=long,prefix=", "x", "860c1904a1ce19322e91ac35af1ab07466440c37", tagrule.Fixed},
		"a day of a date is fixed":                        {"value={{date 'YYYYMMDD'}}", "x", "20200110", tagrule.Fixed},
		"a week of a date moves":                          {"value={{date 'gggg-[W]ww'}}", "x", "2020-W02", tagrule.Moving},
		"the raw version is fixed":                        {"type=semver,pattern={{raw}}", "v1.2.3", "v1.2.3", tagrule.Fixed},
		"beside major it is no alias":                     {"type=semver,pattern={{raw}}-{{major}}", "1.2.3", "1.2.3-1", tagrule.Fixed},
		"a git tag that is a word moves":                  {"type=ref,event=tag", "stable", "stable", tagrule.Moving},
		"latest of the flavor moves":                      {"type=semver,pattern={{version}}", "v1.2.3", "latest", tagrule.Moving},
		"a pre-release's alias is the version, and fixed": {"type=pep440,pattern={{major}}.{{minor}}", "1.1beta2", "1.1b2", tagrule.Fixed},
	} {
		t.Run(name, func(t *testing.T) {
			result := evaluate(t, split(tc.rules), nil, fixture("push tags/"+tc.tag+" @860c190"))
			for _, tag := range result.Tags {
				if tag.Text == tc.text {
					if tag.Class != tc.want {
						t.Errorf("%s is %s, want %s", tag.Text, tag.Class, tc.want)
					}
					return
				}
			}
			t.Errorf("no tag %s among %v", tc.text, result.Tags)
		})
	}
}

func TestOverrides(t *testing.T) {
	tags := []tagrule.Tag{{Text: "nightly-2026"}, {Text: "1.2.3", Class: tagrule.Fixed}, {Text: "edge", Class: tagrule.Moving}}
	got, err := tagrule.Overrides{Fixed: []string{"nightly-20*"}, Moving: []string{"1.2.?"}}.Apply(tags)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []tagrule.Class{tagrule.Fixed, tagrule.Moving, tagrule.Moving} {
		if got[i].Class != want {
			t.Errorf("%s is %s, want %s", got[i].Text, got[i].Class, want)
		}
	}
	if tags[1].Class != tagrule.Fixed {
		t.Error("the caller's tags were changed")
	}
	for name, o := range map[string]tagrule.Overrides{
		"a glob that cannot be read is an error":        {Fixed: []string{"[a"}},
		"a tag that both kinds match is an error":       {Fixed: []string{"e*"}, Moving: []string{"*e"}},
		"a bad glob is found though no tag comes to it": {Moving: []string{"zzz["}},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := o.Apply(tags); err == nil {
				t.Error("no error")
			}
		})
	}
	if _, err := (tagrule.Overrides{Fixed: []string{"e*"}, Moving: []string{"*e"}}).Apply(tags); !strings.Contains(err.Error(), "`edge` is both") {
		t.Errorf("error is %v", err)
	}
}
