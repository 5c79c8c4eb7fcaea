package release

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSchemaHasTheKeysOfTheParser(t *testing.T) {
	var top map[string]any
	if err := json.Unmarshal(Schema(), &top); err != nil {
		t.Fatal(err)
	}
	item := get(t, top, "properties", "images", "items")
	for name, tc := range map[string]struct {
		schema map[string]any
		level  level
	}{
		"the file": {top, fileLevel()},
		"an image": {item, imageLevel()},
		"a source": {get(t, item, "properties", "source"), sourceLevel()},
	} {
		t.Run(name, func(t *testing.T) {
			if tc.schema["additionalProperties"] != false {
				t.Error("unknown keys are allowed")
			}
			properties := get(t, tc.schema, "properties")
			var want []string
			for _, k := range tc.level.keys {
				want = append(want, k.name)
				p := get(t, properties, k.name)
				if _, refused := p["not"]; refused != k.unsupported {
					t.Errorf("%s: refused by the schema is %t, by the parser %t", k.name, refused, k.unsupported)
				}
				if !k.unsupported && k.doc == "" {
					t.Errorf("%s has no description", k.name)
				}
			}
			slices.Sort(want)
			if diff := cmp.Diff(want, slices.Sorted(maps.Keys(properties))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestSchemaIsTheSameEveryTime(t *testing.T) {
	first := Schema()
	for range 20 {
		if !bytes.Equal(first, Schema()) {
			t.Fatal("the schema changed")
		}
	}
	if !bytes.HasSuffix(first, []byte("}\n")) {
		t.Error("the schema does not end in a newline")
	}
}

// The parser knows a key of the table: it never calls it unknown or misplaced, and refuses it exactly if it is for later.
func TestTheParserKnowsTheTable(t *testing.T) {
	for _, l := range []level{fileLevel(), imageLevel(), sourceLevel()} {
		for _, k := range l.keys {
			n := &node{kind: mapping, fields: []field{{&node{kind: scalar, text: k.name}, &node{kind: scalar}}}}
			err := checkKeys(n, level{l.place, []key{{name: k.name, unsupported: k.unsupported}}})
			if (err != nil) != k.unsupported {
				t.Errorf("%s in %s: %v", k.name, l.place, err)
			}
		}
	}
}

func get(t *testing.T, m map[string]any, path ...string) map[string]any {
	t.Helper()
	for _, p := range path {
		next, ok := m[p].(map[string]any)
		if !ok {
			t.Fatalf("no object %s in the schema", p)
		}
		m = next
	}
	return m
}
