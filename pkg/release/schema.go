package release

import (
	"encoding/json"
)

// Schema is the JSON Schema (draft 2020-12) of the release file, for editors: the same bytes every time, ending in a
// newline. It is derived from the table of keys that the parser uses. What needs more than a schema (placeholders, tag rules,
// the names of repositories) is the parser's to check.
func Schema() []byte {
	top := objectSchema(fileLevel().keys)
	top["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	top["title"] = "taglast release file"
	out, err := json.MarshalIndent(top, "", "  ")
	if err != nil {
		return nil // it cannot be: there are only maps, slices and texts
	}
	return append(out, '\n')
}

// anyText is every scalar: the parser takes the text that is written.
var anyText = []string{"string", "number", "boolean", "null"}

func objectSchema(keys []key) map[string]any {
	properties := map[string]any{}
	var required []string
	for _, k := range keys {
		properties[k.name] = keySchema(k)
		if k.required {
			required = append(required, k.name)
		}
	}
	s := map[string]any{"type": "object", "additionalProperties": false, "properties": properties}
	if len(required) > 0 {
		s["required"] = required
	}
	return s
}

func keySchema(k key) map[string]any {
	if k.unsupported {
		return map[string]any{"not": map[string]any{}, "description": "Not supported by this version of taglast."}
	}
	var s map[string]any
	switch k.shape {
	case list:
		s = map[string]any{"type": append([]string{"array"}, anyText...), "items": map[string]any{"type": anyText}}
	case texts:
		s = map[string]any{"type": []string{"object", "null"}, "additionalProperties": map[string]any{"type": anyText}}
	case variables:
		s = map[string]any{
			"type":                 append([]string{"object", "array"}, anyText...),
			"additionalProperties": map[string]any{"type": anyText},
			"items":                map[string]any{"type": anyText},
		}
	case choice:
		s = choiceSchema(k)
	case switchOrObject:
		s = choiceSchema(k, objectSchema(k.keys))
	case object:
		s = objectSchema(k.keys)
		s["oneOf"] = oneOf(SourceKinds())
	case objects:
		s = map[string]any{"type": "array", "minItems": 1, "items": objectSchema(k.keys)}
	default:
		s = map[string]any{"type": anyText}
	}
	s["description"] = k.doc
	return s
}

// choiceSchema takes one of the words of a key, a placeholder, or what else is given.
func choiceSchema(k key, others ...any) map[string]any {
	return map[string]any{"default": k.words[0], "anyOf": append([]any{
		map[string]any{"enum": enum(k.words)},
		map[string]any{"type": "string", "pattern": `\$\{`}, // a placeholder
	}, others...)}
}

func oneOf(names []string) []any {
	var out []any
	for _, name := range names {
		out = append(out, map[string]any{"required": []string{name}})
	}
	return out
}

// enum are the words of a choice; true and false as YAML readers understand them, too.
func enum(words []string) []any {
	var out []any
	for _, w := range words {
		out = append(out, w)
		if w == "true" || w == "false" {
			out = append(out, w == "true")
		}
	}
	return out
}
