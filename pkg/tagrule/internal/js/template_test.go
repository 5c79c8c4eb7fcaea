package js_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/taglast/taglast/pkg/tagrule/internal/js"
)

var vocabulary = js.Vocabulary{Variables: []string{"branch", "tag", "sha", "base_ref", "raw"}, DateHelpers: []string{"date"}}

// value gives a&b for branch, nothing for tag, the first instant of 2020 for date, and each other name itself.
func value(x *js.Expression) (string, error) {
	switch x.Name {
	case "branch":
		return "a&b", nil
	case "tag":
		return "", nil
	case "date":
		return x.Format.Format(time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC), x.Location)
	}
	return x.Name, nil
}

func TestRender(t *testing.T) {
	for text, want := range map[string]string{
		"":                                "",
		"x":                               "x",
		"<{{branch}}>":                    "<a&amp;b>",
		"<{{{branch}}}{{&branch}}>":       "<a&ba&b>",
		"x {{~sha~}} y":                   "xshay",
		`\{{sha}}\\{{sha}}`:               `{{sha}}\sha`,
		"{{! c }}{{!-- }} --}}x":          "x",
		"{{date 'HH' tz='asia/tokyo'}}":   "09",
		"{{{date foo}}}":                  "2020-01-01T00:00:00Z",
		"{{{date 'HH:mm[{{]'}}}{{[sha]}}": "00:00{{sha",
	} {
		p, err := js.ParseTemplate("value", text, vocabulary)
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		if got, err := p.Render(value); err != nil || got != want {
			t.Errorf("%q renders to %q, %v; want %q", text, got, err, want)
		}
		if p.Source() != text {
			t.Errorf("%q has the source %q", text, p.Source())
		}
	}
}

func TestRenderRefuses(t *testing.T) {
	p, err := js.ParseTemplate("value", "x{{sha}}", vocabulary)
	if err != nil {
		t.Fatal(err)
	}
	cause := errors.New("no commit")
	if _, err := p.Render(func(*js.Expression) (string, error) { return "", cause }); !errors.Is(err, cause) || err.Error() != "{{sha}}: no commit" {
		t.Errorf("error is %v", err)
	}
	if _, err := p.Render(func(*js.Expression) (string, error) { return strings.Repeat("x", 1<<16), nil }); err == nil {
		t.Error("a text beyond 64 KiB was rendered")
	}
}

func TestWhatATemplateHolds(t *testing.T) {
	for text, want := range map[string]struct{ static, has, only bool }{
		"":               {static: true},
		"raw":            {static: true},
		`\{{raw}}`:       {static: true},
		"{{raw}}":        {has: true, only: true},
		"{{{ raw }}}":    {has: true, only: true},
		"{{'raw'}}":      {has: true},
		"{{raw}}-":       {has: true},
		"{{raw}}{{raw}}": {has: true},
		"{{!c}}{{raw}}":  {has: true},
		"{{sha}}":        {},
	} {
		p, err := js.ParseTemplate("pattern", text, vocabulary)
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		if p.Static() != want.static || p.Has("raw") != want.has || p.IsOnly("raw") != want.only {
			t.Errorf("%q is static %t, has raw %t, is only raw %t; want %+v", text, p.Static(), p.Has("raw"), p.IsOnly("raw"), want)
		}
	}
	if (js.Template{}).IsOnly("") {
		t.Error("the empty template is an expression without a name")
	}
}

func TestVocabularyWithoutNames(t *testing.T) {
	if _, err := js.ParseTemplate("value", "{{x}}", js.Vocabulary{}); err == nil || err.Error() != "unknown expression `{{x}}`: `value` takes no expression" {
		t.Errorf("error is %v", err)
	}
}

func FuzzTemplate(f *testing.F) {
	for _, s := range []string{
		"", "{{branch}}", "{{{tag}}}", `\{{a}}\\{{&sha}}`, "{{~! c ~}} {{!-- }} --}}", "{{date 'YYYY' tz='Asia/Tokyo'}}", `{{date "[\"]"}}`,
		"{{date a.b/[c d]}}", "{{~{ base_ref }~}}", "{{date 'a\\'}}", "{{this.sha}}", "{{#if x}}",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if len(s) > 4096 {
			return
		}
		p, err := js.ParseTemplate("value", s, vocabulary)
		if err != nil {
			return
		}
		got, err := p.Render(value)
		if err != nil || len(got) > 1<<16 {
			t.Fatalf("%q gives %d bytes, %v", s, len(got), err)
		}
		if p.Static() {
			again, err := p.Render(nil)
			if err != nil || again != got {
				t.Fatalf("%q is static and gives %q, then %q, %v", s, got, again, err)
			}
		}
	})
}
