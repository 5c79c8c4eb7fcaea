package link

import (
	"net/http"
	"net/url"
	"testing"
)

var base = &url.URL{Scheme: "https", Host: "api.example", Path: "/a/b"}

func TestNext(t *testing.T) {
	for _, c := range []struct {
		name   string
		fields []string
		want   string
	}{
		{"no header", nil, ""},
		{"an empty header", []string{""}, ""},
		{"GitHub's form", []string{`<https://api.example/x?after=1>; rel="next", <https://api.example/y>; rel="last"`}, "https://api.example/x?after=1"},
		{"next is not the first", []string{`<https://api.example/y>; rel="prev", <https://api.example/x>; rel="next"`}, "https://api.example/x"},
		{"next is in the second header", []string{`<https://api.example/y>; rel=prev`, `<https://api.example/x>; rel=next`}, "https://api.example/x"},
		{"a registry's relative form", []string{`</v2/app/tags/list?n=1&last=a>; rel="next"`}, "https://api.example/v2/app/tags/list?n=1&last=a"},
		{"a comma and a semicolon in the target", []string{`<https://api.example/x,y;z>; rel="next"`}, "https://api.example/x,y;z"},
		{"several relations", []string{`<https://api.example/x>; title="a, b; c"; rel="last next"`}, "https://api.example/x"},
		{"relations in capitals", []string{`<https://api.example/x>; REL=Next`}, "https://api.example/x"},
		{"a quoted pair in a title", []string{`<https://api.example/x>; title="\">"; rel=next`}, "https://api.example/x"},
		{"the first rel parameter counts", []string{`<https://api.example/x>; rel=prev; rel=next`}, ""},
		{"a relation that only begins alike", []string{`<https://api.example/x>; rel="nextish"`}, ""},
		{"a target without an end", []string{`<https://api.example/x; rel="next"`}, ""},
		{"a target that is no URL", []string{`<https://api.example/%zz>; rel="next"`}, ""},
		{"text before the link", []string{`junk, <https://api.example/x>; rel="next"`}, "https://api.example/x"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := ""
			if u := Next(http.Header{"Link": c.fields}, base); u != nil {
				got = u.String()
			}
			if got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func FuzzNext(f *testing.F) {
	f.Add(`<https://api.example/x>; rel="next", <y>; rel=last`)
	f.Add(`<a>;;rel="a\"next",<`)
	f.Fuzz(func(t *testing.T, field string) {
		if u := Next(http.Header{"Link": {field}}, base); u != nil && u.String() == "" && field == "" {
			t.Error("a link out of nothing")
		}
	})
}
