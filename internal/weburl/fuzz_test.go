package weburl_test

import (
	"strings"
	"testing"

	"github.com/taglast/taglast/internal/weburl"
)

func FuzzParseBase(f *testing.F) {
	for _, s := range []string{"https://host/a/", "http://localhost.:80", "http://[::1]", "https://u:p@h?q#f", "http://127.1", "https:///"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		u, err := weburl.ParseBase(text)
		if err != nil {
			return
		}
		if weburl.Check(u) != nil || u.RawQuery != "" || u.Fragment != "" || strings.HasSuffix(u.EscapedPath(), "/") {
			t.Errorf("%q becomes %q", text, u)
		}
		again, err := weburl.ParseBase(u.String())
		if err != nil || again.String() != u.String() || !weburl.SameOrigin(u, again) {
			t.Errorf("%q becomes %q, which becomes %v (%v)", text, u, again, err)
		}
		if shown := weburl.Show(u); strings.ContainsAny(shown, "\n\x1b?#") || weburl.Show(again) != shown {
			t.Errorf("%q is shown as %q", text, shown)
		}
	})
}
