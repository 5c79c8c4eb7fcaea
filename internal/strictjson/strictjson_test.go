package strictjson_test

import (
	"testing"

	"github.com/taglast/taglast/internal/strictjson"
)

func TestObjectReadsEachKeyOnce(t *testing.T) {
	for name, c := range map[string]struct {
		raw string
		ok  bool
	}{
		"an object":                       {`{"a":1,"A":2}`, true},
		"an empty object":                 {`{}`, true},
		"a key twice":                     {`{"a":1,"a":1}`, false},
		"a key twice, once escaped":       {`{"a":1,"\u0061":1}`, false},
		"an array":                        {`[]`, false},
		"nothing":                         {``, false},
		"an object and more":              {`{} {}`, false},
		"an object that does not end":     {`{"a":1`, false},
		"a value that is not well-formed": {`{"a":x}`, false},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := strictjson.Object([]byte(c.raw)); (err == nil) != c.ok {
				t.Error(err)
			}
		})
	}
}

func TestTextFollowsThePath(t *testing.T) {
	const raw = `{"a":{"b":"c","n":1,"N":"other"},"l":["x"]}`
	for _, c := range []struct {
		path []string
		want string
	}{
		{[]string{"a", "b"}, "c"},
		{[]string{"a", "B"}, ""},
		{[]string{"a", "n"}, ""},
		{[]string{"a", "b", "c"}, ""},
		{[]string{"l", "0"}, ""},
		{[]string{"x"}, ""},
	} {
		if got := strictjson.Text([]byte(raw), c.path...); got != c.want {
			t.Errorf("%v: %q, want %q", c.path, got, c.want)
		}
	}
}

func TestMemberIsAString(t *testing.T) {
	object, err := strictjson.Object([]byte(`{"text":"x","number":1,"null":null}`))
	if err != nil {
		t.Fatal(err)
	}
	for key, ok := range map[string]bool{"text": true, "number": false, "null": false, "missing": false} {
		if got, err := strictjson.Member(object, key); (err == nil) != ok || ok && got != "x" {
			t.Errorf("%s: %q, %v", key, got, err)
		}
	}
}
