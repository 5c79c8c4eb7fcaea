package tagrule

import (
	"math"
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

func TestTextOnAnotherEvent(t *testing.T) {
	flavor := Flavor{Suffix: "-{{branch}}x"}
	for name, tc := range map[string]struct {
		rule Rule
		ref  string
		want string
	}{
		"the rule's text":               {parsed(t, "type=semver,pattern={{major}},prefix=v"), "refs/tags/1.2.3", "v1-x"},
		"its own suffix":                {parsed(t, "type=semver,pattern={{major}},suffix="), "refs/tags/1.2.3", "1"},
		"none where it does not apply":  {parsed(t, "type=semver,pattern={{major}}"), "refs/heads/x", ""},
		"none where it is not enabled":  {parsed(t, "x,enable={{is_default_branch}}"), "refs/heads/x", ""},
		"none that no registry takes":   {parsed(t, "type=raw,value=-x"), "refs/heads/x", ""},
		"none where it fails":           {parsed(t, "{{sha}}"), "refs/heads/x", ""},
		"none of a rule not parsed":     {Rule{}, "refs/heads/x", ""},
		"another value":                 {parsed(t, "type=pep440,pattern={{major}},suffix=").withValue("3.4"), "refs/heads/x", "3"},
		"a value is no template":        {parsed(t, "x,suffix=").withValue("a{{sha}}"), "refs/heads/x", "a-sha-"},
		"an empty value is none":        {parsed(t, "type=semver,value=2.0.0,pattern={{major}},suffix=").withValue(""), "refs/tags/1.2.3", "1"},
		"match= applies to value, too":  {parsed(t, "type=semver,pattern={{major}},match=app-(.*),suffix=").withValue("app-5.0.0"), "", "5"},
		"and the rule itself is as was": {parsed(t, "type=semver,value=2.0.0,pattern={{major}},suffix="), "refs/tags/1.2.3", "2"},
	} {
		t.Run(name, func(t *testing.T) {
			got, ok, _ := tc.rule.textOn(flavor, Event{Ref: tc.ref, DefaultBranch: "main"})
			if got != tc.want || ok != (tc.want != "") {
				t.Errorf("got %q, %t; want %q", got, ok, tc.want)
			}
		})
	}
}

func TestWhatATagKnowsOfItsRule(t *testing.T) {
	asked := 0
	e := Event{Name: "push", Ref: "refs/tags/p1/v1.2.3", SHA: "0123456789", CommitDate: func() (time.Time, error) { asked++; return time.Time{}, nil }}
	rules := []Rule{
		parsed(t, "type=sha"), parsed(t, "type=raw,value=no,enable=false"), parsed(t, "type=semver,pattern={{major}},match=p1/(.*)"),
		parsed(t, "type=pep440,pattern={{raw}},value=a/1.2,match=a(/1.*)"), parsed(t, "type=pep440,pattern={{version}},value=1.2"),
		parsed(t, "{{commit_date 'Y'}}"),
	}
	result, err := Evaluate(rules, Flavor{}, e)
	if err != nil {
		t.Fatal(err)
	}
	want := []struct {
		text  string
		index int
		made  made
	}{
		{"1", 2, made{text: "1", latest: true, alias: true, kind: "semver", source: "v1.2.3"}},
		{"1.2", 4, made{text: "1.2", latest: true, kind: "pep440", source: "1.2"}},
		{"0001", 5, made{text: "0001"}},
		{"sha-0123456", 0, made{text: "0123456", fixed: true}},
		{"latest", -1, made{text: "latest", alias: true}},
	}
	if len(result.Tags) != len(want) {
		t.Fatalf("tags are %+v", result.Tags)
	}
	for i, tag := range result.Tags {
		got := made{
			text: tag.made.text, latest: tag.made.latest, alias: tag.made.alias, fixed: tag.made.fixed, kind: tag.made.kind, source: tag.made.source,
		}
		if tag.Text != want[i].text || tag.index != want[i].index || !reflect.DeepEqual(got, want[i].made) {
			t.Errorf("tag %d is %s, %d, %+v; want %+v", i, tag.Text, tag.index, tag.made, want[i])
		}
	}
	if len(result.rules) != len(rules) || result.event.Ref != e.Ref || result.flavor.Prefix != "" {
		t.Errorf("the result has %d rules and the event %+v", len(result.rules), result.event)
	}
	if text, ok, err := rules[5].textOn(result.flavor, result.event); err != nil || !ok || text != "0001" || asked != 1 {
		t.Errorf("again: %q, %t; the commit's date was asked for %d times", text, ok, asked)
	}
}

func TestNumbers(t *testing.T) {
	for s, want := range map[string]float64{
		"": 0, "\t7\n": 7, "1e3": 1000, "0x1F": 31, "0b11": 3, "0o17": 15, "-1": -1, "+1.5": 1.5, ".5": .5, "5.": 5, "Infinity": math.Inf(1),
		"-Infinity": math.Inf(-1), "1e400": math.Inf(1), "0x20000000000001": 9007199254740992, "007": 7, "\ufeff2\u00a0": 2,
	} {
		if got, ok := parseNumber(s); !ok || got != want {
			t.Errorf("%q is %g, %t; want %g", s, got, ok, want)
		}
	}
	for _, s := range []string{"foo", "1_0", "infinity", "inf", "nan", "0x", "0x-1", "-0x1", "1e", ".", "0b2", "0x1p4", "1 2", "1,5", "٣"} {
		if got, ok := parseNumber(s); ok {
			t.Errorf("%q is %g", s, got)
		}
	}
	for n, want := range map[float64]string{5000: "5000", 1e21: "1e+21", 123456789012345680000: "123456789012345680000", math.Inf(1): "Infinity"} {
		if got := formatNumber(n); got != want {
			t.Errorf("%g is %s, want %s", n, got, want)
		}
	}
}

func FuzzTemplate(f *testing.F) {
	for _, s := range []string{
		"", "{{branch}}", "{{{tag}}}", `\{{a}}\\{{&sha}}`, "{{~! c ~}} {{!-- }} --}}", "{{date 'YYYY' tz='Asia/Tokyo'}}", `{{date "[\"]"}}`,
		"{{date a.b/[c d]}}", "{{~{ base_ref }~}}", "{{date 'a\\'}}", "{{this.sha}}", "{{#if x}}",
	} {
		f.Add(s)
	}
	e := Event{Name: "push", Ref: "refs/heads/a&b", SHA: "0123456789", BaseRef: "x"}
	f.Fuzz(func(t *testing.T, s string) {
		if len(s) > maxLine {
			return
		}
		p, err := parseTemplate("value", s, globalExpressions)
		if err != nil {
			return
		}
		got, err := p.render((&facts{Event: e}).global)
		if err != nil || len(got) > maxText {
			t.Fatalf("%q gives %d bytes, %v", s, len(got), err)
		}
		if p.static() {
			again, err := p.render(nil)
			if err != nil || again != got {
				t.Fatalf("%q is static and gives %q, then %q, %v", s, got, again, err)
			}
		}
	})
}

func BenchmarkTextOn(b *testing.B) {
	r := parsed(b, "type=semver,pattern={{major}}.{{minor}},suffix=-{{branch}}x")
	for b.Loop() {
		if _, ok, err := r.withValue("v1.2.3").textOn(Flavor{}, Event{}); err != nil || !ok {
			b.Fatal("no text")
		}
	}
}
