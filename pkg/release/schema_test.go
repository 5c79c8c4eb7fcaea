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
		"an sbom":  {branch(t, get(t, item, "properties", "sbom")), sbomLevel()},
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
	for _, l := range []level{fileLevel(), imageLevel(), sourceLevel(), sbomLevel()} {
		for _, k := range l.keys {
			n := &node{kind: mapping, fields: []field{{&node{kind: scalar, text: k.name}, &node{kind: scalar}}}}
			err := checkKeys(n, level{l.place, []key{{name: k.name, unsupported: k.unsupported}}})
			if (err != nil) != k.unsupported {
				t.Errorf("%s in %s: %v", k.name, l.place, err)
			}
		}
	}
}

// Arguments and contexts may be a list, which a map of texts may not.
func TestSchemaOfVariables(t *testing.T) {
	var top map[string]any
	if err := json.Unmarshal(Schema(), &top); err != nil {
		t.Fatal(err)
	}
	item := get(t, top, "properties", "images", "items", "properties")
	for key, want := range map[string][]any{
		"args":     {"object", "array", "string", "number", "boolean", "null"},
		"contexts": {"object", "array", "string", "number", "boolean", "null"},
	} {
		if diff := cmp.Diff(want, get(t, item, "source", "properties", key)["type"]); diff != "" {
			t.Errorf("%s: %s", key, diff)
		}
	}
	if diff := cmp.Diff([]any{"object", "null"}, get(t, item, "labels")["type"]); diff != "" {
		t.Error(diff)
	}
}

// branch is the object among the alternatives of a schema.
func branch(t *testing.T, schema map[string]any) map[string]any {
	t.Helper()
	alternatives, _ := schema["anyOf"].([]any)
	for _, a := range alternatives {
		if m, _ := a.(map[string]any); m["type"] == "object" {
			return m
		}
	}
	t.Fatal("no object among the alternatives")
	return nil
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
