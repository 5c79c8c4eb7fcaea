package tagrule_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/taglast/taglast/pkg/tagrule"
)

func TestTemplates(t *testing.T) {
	on := fixture("push heads/a&b @860c190 base")
	for name, tc := range map[string]struct{ line, want string }{
		"a value is escaped as in HTML":                 {"x-{{branch}}", "x-a-amp-b"},
		"three braces do not escape":                    {"x-{{{branch}}}", "x-a-b"},
		"an ampersand does not escape":                  {"x-{{&branch}}", "x-a-b"},
		"a tilde takes blanks away":                     {"x  {{~sha~}}  y", "x860c190y"},
		"of three braces too":                           {"x {{~{sha}~}} y", "x860c190y"},
		"without it they stay":                          {"x {{sha}} y", "x-860c190-y"},
		"a comment is nothing":                          {"x{{! c }}y", "xy"},
		"a long comment may hold braces":                {"x{{!-- }} --}}y", "xy"},
		"a comment takes blanks away":                   {"x {{~! c ~}} y", "xy"},
		"but not those beyond a comment":                {"x {{! c }}{{~sha}}", "x-860c190"},
		"a backslash makes braces text":                 {`x\{{sha}}`, "x-sha-"},
		"up to the next ones":                           {`x\{{sha}}{{sha}}`, "x-sha-860c190"},
		"which may be text again":                       {`x\{{a}}\{{b}}`, "x-a-b-"},
		"two backslashes are one, before a value":       {`x\\{{sha}}`, "x-860c190"},
		"closing braces alone are text":                 {"x}}y", "x-y"},
		"a name may be in brackets":                     {"{{[sha]}}", "860c190"},
		"or in quotes":                                  {"{{'sha'}}", "860c190"},
		"or belong to this":                             {"{{this.sha}}", "860c190"},
		"a branch is none on another ref":               {"x{{tag}}", "x"},
		"the base ref is the caller's":                  {"{{base_ref}}", "base"},
		"the default branch is another":                 {"{{is_default_branch}}-{{is_not_default_branch}}", "false-true"},
		"a date is UTC":                                 {"{{date 'YYYYMMDD-HHmmss'}}", "20200110-003000"},
		"or in a zone":                                  {"value={{date 'YYYYMMDD-HHmmss' tz='Asia/Tokyo'}}", "20200110-093000"},
		"a zone's case does not matter":                 {"value={{date 'HH' tz='asia/tokyo'}}", "09"},
		"of two zones the later counts":                 {"value={{date 'HH' tz='UTC' tz = 'Asia/Tokyo'}}", "09"},
		"a format without quotes is none":               {"{{date YYYYMMDD}}", "2020-01-10T00-30-00Z"},
		"nor is one with dots":                          {"{{date YYYY.MM.DD}}", "2020-01-10T00-30-00Z"},
		"none in a zone has its offset":                 {"value={{date foo tz='Asia/Tokyo'}}", "2020-01-10T09-30-00-09-00"},
		"none in a zone without offset has a Z":         {"value={{date foo tz='Europe/London'}}", "2020-01-10T00-30-00Z"},
		"an empty format is none":                       {"{{date ''}}", "2020-01-10T00-30-00Z"},
		"a date is escaped too":                         {"value=x{{date '[a=b]'}}", "xa-x3D-b"},
		"a quoted quote":                                {`{{date '[it\'s]'}}`, "it-x27-s"},
		"a backslash before the last quote":             {`{{date 'YYYY\'}}`, "2020"},
		"double quotes":                                 {`"{{date ""YYYY""}}"`, "2020"},
		"braces in a format":                            {"v{{date '[}}]YYYY'}}x", "v-2020x"},
		"prefix and suffix are templates":               {"m,prefix={{sha}}-,suffix=-{{base_ref}}", "860c190-m-base"},
		"the name of a commit date is the event's date": {"{{commit_date 'YYYY'}}", "2020"},
	} {
		t.Run(name, func(t *testing.T) {
			result := evaluate(t, []string{tc.line}, nil, on)
			if len(result.Tags) != 1 || result.Tags[0].Text != tc.want {
				t.Errorf("tags are %+v, want %s", result.Tags, tc.want)
			}
		})
	}
}

