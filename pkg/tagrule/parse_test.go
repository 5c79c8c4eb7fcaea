package tagrule_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/taglast/taglast/pkg/tagrule"
)

func TestParseRefuses(t *testing.T) {
	for name, tc := range map[string]struct{ line, want string }{
		"an empty line":                                  {" ", "the line is empty"},
		"a second line":                                  {"a\nb", "a control character in the line"},
		"bytes that are no UTF-8":                        {"a\xff", "the line is not valid UTF-8"},
		"a line that is too long":                        {strings.Repeat("a", 5000), "a line of 5000 bytes; at most 4096 are read"},
		"a quote inside a field":                         {`type=raw,value="a,b"`, `bare " in non-quoted-field: quotes go around a whole field: "pattern=1,2"`},
		"a quote that is not closed":                     {`type=raw,"value=a`, `extraneous or missing " in quoted-field: quotes go around a whole field: "pattern=1,2"`},
		"a mistyped type":                                {"type=semvar,pattern={{version}}", "unknown type `semvar`; did you mean `semver`?"},
		"an unknown type":                                {"type=whatever", "unknown type `whatever`; it is one of schedule, semver, pep440, match, edge, ref, raw, sha"},
		"a mistyped attribute":                           {"type=semver,patern={{version}}", "unknown attribute `patern`; did you mean `pattern`?"},
		"an unknown attribute":                           {"type=raw,value=x,foo=bar", "unknown attribute `foo`; type=raw takes enable, prefix, priority, suffix, type, value"},
		"an attribute of another type":                   {"type=raw,value=x,group=1", "unknown attribute `group`; type=raw takes enable, prefix, priority, suffix, type, value"},
		"a raw rule without value":                       {"type=raw", "type=raw needs `value=`"},
		"a semver rule without pattern":                  {"type=semver", "type=semver needs `pattern=`"},
		"a pep440 rule without pattern":                  {"type=pep440,value=1.0", "type=pep440 needs `pattern=`"},
		"an enable that is neither":                      {"x,enable=foo", "enable=foo: it is `true` or `false`"},
		"an enable in another case":                      {"x,enable=True", "enable=True: it is `true` or `false`"},
		"an empty enable":                                {"x,enable=", "enable=: it is `true` or `false`"},
		"a priority that is no number in JavaScript":     {"x,priority=1_000", "priority=1_000 is not a number"},
		"an attribute of one type on another":            {"type=sha,pattern=x", "unknown attribute `pattern`; type=sha takes enable, format, prefix, priority, suffix, type"},
		"a sha rule with another format":                 {"type=sha,format=x", "format=x: it is `short` or `long`"},
		"a ref rule without event":                       {"type=ref", "type=ref needs `event=`"},
		"a ref rule with another event":                  {"type=ref,event=foo", "event=foo: it is `branch`, `tag` or `pr`"},
		"a match rule without pattern":                   {"type=match", "type=match needs `pattern=`"},
		"a group that is no number":                      {"type=match,pattern=x,group=foo", "group=foo is not a number"},
		"a pattern that is no expression":                {"type=match,pattern=v(", "pattern=v(: not a regular expression of JavaScript: error parsing regexp: missing closing ) in `v(`"},
		"a group of .NET":                                {"type=match,pattern=(?>a)", "pattern=(?>a): JavaScript has no group `(?>`"},
		"an unknown flag":                                {"type=match,pattern=/a/q", "pattern=/a/q: unknown flag `q`; the flags are d g i m s u v y"},
		"a flag given twice":                             {"type=match,pattern=/a/gg", "pattern=/a/gg: flag `g` is given twice"},
		"flags that exclude each other":                  {"type=match,pattern=/a/uv", "pattern=/a/uv: flags `u` and `v` exclude each other"},
		"a class under flag v":                           {"type=match,pattern=/[a--b]/v", "pattern=/[a--b]/v: a class under flag `v` is not supported; use flag `u`"},
		"an escape that means nothing under flag u":      {`type=match,pattern=/\_/u`, "pattern=/\\_/u: `\\_` means nothing under flag `u`"},
		"a brace that stands alone under flag u":         {"type=match,pattern=/a}/u", "pattern=/a}/u: `}` stands alone under flag `u`"},
		"a match= that is no expression":                 {"type=semver,pattern={{version}},match=[", "match=[: not a regular expression of JavaScript: error parsing regexp: unterminated [] set in `[`"},
		"a match= without a group":                       {"type=semver,pattern={{version}},match=v.*", "match=v.* has no group; the version is what its first group matches: v(.*)"},
		"an expression of a value in a pattern":          {"type=semver,pattern={{branch}}", "unknown expression `{{branch}}`: `pattern` takes {{raw}}, {{version}}, {{major}}, {{minor}}, {{patch}}, {{prerelease}}, {{build}}"},
		"an expression of semver in pep440":              {"type=pep440,pattern={{build}}", "unknown expression `{{build}}`: `pattern` takes {{raw}}, {{version}}, {{major}}, {{minor}}, {{patch}}"},
		"an expression of a value in a schedule":         {"type=schedule,pattern={{branch}}", "unknown expression `{{branch}}`: `pattern` takes {{date}}, {{commit_date}}"},
		"a mistyped expression in a value":               {"{{brnch}}", "unknown expression `{{brnch}}`; did you mean `{{branch}}`?"},
		"an expression of a pattern in a prefix":         {"x,prefix={{version}}-", "unknown expression `{{version}}`: `prefix` takes {{branch}}, {{tag}}, {{sha}}, {{base_ref}}, {{is_default_branch}}, {{is_not_default_branch}}, {{date}}, {{commit_date}}"},
		"an argument that nobody reads":                  {"{{branch 'x'}}", "`{{branch}}` takes no argument"},
		"a date without a format":                        {"{{date}}", "`{{date}}` needs one format; write {{date 'YYYYMMDD'}} or {{date 'YYYYMMDD' tz='Asia/Tokyo'}}"},
		"a date with two formats":                        {"{{date 'Y' 'M'}}", "`{{date}}` needs one format; write {{date 'YYYYMMDD'}} or {{date 'YYYYMMDD' tz='Asia/Tokyo'}}"},
		"a date with a number":                           {"{{date 2020}}", "`2020` is not a format; write {{date 'YYYYMMDD'}} or {{date 'YYYYMMDD' tz='Asia/Tokyo'}}"},
		"a date with an expression":                      {"{{date branch}}", "`branch` is not a format; write {{date 'YYYYMMDD'}} or {{date 'YYYYMMDD' tz='Asia/Tokyo'}}"},
		"another named argument":                         {"value={{commit_date 'Y' zone='UTC'}}", "`{{commit_date}}` has an argument `zone` that is not tz='…'; write {{commit_date 'YYYYMMDD'}} or {{commit_date 'YYYYMMDD' tz='Asia/Tokyo'}}"},
		"a zone without quotes":                          {"value={{date 'Y' tz=UTC}}", "`{{date}}` has an argument `tz` that is not tz='…'; write {{date 'YYYYMMDD'}} or {{date 'YYYYMMDD' tz='Asia/Tokyo'}}"},
		"an unknown zone":                                {"value={{date 'Y' tz='Asia/Tokio'}}", "`{{date}}`: unknown time zone tz='Asia/Tokio'; it is a name such as Asia/Tokyo"},
		"a block":                                        {"{{#if branch}}x{{/if}}", "a block is not supported in value={{#if branch}}x{{/if}}"},
		"a raw block":                                    {"{{{{x}}}}", "a block is not supported in value={{{{x}}}}"},
		"an else":                                        {"{{else}}", "a block is not supported in value={{else}}"},
		"a partial":                                      {"{{> x}}", "a partial is not supported in value={{> x}}"},
		"a decorator":                                    {"{{* x}}", "a decorator is not supported in value={{* x}}"},
		"a sub-expression":                               {"{{date (branch)}}", "unexpected `(` in value={{date (branch)}}"},
		"a data variable":                                {"{{@root}}", "unexpected `@` in value={{@root}}"},
		"braces that do not fit":                         {"{{branch}}}", "braces that do not fit in value={{branch}}}"},
		"braces that do not fit, the other way":          {"{{{branch}} }}", "braces that do not fit in value={{{branch}} }}"},
		"a format that is not closed":                    {"{{date 'YYYY}}", "a quote that is not closed in value={{date 'YYYY}}"},
		"a comment that is not closed":                   {"{{!-- x }}", "`{{` without `}}` in value={{!-- x }}"},
		"an empty expression":                            {"{{}}", "unexpected `}` in value={{}}"},
		"a priority that is no number":                   {"x,priority=high", "priority=high is not a number"},
		"a mistyped expression":                          {"type=semver,pattern={{versino}}", "unknown expression `{{versino}}`; did you mean `{{version}}`?"},
		"an unknown expression":                          {"type=semver,pattern={{major_minor}}", "unknown expression `{{major_minor}}`: `pattern` takes {{raw}}, {{version}}, {{major}}, {{minor}}, {{patch}}, {{prerelease}}, {{build}}"},
		"an expression that is not closed":               {"type=semver,pattern={{version}", "`{{` without `}}` in pattern={{version}"},
		"control characters of an attribute are escaped": {"type=raw,value=x,\u202efoo=1", "unknown attribute `\\u202efoo`; type=raw takes enable, prefix, priority, suffix, type, value"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := tagrule.Parse(tc.line)
			if err == nil || err.Error() != tc.want {
				t.Errorf("error is\n%v, want\n%s", err, tc.want)
			}
		})
	}
}

