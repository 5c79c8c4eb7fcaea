package js_test

import (
	"strings"
	"testing"
	"time"

	"github.com/taglast/taglast/pkg/tagrule/internal/js"
)

func TestGroup(t *testing.T) {
	for name, c := range map[string]struct {
		pattern, flags, text string
		n                    int
		want                 js.GroupMatch
	}{
		"the whole match":                 {"b.", "", "abc", 0, js.GroupMatch{Matched: true, Present: true, Text: "bc"}},
		"a group":                         {"a(.)", "", "abc", 1, js.GroupMatch{Matched: true, Present: true, Text: "b"}},
		"a group that took no part":       {"a(x)?", "", "abc", 1, js.GroupMatch{Matched: true}},
		"a group that is not there":       {"a", "", "abc", 3, js.GroupMatch{Matched: true}},
		"no group":                        {"a", "", "abc", -1, js.GroupMatch{Matched: true}},
		"no match":                        {"x", "", "abc", 0, js.GroupMatch{}},
		"g: the second match":             {"[ab]", "g", "abc", 1, js.GroupMatch{Matched: true, Present: true, Text: "b"}},
		"g: a match too many":             {"[ab]", "g", "abc", 2, js.GroupMatch{Matched: true}},
		"g: no group":                     {"[ab]", "g", "abc", -1, js.GroupMatch{Matched: true}},
		"g: empty matches end":            {"", "g", "ab", 3, js.GroupMatch{Matched: true}},
		"y: not at the beginning":         {"b", "y", "abc", 0, js.GroupMatch{}},
		"a code point without u":          {"^..$", "", "😀", 0, js.GroupMatch{Matched: true, Present: true, Text: "😀"}},
		"a code point with u":             {"^.$", "u", "😀", 0, js.GroupMatch{Matched: true, Present: true, Text: "😀"}},
		"a code point in the pattern":     {"😀", "", "x😀", 0, js.GroupMatch{Matched: true, Present: true, Text: "😀"}},
		"i and s":                         {"A.", "is", "a\n", 0, js.GroupMatch{Matched: true, Present: true, Text: "a\n"}},
		"d changes nothing of the groups": {"a(.)", "d", "abc", 1, js.GroupMatch{Matched: true, Present: true, Text: "b"}},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := js.CompileRegExp(c.pattern, c.flags)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := r.Group(c.text, c.n); err != nil || got != c.want {
				t.Errorf("got %+v, %v; want %+v", got, err, c.want)
			}
			if r.HasGroups() != strings.Contains(c.pattern, "(") {
				t.Errorf("it has groups: %t", r.HasGroups())
			}
		})
	}
}

func TestGroupIsBounded(t *testing.T) {
	r, err := js.CompileRegExp("^(a+)+$", "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Group(strings.Repeat("a", 4097), 0); err == nil {
		t.Error("a text of 4097 bytes was searched")
	}
	start := time.Now()
	if _, err := r.Group(strings.Repeat("a", 40)+"!", 0); err == nil || time.Since(start) > 20*time.Second {
		t.Errorf("%v after %s", err, time.Since(start))
	}
}
