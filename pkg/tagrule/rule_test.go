package tagrule

import (
	"reflect"
	"testing"
	"time"
)

func parsed(t testing.TB, line string) Rule {
	t.Helper()
	r, err := Parse(line)
	if err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	return r
}

func TestWhatATagKnowsOfItsRule(t *testing.T) {
	asked := 0
	e := Event{Name: "push", Ref: "refs/tags/p1/v1.2.3", SHA: "0123456789", CommitDate: func() (time.Time, error) { asked++; return time.Time{}, nil }}
	rules := []Rule{
		parsed(t, "type=sha"), parsed(t, "type=raw,value=no,enable=false"), parsed(t, "type=semver,pattern={{major}},match=p1/(.*)"),
		parsed(t, "type=pep440,pattern={{raw}},value=a/1.2,match=a(/1.*)"), parsed(t, "type=pep440,pattern={{version}},value=1.2"),
		parsed(t, "{{commit_date 'Y'}}"), parsed(t, "type=match,pattern=p."),
	}
	result, err := Evaluate(rules, Flavor{}, e)
	if err != nil {
		t.Fatal(err)
	}
	want := []struct {
		text  string
		index int
		value ruleValue
	}{
		{"1", 2, ruleValue{text: "1", latest: true, alias: true, kind: "semver", source: "v1.2.3"}},
		{"1.2", 4, ruleValue{text: "1.2", latest: true, kind: "pep440", source: "1.2"}},
		{"p1", 6, ruleValue{text: "p1", latest: true, source: "p1/v1.2.3"}},
		{"0001", 5, ruleValue{text: "0001"}},
		{"sha-0123456", 0, ruleValue{text: "0123456", fixed: true}},
		{"latest", noRule, ruleValue{text: "latest", alias: true}},
	}
	if len(result.Tags) != len(want) {
		t.Fatalf("tags are %+v", result.Tags)
	}
	for i, tag := range result.Tags {
		v := tag.value
		got := ruleValue{text: v.text, latest: v.latest, alias: v.alias, fixed: v.fixed, kind: v.kind, source: v.source}
		if tag.Text != want[i].text || tag.ruleIndex != want[i].index || !reflect.DeepEqual(got, want[i].value) {
			t.Errorf("tag %d is %s, %d, %+v; want %+v", i, tag.Text, tag.ruleIndex, v, want[i])
		}
	}
	if len(result.rules) != len(rules) || asked != 1 {
		t.Errorf("the result has %d rules; the commit's date was asked for %d times", len(result.rules), asked)
	}
	// Aliases asks no more.
	result.Aliases([]string{"9.9.9"}, nil)
	if asked != 1 {
		t.Errorf("the commit's date was asked for %d times", asked)
	}
}