func TestParseReadsARecord(t *testing.T) {
	for name, tc := range map[string]struct{ line, want string }{
		"a bare word is its own tag":               {"edge", "edge"},
		"a field without key is the value":         {"type=raw,foo", "foo"},
		"a later value overwrites":                 {"type=raw,foo,value=bar", "bar"},
		"a quoted field holds a comma":             {`type=raw,"value=a,b"`, "a-b"},
		"only the first = splits":                  {"type=raw,value=a=b", "a-b"},
		"an = with nothing before it is no key":    {"a,prefix=x,=b", "x-b"},
		"keys are lower-cased, both parts trimmed": {" TYPE = raw , VALUE = x ", "x"},
		"the type may come last":                   {"value=x,type=raw", "x"},
	} {
		t.Run(name, func(t *testing.T) {
			result := evaluate(t, []string{tc.line}, nil, tagrule.Event{})
			if len(result.Tags) != 1 || result.Tags[0].Text != tc.want {
				t.Errorf("tags are %v, want %s", result.Tags, tc.want)
			}
		})
	}
}

func TestParseFlavor(t *testing.T) {
	for name, tc := range map[string]struct {
		lines []string
		want  tagrule.Flavor
		err   string
	}{
		"none is latest=auto":                   {nil, tagrule.Flavor{Latest: "auto"}, ""},
		"onlatest is about what stands before":  {[]string{"prefix=a-,suffix=-b,onlatest=true"}, tagrule.Flavor{Latest: "auto", Prefix: "a-", Suffix: "-b", SuffixLatest: true}, ""},
		"a later line overrides":                {[]string{"latest=true", "latest=false"}, tagrule.Flavor{Latest: "false"}, ""},
		"a bare word is refused":                {[]string{"randomstr"}, tagrule.Flavor{}, "flavor `randomstr` has no value: it is latest=, prefix=, suffix= or onlatest="},
		"another latest is refused":             {[]string{"latest=foo"}, tagrule.Flavor{}, "flavor latest=foo: it is `auto`, `true` or `false`"},
		"an unknown key is refused":             {[]string{"unknown=foo"}, tagrule.Flavor{}, "unknown flavor `unknown`; it is latest, prefix, suffix, onlatest"},
		"a mistyped key finds the nearest":      {[]string{"sufix=-x"}, tagrule.Flavor{}, "unknown flavor `sufix`; did you mean `suffix`?"},
		"another onlatest is refused":           {[]string{"prefix=x,onlatest=1"}, tagrule.Flavor{}, "flavor onlatest=1: it is `true` or `false`"},
		"onlatest alone is refused":             {[]string{"prefix=x", "onlatest=true"}, tagrule.Flavor{}, "flavor onlatest=true needs a prefix= or suffix= before it on its line"},
		"a second = is refused":                 {[]string{"prefix=a=b"}, tagrule.Flavor{}, "flavor `prefix=a=b` has a second `=`"},
		"an unknown expression is refused":      {[]string{"prefix={{shaa}}-"}, tagrule.Flavor{}, "unknown expression `{{shaa}}`; did you mean `{{sha}}`?"},
		"an expression is taken as it is":       {[]string{"prefix={{sha}}-,onlatest=true"}, tagrule.Flavor{Latest: "auto", Prefix: "{{sha}}-", PrefixLatest: true}, ""},
		"arguments by name have a second =":     {[]string{"prefix={{date 'Y' tz='UTC'}}"}, tagrule.Flavor{}, "flavor `prefix={{date 'Y' tz='UTC'}}` has a second `=`"},
		"an empty line is refused":              {[]string{""}, tagrule.Flavor{}, "the line is empty"},
		"a blank around key and value is taken": {[]string{" latest = true , prefix = v "}, tagrule.Flavor{Latest: "true", Prefix: "v"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := tagrule.ParseFlavor(tc.lines)
			if tc.err != "" {
				if err == nil || err.Error() != tc.err {
					t.Errorf("error is\n%v, want\n%s", err, tc.err)
				}
				return
			}
			if err != nil || !cmp.Equal(got, tc.want, cmpopts.IgnoreUnexported(tagrule.Flavor{})) {
				t.Errorf("got %+v, %v; want %+v", got, err, tc.want)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	for _, line := range []string{
		"edge", "type=semver,pattern={{version}}", `type=raw,"value=a,b"`, "type=pep440,pattern=v{{ major }},value=1!2", "x,enable=false,priority=-1",
		`type=match,"pattern=/v(\d{1,3})/gi",group=1`, "type=semver,pattern={{raw}},match=v(.*)", "type=sha,format=long", "type=ref,event=pr",
		"type=schedule,pattern={{date 'YYYY' tz='Asia/Tokyo'}}", "value={{~branch}}-{{{tag}}}{{! x }},enable={{is_default_branch}}", "type=edge,branch=x",
	} {
		f.Add(line, "refs/tags/v1.2.3rc1")
	}
	f.Fuzz(func(t *testing.T, line, ref string) {
		r, err := tagrule.Parse(line)
		if err != nil {
			return
		}
		again, err := tagrule.Parse(r.String())
		if err != nil || again.String() != r.String() {
			t.Fatalf("%q parses, %q does not parse alike: %v", line, r, err)
		}
		result, err := tagrule.Evaluate([]tagrule.Rule{r}, tagrule.Flavor{}, tagrule.Event{Ref: ref})
		if err == nil && len(result.Tags) == 0 && len(result.Skipped()) != 1 {
			t.Fatalf("%q gives neither tag nor reason", line)
		}
		for _, tag := range result.Tags {
			if len(tag.Text) == 0 || len(tag.Text) > 128 || (tag.Class != tagrule.Fixed && tag.Class != tagrule.Moving) {
				t.Fatalf("%q gives the tag %+v", line, tag)
			}
		}
	})
}
