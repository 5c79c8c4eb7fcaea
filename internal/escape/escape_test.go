package escape_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/taglast/taglast/internal/escape"
)

func TestTextIsInert(t *testing.T) {
	for name, c := range map[string]struct{ in, want string }{
		"plain ASCII stays":                     {"push ghcr.io/acme/app: denied", "push ghcr.io/acme/app: denied"},
		"letters of any script stay":            {"Größe 日本 ✓ …", "Größe 日本 ✓ …"},
		"a line break is shown":                 {"a\nb\r\nc", `a\nb\r\nc`},
		"a tab is shown":                        {"a\tb", `a\tb`},
		"a terminal sequence is shown":          {"\x1b[31mred", `\x1b[31mred`},
		"delete and C1 are shown":               {"\x7f\u0085\u009b", `\x7f\u0085\u009b`},
		"separators are shown":                  {"\u2028\u2029", `\u2028\u2029`},
		"bidirectional controls are shown":      {"\u202egnp.exe\u2066", `\u202egnp.exe\u2066`},
		"zero width characters are shown":       {"a\u200b\u200d\ufeff\u2060\u00ad", `a\u200b\u200d\ufeff\u2060\u00ad`},
		"invisible marks and fillers are shown": {"\ufe0f\u034f\u3164\U000e0100", `\ufe0f\u034f\u3164\U000e0100`},
		"a space that is no U+0020 is shown":    {"a\u00a0b", `a\u00a0b`},
		"bytes that are no UTF-8 are shown":     {"a\xff\xc3(", `a\xff\xc3(`},
		"a replacement character stays":         {"\ufffd", "\ufffd"},
		"a v1 command is broken anywhere":       {"x ##[add-path]/tmp", `x ##\[add-path]/tmp`},
		"a v1 command after more hashes":        {"###[error]", `###\[error]`},
		"a v2 command is broken at the start":   {"::add-mask::x", `\::add-mask::x`},
		"a v2 command is broken after blanks":   {"  ::debug::x", `  \::debug::x`},
		"two colons inside a line stay":         {"a ::debug::x", "a ::debug::x"},
		"a blank that is escaped ends the rule": {"\t::debug::", `\t::debug::`},
		"a backslash stays":                     {`C:\tmp`, `C:\tmp`},
	} {
		t.Run(name, func(t *testing.T) {
			if got := escape.Text(c.in); got != c.want {
				t.Errorf("Text(%q) = %q, want %q", c.in, got, c.want)
			}
		})
	}
}

func TestBoundedCutsBetweenEscapes(t *testing.T) {
	for name, c := range map[string]struct {
		in    string
		limit int
		want  string
	}{
		"a text that fits stays":         {"abcdef", 6, "abcdef"},
		"a longer one ends in ellipsis":  {"abcdefg", 6, "abc…"},
		"an escape is never halved":      {"ab\u202e\u202e", 9, "ab…"},
		"an escape that fits stays":      {"ab\u202e", 8, `ab\u202e`},
		"no room for an ellipsis":        {"abcdef", 2, ""},
		"nothing fits in nothing":        {"abc", 0, ""},
		"a negative limit is nothing":    {"abc", -1, ""},
		"an empty text fits anywhere":    {"", 0, ""},
		"a rune is never halved":         {"ééééé", 8, "éé…"},
		"a command is broken here, too":  {"::set::x and more", 10, `\::set:…`},
		"a v1 command is broken as well": {"##[x] and much more", 10, `##\[x] …`},
	} {
		t.Run(name, func(t *testing.T) {
			if got := escape.Bounded(c.in, c.limit); got != c.want {
				t.Errorf("Bounded(%q, %d) = %q, want %q", c.in, c.limit, got, c.want)
			}
		})
	}
}

func TestLinesKeepsLineBreaksAlone(t *testing.T) {
	got := escape.Lines("error: a\r\n::stop-commands::x\n\x1b[1mb\rc")
	if want := "error: a\n\\::stop-commands::x\n\\x1b[1mb\\rc"; got != want {
		t.Errorf("Lines = %q, want %q", got, want)
	}
}