func TestEvaluateRefuses(t *testing.T) {
	push := fixture("push heads/master @860c190")
	noDate := push
	noDate.CommitDate = func() (time.Time, error) { return time.Time{}, errors.New("no git here") }
	far := push
	far.Now = time.Unix(1<<60, 0)
	for name, tc := range map[string]struct {
		line  string
		event tagrule.Event
		want  string
	}{
		"an enable that comes to neither": {"x,enable={{branch}}", push, "tag rule `x,enable={{branch}}`: enable=master: it is `true` or `false`"},
		"though the rule does not apply":  {"type=ref,event=tag,enable={{branch}}", push, "tag rule `type=ref,event=tag,enable={{branch}}`: enable=master: it is `true` or `false`"},
		"a sha without a commit":          {"{{sha}}", tagrule.Event{Ref: "refs/heads/x"}, "tag rule `{{sha}}`: {{sha}}: the event has no commit"},
		"a commit's date that is not had": {"{{commit_date 'Y'}}", noDate, "tag rule `{{commit_date 'Y'}}`: {{commit_date}}: no git here"},
		"a date that nobody can tell":     {"{{date 'Y'}}", far, "tag rule `{{date 'Y'}}`: {{date}}: the date is outside of what can be told"},
		"a text without end":              {"value=" + strings.Repeat("{{tag}}", 500), fixture("push tags/" + strings.Repeat("x", 400)), "the text is too long"},
		"a group that took no part":       {"type=semver,pattern={{version}},value=1.2.3,match=(v)?1", push, "tag rule `type=semver,pattern={{version}},value=1.2.3,match=(v)?1`: the first group of match= takes no part in the match in 1.2.3"},
		"a match without end":             {"type=match,pattern=^(a+)+$,value=" + strings.Repeat("a", 40) + "!", push, "takes too long"},
		"one in a version":                {`type=semver,pattern={{version}},"match=^(\w+\s?)*$",value=` + strings.Repeat("a", 40) + "!", push, "takes too long"},
		"a subject without end":           {"type=match,pattern=x", fixture("push tags/" + strings.Repeat("x", 5000)), "a text of 5000 bytes; at most 4096 are searched"},
	} {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			_, err := tagrule.Evaluate(rules(t, []string{tc.line}), tagrule.Flavor{}, tc.event)
			if err == nil || !strings.HasSuffix(err.Error(), tc.want) && !strings.Contains(err.Error(), "`: the regular expression "+tc.want) {
				t.Errorf("error is\n%v, want\n%s", err, tc.want)
			}
			if d := time.Since(start); d > 20*time.Second {
				t.Errorf("after %s", d)
			}
		})
	}
	if _, err := tagrule.Evaluate(rules(t, []string{"x"}), tagrule.Flavor{Prefix: "{{"}, push); err == nil {
		t.Error("a flavor that cannot be read was taken")
	}
}

func TestCommitDateIsAskedOnceAndOnlyIfNeeded(t *testing.T) {
	asked := 0
	on := fixture("push heads/master @860c190")
	on.CommitDate = func() (time.Time, error) { asked++; return clock.AddDate(-1, 0, 0), nil }
	evaluate(t, []string{"{{date 'Y'}}", "type=ref,event=tag,prefix={{commit_date 'Y'}}"}, nil, on)
	if asked != 0 {
		t.Errorf("asked %d times, and no rule needs it", asked)
	}
	result := evaluate(t, []string{"{{commit_date 'Y'}}", "{{commit_date 'YYYYMMDD'}}"}, []string{"suffix={{commit_date '-M'}}"}, on)
	if asked != 1 || result.Tags[1].Text != "20190110-1" {
		t.Errorf("asked %d times: %+v", asked, result.Tags)
	}
}

