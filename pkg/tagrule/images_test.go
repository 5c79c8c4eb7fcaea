package tagrule_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/taglast/taglast/pkg/tagrule"
)

func TestParseImages(t *testing.T) {
	for name, tc := range map[string]struct {
		lines []string
		want  []tagrule.Image
		err   string
	}{
		"none":                              {nil, nil, ""},
		"a bare name":                       {[]string{"user/app"}, []tagrule.Image{{"user/app", true}}, ""},
		"the old form is a list":            {[]string{"user/app , ghcr.io/User/App"}, []tagrule.Image{{"user/app", true}, {"ghcr.io/user/app", true}}, ""},
		"two lines":                         {[]string{"org/app", "name=ghcr.io/MyUSER/MyApp,enable=false"}, []tagrule.Image{{"org/app", true}, {"ghcr.io/myuser/myapp", false}}, ""},
		"a key makes one line one image":    {[]string{"x, ENABLE = true "}, []tagrule.Image{{"x", true}}, ""},
		"of two names the later counts":     {[]string{"x,name=y"}, []tagrule.Image{{"y", true}}, ""},
		"of two bare names on one of lines": {[]string{"x,y", "z"}, []tagrule.Image{{"y", true}, {"z", true}}, ""},
		"an empty name":                     {[]string{"name=,enable=true"}, nil, "an image without a name"},
		"an empty name in the old form":     {[]string{"a,,b"}, nil, "an image without a name"},
		"no name":                           {[]string{"enable=true"}, nil, "an image without a name"},
		"an unknown attribute":              {[]string{"x,foo=bar"}, nil, "unknown image attribute `foo`; it is name or enable"},
		"a mistyped attribute":              {[]string{"x,enabel=true"}, nil, "unknown image attribute `enabel`; did you mean `enable`?"},
		"another enable":                    {[]string{"x,enable=yes"}, nil, "image enable=yes: it is `true` or `false`"},
		"a second =":                        {[]string{"name=a=b"}, nil, "image `name=a=b` has a second `=`"},
		"a quote inside a field":            {[]string{`a"b`}, nil, `bare " in non-quoted-field: quotes go around a whole field: "pattern=1,2"`},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := tagrule.ParseImages(tc.lines)
			if tc.err != "" || err != nil {
				if err == nil || err.Error() != tc.err {
					t.Errorf("error is\n%v, want\n%s", err, tc.err)
				}
				return
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestLines(t *testing.T) {
	got := tagrule.Lines([]string{"\n type=sha \r\n# a comment\n\n  # another\nx#y\n", "", "z"})
	if diff := cmp.Diff([]string{"type=sha", "x#y", "z"}, got); diff != "" {
		t.Error(diff)
	}
}
