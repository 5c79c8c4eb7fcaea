package tagrule_test

import (
	"strings"
	"testing"

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
		"an unknown type":                                {"type=whatever", "unknown type `whatever`; this version knows raw, semver, pep440"},
		"a type of a later version":                      {"type=sha", "type `sha` is not supported by this version of taglast; it knows raw, semver, pep440"},
		"a mistyped attribute":                           {"type=semver,patern={{version}}", "unknown attribute `patern`; did you mean `pattern`?"},
		"an unknown attribute":                           {"type=raw,value=x,foo=bar", "unknown attribute `foo`; type=raw takes enable, prefix, priority, suffix, type, value"},
		"an attribute of a later version":                {`type=semver,pattern={{version}},"match=v(.*)"`, "attribute `match` of type=semver is not supported by this version of taglast"},
		"an attribute of another type":                   {"type=raw,value=x,group=1", "unknown attribute `group`; type=raw takes enable, prefix, priority, suffix, type, value"},
		"a raw rule without value":                       {"type=raw", "type=raw needs `value=`"},
		"a semver rule without pattern":                  {"type=semver", "type=semver needs `pattern=`"},
		"a pep440 rule without pattern":                  {"type=pep440,value=1.0", "type=pep440 needs `pattern=`"},
		"an enable that is neither":                      {"x,enable=foo", "enable=foo: it is `true` or `false`"},
		"an enable in another case":                      {"x,enable=True", "enable=True: it is `true` or `false`"},
		"a priority that is no number":                   {"x,priority=high", "priority=high is not a whole number"},
		"an expression of a later version in a value":    {"type=raw,value={{branch}}", "`{{branch}}` is not supported by this version of taglast: `value` takes no expression"},
		"one with arguments":                             {"type=raw,value={{date 'YYYYMMDD'}}", "`{{date 'YYYYMMDD'}}` is not supported by this version of taglast: `value` takes no expression"},
		"one in a prefix":                                {"x,prefix={{sha}}-", "`{{sha}}` is not supported by this version of taglast: `prefix` takes no expression"},
		"one in enable":                                  {"x,enable={{is_default_branch}}", "`{{is_default_branch}}` is not supported by this version of taglast: `enable` takes no expression"},
		"an expression of a later version in a pattern":  {"type=semver,pattern={{raw}}", "`{{raw}}` is not supported by this version of taglast: `pattern` takes {{version}}, {{major}}, {{minor}}, {{patch}}"},
		"a mistyped expression":                          {"type=semver,pattern={{versino}}", "unknown expression `{{versino}}`; did you mean `{{version}}`?"},
		"an unknown expression":                          {"type=semver,pattern={{major_minor}}", "unknown expression `{{major_minor}}`: `pattern` takes {{version}}, {{major}}, {{minor}}, {{patch}}"},
		"an expression that is not closed":               {"type=semver,pattern={{version}", "`{{` without `}}` in pattern={{version}"},
		"an escaped expression":                          {`type=semver,pattern=\{{version}}`, "`\\{{` and `{{{` are not supported in pattern=\\{{version}}"},
		"a triple expression":                            {"type=semver,pattern={{{version}}}", "`\\{{` and `{{{` are not supported in pattern={{{version}}}"},
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
		"an expression is refused":              {[]string{"prefix={{sha}}-"}, tagrule.Flavor{}, "`{{sha}}` is not supported by this version of taglast: `prefix` takes no expression"},
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
			if err != nil || got != tc.want {
				t.Errorf("got %+v, %v; want %+v", got, err, tc.want)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	for _, line := range []string{"edge", "type=semver,pattern={{version}}", `type=raw,"value=a,b"`, "type=pep440,pattern=v{{ major }},value=1!2", "x,enable=false,priority=-1"} {
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
		if err == nil && len(result.Tags) == 0 && len(result.Skipped) != 1 {
			t.Fatalf("%q gives neither tag nor reason", line)
		}
		for _, tag := range result.Tags {
			if len(tag.Text) == 0 || len(tag.Text) > 128 || (tag.Class != tagrule.Fixed && tag.Class != tagrule.Moving) {
				t.Fatalf("%q gives the tag %+v", line, tag)
			}
		}
	})
}