// TestTheTagOfAnotherVersion is about one alias and one other version: whether the alias's rule would give the same tag.
func TestTheTagOfAnotherVersion(t *testing.T) {
	for name, c := range map[string]struct {
		alias, flavor string // the rule whose tag it is about, the flavor's suffix
		tag, other    string // this release's git tag, the other version
		same          bool
	}{
		"major, the same":                                {alias: "type=semver,pattern={{major}}", tag: "v1.2.3", other: "1.9.0", same: true},
		"major, another":                                 {alias: "type=semver,pattern={{major}}", tag: "v1.2.3", other: "2.0.0"},
		"major with affixes of the rule":                 {alias: "type=semver,pattern={{major}},prefix=v,suffix=-x", tag: "v1.2.3", other: "1.9.0", same: true},
		"major with the flavor's":                        {alias: "type=semver,pattern={{major}}", flavor: "-{{base_ref}}x", tag: "v1.2.3", other: "2.9.0"},
		"minor alone":                                    {alias: "type=semver,pattern={{minor}}", tag: "v2.2.3", other: "3.2.0", same: true},
		"minor alone, though it reads as a major":        {alias: "type=semver,pattern={{minor}}", tag: "v2.2.3", other: "2.3.0"},
		"a text around":                                  {alias: "type=semver,pattern=a{{minor}}b{{major}}", tag: "v2.2.3", other: "2.2.4", same: true},
		"an alias with three numbers":                    {alias: "type=semver,pattern=x{{major}}.{{minor}}.0", tag: "v1.2.0", other: "1.2.9", same: true},
		"a pattern without expression":                   {alias: "type=semver,pattern=stable", tag: "v1.2.3", other: "9.0.0", same: true},
		"match= is about the git tag":                    {alias: `type=semver,pattern={{major}},match=app-(.*)`, tag: "app-1.2.3", other: "1.9.0", same: true},
		"value= is this release's":                       {alias: "type=semver,pattern={{major}},value=5.0.0", tag: "v1.2.3", other: "5.1.0", same: true},
		"a pre-release":                                  {alias: "type=semver,pattern={{prerelease}}x", tag: "v1.2.3", other: "1.3.0-rc.1"},
		"PEP 440: a post-release":                        {alias: "type=pep440,pattern={{major}}.{{minor}}", tag: "1.2.0", other: "1.2.post1", same: true},
		"PEP 440: another spelling":                      {alias: "type=pep440,pattern={{major}}.{{minor}}", tag: "2026.1.0", other: "2026.01.5", same: true},
		"a version of the other kind":                    {alias: "type=semver,pattern={{major}}", tag: "1.2.0", other: "1.2.0.post1", same: true},
		"a version of the other kind, in another series": {alias: "type=semver,pattern={{major}}", tag: "1.2.0", other: "2.2.0.post1"},
		"a plain name":                                   {alias: "stable", tag: "v1.2.3", other: "9.0.0", same: true},
		"a plain beginning":                              {alias: "v1.2", tag: "v1.2.3", other: "1.2.9", same: true},
		"another plain beginning":                        {alias: "v1.2", tag: "v1.2.3", other: "1.3.0"},
		"a text that says the version":                   {alias: "value=build-of-{{tag}}", tag: "v1.2.3", other: "1.3.0"},
		"though no expression gives it":                  {alias: "build-1.2.3", tag: "v1.2.3", other: "1.3.0"},
		"a number that is a part of another":             {alias: "alpine1.2.34", tag: "v1.2.3", other: "1.3.0", same: true},
		"behind a digit too":                             {alias: "alpine11.2.3", tag: "v1.2.3", other: "1.3.0", same: true},
		"and beside it the version":                      {alias: "alpine1.2.34-1.2.3", tag: "v1.2.3", other: "1.3.0"},
		"a prefix that says the version":                 {alias: "type=semver,pattern={{major}},prefix={{tag}}-", tag: "v1.2.3", other: "1.3.0"},
		"a suffix that does":                             {alias: "type=raw,value=x,suffix=-{{tag}}", tag: "v1.2.3", other: "1.3.0"},
		"a fixed prefix that only looks like it":         {alias: "type=semver,pattern={{major}},prefix=alpine1.2.3-", tag: "v1.2.3", other: "1.3.0", same: true},
		"a fixed suffix that only looks like it":         {alias: "type=semver,pattern={{major}},suffix=-alpine1.2.3", tag: "v1.2.3", other: "1.3.0", same: true},
		"a suffix that says another thing":               {alias: "type=semver,pattern={{major}},suffix=-{{sha}}", tag: "v1.2.3", other: "1.3.0", same: true},
		"match: a part of the git tag, the same":         {alias: `type=match,pattern=app-\d+`, tag: "app-1.2.3", other: "1.9.0", same: true},
		"match: another":                                 {alias: `type=match,pattern=app-\d+`, tag: "app-1.2.3", other: "2.0.0"},
		"match: a beginning in another spelling":         {alias: `type=match,pattern=\d+.\d+`, tag: "2026.01.0", other: "2026.1.5", same: true},
		"match: none on the other":                       {alias: `type=match,pattern=app-.\.2`, tag: "app-1.2.3", other: "1.3.0"},
		"match: a group that is not there":               {alias: `type=match,pattern=-(1)?,group=1`, tag: "app-1.2.3", other: "2.0.0"},
		"match: an empty group":                          {alias: `type=match,pattern=app-(x?)1,group=1,prefix=y`, tag: "app-1.2.3", other: "1.3.0", same: true},
		"match: an empty group, none on the other":       {alias: `type=match,pattern=app-(x?)1,group=1,prefix=y`, tag: "app-1.2.3", other: "2.0.0"},
		"match: a text without the version":              {alias: `type=match,pattern=.*,value=nightly`, tag: "v1.2.3", other: "9.0.0", same: true},
	} {
		t.Run(name, func(t *testing.T) {
			rules := []Rule{parsed(t, `type=pep440,pattern={{version}},match=app-(.*),suffix=`), parsed(t, c.alias)}
			e := Event{Name: "push", Ref: "refs/tags/" + c.tag, SHA: "0123456789"}
			result, err := Evaluate(rules, Flavor{Latest: "false", Suffix: c.flavor}, e)
			if err != nil {
				t.Fatal(err)
			}
			i := len(result.Tags) - 1
			for result.Tags[i].ruleIndex != 1 {
				i--
			}
			all := result.allSeries()
			other, ok := parseFullVersion(kindPEP440, c.other, 2)
			if semantic, isSemantic := parseFullVersion(kindSemver, c.other, 2); !ok && isSemantic {
				other, ok = semantic, true
			}
			if !ok || len(all) != 1 {
				t.Fatalf("%s is a full version: %t; series: %+v", c.other, ok, all)
			}
			if got := result.inScope(all[0], result.Tags[i], other); got != c.same {
				t.Errorf("%s on %s is the same: %t", result.Tags[i].Text, c.other, got)
			}
		})
	}
}
