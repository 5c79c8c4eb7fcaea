package inputs

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

func TestRecords(t *testing.T) {
	for name, c := range map[string]struct {
		value        string
		texts, items []string
		err          error
	}{
		"nothing":                        {value: " \n\n\t\r\n"},
		"lines":                          {value: "a=1\r\n  b=2  \n\nc", texts: []string{"a=1", "b=2", "c"}, items: []string{"a=1", "b=2", "c"}},
		"commas":                         {value: "a=1,b , c", texts: []string{"a=1,b , c"}, items: []string{"a=1", "b", "c"}},
		"comments are whole lines":       {value: "# x\na#b\n  # y,z\n\"#c\"", texts: []string{"a#b", "#c"}, items: []string{"a#b", "#c"}},
		"a quoted entry keeps its comma": {value: `"a=b,c"`, texts: []string{"a=b,c"}, items: []string{"a=b,c"}},
		"a quoted entry of two lines":    {value: "\"a=b\n# c\"\nd", texts: []string{"a=b\n# c", "d"}, items: []string{"a=b\n# c", "d"}},
		"a quote written twice":          {value: `"a={""k"": ""v""}"`, texts: []string{`a={"k": "v"}`}, items: []string{`a={"k": "v"}`}},
		"quotes around a part stay":      {value: `type=local,"dest=a,b"`, texts: []string{`type=local,"dest=a,b"`}, items: []string{"type=local", "dest=a,b"}},
		"quotes within stay":             {value: `a="b,c"`, texts: []string{`a="b,c"`}, items: []string{`a="b`, `c"`}},
		"a stray quote further on":       {value: `a,"b`, texts: []string{`a,"b`}, items: []string{"a", `"b`}},
		"several quoted fields":          {value: `"a,b", "c",d`, texts: []string{`a,b, "c",d`}, items: []string{"a,b", `"c"`, "d"}},
		"an open quote":                  {value: "a\n\"b\nc", err: errOpenQuote},
		"text after a quote":             {value: `"a"b`, err: errAfterQuote},
		"empty fields":                   {value: ",,a,", texts: []string{",,a,"}, items: []string{"a"}},
	} {
		t.Run(name, func(t *testing.T) {
			gotTexts, err := texts(c.value)
			gotItems, err2 := items(c.value)
			if !errors.Is(err, c.err) || !errors.Is(err2, c.err) {
				t.Fatalf("got %v and %v, want %v", err, err2, c.err)
			}
			if err == nil && (!slices.Equal(gotTexts, c.texts) || !slices.Equal(gotItems, c.items)) {
				t.Errorf("texts %q, items %q", gotTexts, gotItems)
			}
		})
	}
}

func TestBlanksAtTheEndOfASecretStay(t *testing.T) {
	all, err := records("a=b \t\r\n\"c=d \"")
	if err != nil || len(all) != 2 || all[0].text != "a=b \t" || all[1].text != "c=d " {
		t.Errorf("%q, %v", all, err)
	}
}

// FuzzRecords: whatever comes in, nothing is made up, and what is quoted comes back.
func FuzzRecords(f *testing.F) {
	for _, seed := range []string{"a=1\nb", `"a,b",c`, "\"x\ny\"\n#z", `a"b`, `"`, "\r\n,", `""""`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		if all, err := records(value); err == nil {
			size := 0
			for _, r := range all {
				size += len(r.text)
				if r.text != "" && len(r.fields) == 0 {
					t.Errorf("%q: no fields", r.text)
				}
			}
			if size > len(value) {
				t.Errorf("%d bytes came of %d", size, len(value))
			}
		}
		if got, err := records(`"` + strings.ReplaceAll(value, `"`, `""`) + `"`); err != nil || len(got) != 1 || got[0].text != value {
			t.Errorf("%q in quotes: %q, %v", value, got, err)
		}
	})
}
