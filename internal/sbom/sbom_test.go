package sbom_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/taglast/taglast/internal/bounded"
	"github.com/taglast/taglast/internal/hint"
	"github.com/taglast/taglast/internal/sbom"
)

const (
	spdx2     = `{"spdxVersion":"SPDX-2.3","SPDXID":"SPDXRef-DOCUMENT","name":"app","packages":[{"name":"musl","versionInfo":"1.10"}]}`
	spdx3     = `{"@context":"https://spdx.org/rdf/3.0.1/spdx-context.jsonld","@graph":[{"type":"CreationInfo","@id":"_:c","specVersion":"3.0.1"},{"type":"SpdxDocument","spdxId":"urn:x","creationInfo":"_:c"}]}`
	cycloneDX = `{"bomFormat":"CycloneDX","specVersion":"1.6","version":1,"components":[]}`
)

func TestADocumentIsKnownByItsContent(t *testing.T) {
	for name, c := range map[string]struct{ raw, want string }{
		"SPDX 2.3":                               {spdx2, "https://spdx.dev/Document/v2.3"},
		"SPDX 2.2":                               {strings.Replace(spdx2, "2.3", "2.2", 1), "https://spdx.dev/Document/v2.2"},
		"SPDX 3.0.1":                             {spdx3, "https://spdx.dev/Document/v3.0"},
		"SPDX 3.0.0":                             {strings.ReplaceAll(spdx3, "3.0.1", "3.0.0"), "https://spdx.dev/Document/v3.0"},
		"SPDX 3 with a list of contexts":         {strings.Replace(spdx3, `"https://spdx.org/rdf/3.0.1/spdx-context.jsonld"`, `["https://x.example/c","https://spdx.org/rdf/3.0.1/spdx-context.jsonld"]`, 1), "https://spdx.dev/Document/v3.0"},
		"SPDX 3 with creation information in it": {`{"@context":"https://spdx.org/rdf/3.0.1/spdx-context.jsonld","@graph":[{"type":"SpdxDocument","creationInfo":{"specVersion":"3.0.1"}}]}`, "https://spdx.dev/Document/v3.0"},
		"CycloneDX 1.6":                          {cycloneDX, "https://cyclonedx.org/bom"},
		"CycloneDX with a serial number":         {strings.Replace(cycloneDX, `"version"`, `"serialNumber":"urn:uuid:3e671687-395b-41f5-a30f-a58921a69b79","version"`, 1), "https://cyclonedx.org/bom"},
		"a pair of surrogates":                   {strings.Replace(spdx2, `"app"`, `"\ud83d\ude00 \\u0041 \\\\ud800"`, 1), "https://spdx.dev/Document/v2.3"},
		"equal keys in two objects":              {strings.Replace(cycloneDX, `[]`, `[{"name":"a"},{"name":"name"}]`, 1), "https://cyclonedx.org/bom"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := sbom.Parse([]byte(" " + c.raw + "\n"))
			if err != nil {
				t.Fatal(err)
			}
			if got.PredicateType != c.want || string(got.Raw) != c.raw {
				t.Errorf("%s of type %s, want %s", got.Raw, got.PredicateType, c.want)
			}
			if !sbom.IsType(got.PredicateType) {
				t.Errorf("%s is the type of no SBOM", got.PredicateType)
			}
		})
	}
}

func TestADocumentStaysAsItIsWritten(t *testing.T) {
	raw := "{\n  \"bomFormat\": \"CycloneDX\", \"specVersion\": \"1.6\",\n  \"z\": 1.10, \"a\": \"<&> \u2028 \\u0041\" }\n"
	got, err := sbom.Parse([]byte(raw))
	if err != nil {
		t.Fatal(err)
	}
	if want := "{\"bomFormat\":\"CycloneDX\",\"specVersion\":\"1.6\",\"z\":1.10,\"a\":\"<&> \u2028 \\u0041\"}"; string(got.Raw) != want {
		t.Errorf("got  %s\nwant %s", got.Raw, want)
	}
}