func TestMatch(t *testing.T) {
	for name, tc := range map[string]struct{ line, tag, want string }{
		"a group":                               {"type=match,pattern=v(.*),group=1", "v1.2", "1.2"},
		"a group without a match":               {"type=match,pattern=v(.*)(x)?,group=2", "v1.2", "skip: the match in v1.2 has no group 2"},
		"no such group":                         {"type=match,pattern=v,group=7", "v1.2", "skip: the match in v1.2 has no group 7"},
		"a group that is no canonical number":   {"type=match,pattern=v(.*),group=01", "v1.2", "skip: the match in v1.2 has no group 01"},
		"a group beyond all numbers":            {"type=match,pattern=v(.*),group=99999999999999999999", "v1.2", "skip: the match in v1.2 has no group 99999999999999999999"},
		"no match":                              {"type=match,pattern=x", "v1.2", "skip: the pattern does not match v1.2"},
		"g selects a match":                     {`type=match,pattern=/\d/g,group=1`, "v1.2", "2"},
		"y holds it at the beginning":           {`type=match,pattern=/\d/y`, "v1.2", "skip: the pattern does not match v1.2"},
		"g and y go on from match to match":     {`type=match,pattern=/[v1]/gy,group=1`, "v1.2", "1"},
		"without u an emoji is two":             {`type=match,"pattern=^x.{2}"`, "x😀z", "x-"},
		"with u it is one":                      {`type=match,"pattern=/^x.{2}/u"`, "x😀z", "x-z"},
		"lookbehind":                            {`type=match,pattern=(?<=v)\d`, "v1.2", "1"},
		"named groups have numbers":             {`type=match,pattern=(?<a>\d)\.(?<b>\d),group=2`, "v1.2", "2"},
		"i":                                     {`type=match,pattern=/V1/i`, "v1.2", "v1"},
		"the slash is seen":                     {`type=match,pattern=a/(.*),group=1`, "a/b", "b"},
		"match= of a version":                   {`type=semver,pattern={{major}},match=app-(.*)`, "app-1.2.3", "1"},
		"match= that does not match is no loss": {`type=semver,pattern={{major}},match=web-(.*)`, "1.2.3", "1"},
	} {
		t.Run(name, func(t *testing.T) {
			result := evaluate(t, []string{tc.line}, nil, fixture("push tags/"+tc.tag))
			got := "skip: " + result.Outcomes[0].Reason
			if len(result.Tags) > 0 {
				got = result.Tags[0].Text
			}
			if got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

func FuzzEvaluate(f *testing.F) {
	for _, line := range []string{
		"type=semver,pattern={{raw}}", "type=pep440,pattern={{major}},match=v(.*)", "type=match,pattern=/(.)/gu,group=1", "type=edge",
		"type=ref,event=pr", "type=ref,event=tag", "type=sha", "value={{branch}}{{{tag}}}-{{date 'LLLL' tz='Asia/Tokyo'}}",
	} {
		f.Add(line, "latest=true,suffix=-{{sha}}", "push", "refs/tags/v1.2.3")
		f.Add(line, "prefix=x,onlatest=true", "schedule", "refs/heads/a&b")
	}
	f.Fuzz(func(t *testing.T, line, flavor, name, ref string) {
		if strings.Contains(line, "match") {
			return // regular expressions take their second each
		}
		r, err := tagrule.Parse(line)
		if err != nil {
			return
		}
		fl, err := tagrule.ParseFlavor([]string{flavor})
		if err != nil {
			return
		}
		e := fixture("push heads/x @860c190")
		e.Name, e.Ref = name, ref
		result, err := tagrule.Evaluate([]tagrule.Rule{r}, fl, e)
		if err != nil {
			return
		}
		again, err := tagrule.Evaluate([]tagrule.Rule{r}, fl, e)
		if err != nil || len(again.Tags) != len(result.Tags) || again.Version != result.Version {
			t.Fatalf("%q on %q gives %v, then %v, %v", line, ref, result.Tags, again.Tags, err)
		}
		if (result.Outcomes[0].Gave == "") == (result.Outcomes[0].Reason == "") || len(result.Skipped()) > 0 && len(result.Tags) > 0 {
			t.Fatalf("%q on %q: outcome %+v of %v", line, ref, result.Outcomes[0], result.Tags)
		}
		for _, tag := range result.Tags {
			if !ociTag.MatchString(tag.Text) || referrers.MatchString(tag.Text) {
				t.Fatalf("%q on %q gives %q", line, ref, tag.Text)
			}
		}
	})
}