func TestMarkdownIsLiteralText(t *testing.T) {
	for in, want := range map[string]string{
		"a|b":                   "a&#124;b",
		"<img src=x>":           "&lt;img src=x&gt;",
		"a&amp;b":               "a&amp;amp;b",
		"**x** _y_ `z`":         "&#42;&#42;x&#42;&#42; &#95;y&#95; &#96;z&#96;",
		"[x](https://evil)":     "&#91;x&#93;(https&#58;//evil)",
		"see www.evil.example":  "see www&#46;evil.example",
		"@acme/team #1":         "&#64;acme/team &#35;1",
		"a\nb":                  "a&#92;nb",
		"ghcr.io/acme/app:1.2.": "ghcr.io/acme/app:1.2.",
	} {
		if got := escape.Markdown(in); got != want {
			t.Errorf("Markdown(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestCommandDataAndProperty(t *testing.T) {
	const in = "50%\r\na:b,c"
	if got, want := escape.CommandData(in), "50%25%0D%0Aa:b,c"; got != want {
		t.Errorf("CommandData = %q, want %q", got, want)
	}
	if got, want := escape.CommandProperty(in), "50%25%0D%0Aa%3Ab%2Cc"; got != want {
		t.Errorf("CommandProperty = %q, want %q", got, want)
	}
}

var seeds = []string{"", "abc", "::x::", " ::x::", "##[x]", "a\nb", "\x1b[0m", "\xff\xfe", "\u202e", "#\u200b#[", "%0A::x::", "|<>&`*_[]"}

func FuzzText(f *testing.F) {
	for _, s := range seeds {
		f.Add(s, 10)
	}
	f.Fuzz(func(t *testing.T, s string, limit int) {
		got := escape.Text(s)
		checkInert(t, got)
		if again := escape.Text(got); again != got {
			t.Errorf("Text is not stable: %q, then %q", got, again)
		}
		limit %= 4096
		bounded := escape.Bounded(s, limit)
		checkInert(t, bounded)
		if len(bounded) > max(limit, 0) {
			t.Errorf("Bounded(%q, %d) has %d bytes", s, limit, len(bounded))
		}
		if limit >= len(got) && bounded != got {
			t.Errorf("Bounded(%q, %d) = %q, want all of %q", s, limit, bounded, got)
		}
	})
}

func FuzzMarkdown(f *testing.F) {
	for _, s := range seeds {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := escape.Markdown(s)
		checkInert(t, got)
		if strings.ContainsAny(got, "|<>\"'`*_[]\\~$@!{}^") || strings.Contains(got, "://") {
			t.Errorf("Markdown(%q) = %q holds markup", s, got)
		}
	})
}

func FuzzCommand(f *testing.F) {
	for _, s := range seeds {
		f.Add(s)
	}
	data := strings.NewReplacer("%0D", "\r", "%0A", "\n", "%25", "%")
	property := strings.NewReplacer("%0D", "\r", "%0A", "\n", "%3A", ":", "%2C", ",", "%25", "%")
	f.Fuzz(func(t *testing.T, s string) {
		d, p := escape.CommandData(s), escape.CommandProperty(s)
		if strings.ContainsAny(d, "\r\n") || strings.ContainsAny(p, "\r\n:,") {
			t.Errorf("data %q or property %q ends its command", d, p)
		}
		if data.Replace(d) != s || property.Replace(p) != s {
			t.Errorf("%q is not read back: data %q, property %q", s, d, p)
		}
	})
}

func checkInert(t *testing.T, s string) {
	t.Helper()
	if !utf8.ValidString(s) {
		t.Errorf("%q is not UTF-8", s)
	}
	for _, r := range s {
		if r < ' ' || r >= 0x7f && r <= 0xa0 || r == 0x2028 || r == 0x2029 || r >= 0x200b && r <= 0x200f ||
			r >= 0x202a && r <= 0x202e || r >= 0x2060 && r <= 0x206f || r == 0xfeff || r == 0xad || r == 0x61c {
			t.Errorf("%q holds %U", s, r)
		}
	}
	if strings.Contains(s, "##[") || strings.HasPrefix(strings.TrimSpace(s), "::") {
		t.Errorf("%q holds a command", s)
	}
}