func TestParseRefuses(t *testing.T) {
	with := func(value string) string { return strings.Replace(spdx2, `"app"`, value, 1) }
	for name, c := range map[string]struct{ raw, want, hint string }{
		"nothing":                           {"", "it is empty", ""},
		"XML":                               {`<?xml version="1.0"?><bom/>`, "it is XML", "cyclonedx-json"},
		"tag-value":                         {"SPDXVersion: SPDX-2.3\n", "tag-value form", "spdx-json"},
		"an array":                          {`[` + spdx2 + `]`, "not a JSON object", ""},
		"a document that is cut":            {spdx2[:60], "not an SBOM in JSON", ""},
		"two documents":                     {spdx2 + cycloneDX, "more than one JSON value", ""},
		"what is no UTF-8":                  {with("\"\xff\""), "not UTF-8", ""},
		"another object":                    {`{"artifacts":[],"descriptor":{"name":"syft"}}`, "neither SPDX", "spdx-json"},
		"a document of GitHub's API":        {`{"sbom":` + spdx2 + `}`, "neither SPDX", "jq .sbom"},
		"a document of imagetools":          {`{"SPDX":` + spdx2 + `}`, "neither SPDX", "jq .SPDX"},
		"a statement":                       {`{"_type":"https://in-toto.io/Statement/v1","predicate":` + spdx2 + `}`, "neither SPDX", "jq .predicate"},
		"two formats at once":               {`{"bomFormat":"CycloneDX","specVersion":"1.6",` + spdx2[1:], "the marks of two formats", ""},
		"an unknown version of SPDX":        {strings.Replace(spdx2, "SPDX-2.3", "SPDX-1.2", 1), `spdxVersion "SPDX-1.2" is not SPDX-2.x`, ""},
		"a version that is no text":         {strings.Replace(spdx2, `"SPDX-2.3"`, `2.3`, 1), "spdxVersion is not a text", ""},
		"SPDX without an SPDXID":            {`{"spdxVersion":"SPDX-2.3"}`, "no SPDXID", ""},
		"JSON-LD that is not SPDX":          {`{"@context":"https://schema.org","@graph":[]}`, "not SPDX 3.0", ""},
		"a context that is no text":         {`{"@context":{},"@graph":[]}`, "@context is not a text", ""},
		"SPDX 3.1":                          {strings.ReplaceAll(spdx3, "3.0.1", "3.1.0"), "not SPDX 3.0", ""},
		"SPDX 3 of two versions":            {strings.Replace(spdx3, `"specVersion":"3.0.1"`, `"specVersion":"3.1.0"`, 1), `specVersion "3.1.0" is not 3.0.x`, ""},
		"SPDX 3 without a graph":            {`{"@context":"https://spdx.org/rdf/3.0.1/spdx-context.jsonld"}`, "no @graph", ""},
		"SPDX 3 without a version":          {`{"@context":"https://spdx.org/rdf/3.0.1/spdx-context.jsonld","@graph":["x",{}]}`, "no creation information", ""},
		"another bomFormat":                 {strings.Replace(cycloneDX, `"CycloneDX"`, `"cyclonedx"`, 1), "bomFormat is not CycloneDX", ""},
		"CycloneDX without a version":       {`{"bomFormat":"CycloneDX"}`, "no specVersion", ""},
		"CycloneDX of an odd version":       {strings.Replace(cycloneDX, `"1.6"`, `"latest"`, 1), `specVersion "latest" is not a version`, ""},
		"a key twice":                       {strings.Replace(spdx2, `{"spdx`, `{"spdxVersion":"SPDX-2.2","spdx`, 1), `key "spdxVersion" is there twice`, ""},
		"a key twice, deep":                 {with(`[{"a":{"b":1,"\u0062":2}}]`), `key "\u0062" is there twice in one object`, ""},
		"half a pair of surrogates":         {with(`"\ud83d"`), `\ud83d is half a surrogate pair`, ""},
		"the second half":                   {with(`"\\\ude00"`), `\ude00 is half a surrogate pair`, ""},
		"two first halves":                  {with(`"\ud83d\ud83d"`), `half a surrogate pair`, ""},
		"a number beyond a float64":         {with(`1e999`), "the number 1e999 is larger than readers can hold", ""},
		"101 levels":                        {with(strings.Repeat("[", 100) + strings.Repeat("]", 100)), "more than 100 levels deep", ""},
		"more levels than the reader reads": {with(strings.Repeat("[", 20000) + strings.Repeat("]", 20000)), "depth", ""},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := sbom.Parse([]byte(c.raw))
			if err == nil || got != nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("got %v and %v, want %q", got, err, c.want)
			}
			if !strings.Contains(hint.Of(err), c.hint) {
				t.Errorf("the hint is %q", hint.Of(err))
			}
		})
	}
}

func TestADocumentMayHave16MiB(t *testing.T) {
	raw := []byte(strings.Replace(spdx2, `"app"`, `"`+strings.Repeat("a", sbom.MaxSize-len(spdx2)+len(`app`))+`"`, 1))
	if len(raw) != sbom.MaxSize {
		t.Fatalf("the test made %d bytes", len(raw))
	}
	path := filepath.Join(t.TempDir(), "sbom.json")
	for _, c := range []struct {
		raw []byte
		ok  bool
	}{{raw, true}, {append(raw, ' '), false}} {
		if err := os.WriteFile(path, c.raw, 0o600); err != nil {
			t.Fatal(err)
		}
		_, parsed := sbom.Parse(c.raw)
		_, read := sbom.ReadFile(path)
		for _, err := range []error{parsed, read} {
			if (err == nil) != c.ok || !c.ok && (!errors.Is(err, bounded.ErrTooLarge) || !strings.Contains(err.Error(), "more than 16777216 bytes") || hint.Of(err) == "") {
				t.Errorf("%d bytes: %v", len(c.raw), err)
			}
		}
	}
}

func TestAFileThatIsNotThereSaysSo(t *testing.T) {
	if _, err := sbom.ReadFile(filepath.Join(t.TempDir(), "none.json")); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}

func TestTypesOfSBOMs(t *testing.T) {
	for name, want := range map[string]bool{
		"https://spdx.dev/Document": true, "https://spdx.dev/Document/v2.3": true, "https://spdx.dev/Document/v3.0": true,
		"https://cyclonedx.org/bom": true, "https://cyclonedx.org/bom/v1.4": true,
		"https://slsa.dev/provenance/v1": false, "https://spdx.dev/Documents": false, "https://spdx.dev": false, "": false,
	} {
		if sbom.IsType(name) != want {
			t.Errorf("%q: %v", name, !want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{spdx2, spdx3, cycloneDX, `{"spdxVersion":"SPDX-2.3","SPDXID":"x","a":["\ud83d\ude00",1e308,{"b":null}]}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		d, err := sbom.Parse(raw)
		if err != nil {
			return
		}
		// gh and cosign read it so.
		if err := protojson.Unmarshal(d.Raw, new(structpb.Struct)); err != nil {
			t.Errorf("%q cannot be read: %v", d.Raw, err)
		}
		again, err := sbom.Parse(d.Raw)
		if err != nil || again.PredicateType != d.PredicateType || string(again.Raw) != string(d.Raw) {
			t.Errorf("parsed again, %q is %v, %v", d.Raw, again, err)
		}
	})
}
