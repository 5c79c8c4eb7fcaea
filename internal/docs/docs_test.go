// Package docs holds the documents to the program: links, examples, flags, keys and tests that they name are there.
package docs

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/taglast/taglast/pkg/publish"
	"github.com/taglast/taglast/pkg/release"
)

var root = filepath.Join("..", "..")

// documents are the texts by their path from the root.
func documents(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, "docs", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, name := range []string{"README.md", "CONTRIBUTING.md", "CHANGELOG.md"} {
		files = append(files, filepath.Join(root, name))
	}
	for _, file := range files {
		rel, err := filepath.Rel(root, file)
		if err != nil {
			t.Fatal(err)
		}
		out[filepath.ToSlash(rel)] = read(t, file)
	}
	if len(out) < 8 {
		t.Fatalf("only %d documents were found", len(out))
	}
	return out
}

func read(t *testing.T, file string) string {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

var (
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#+ +(.+)$`)
	block   = regexp.MustCompile("(?ms)^```(\\w*)\n(.*?)^```$")
	noSlug  = regexp.MustCompile(`[^\p{L}\p{N}_ -]`)
)

func TestLinksResolve(t *testing.T) {
	for doc, text := range documents(t) {
		for _, m := range link.FindAllStringSubmatch(block.ReplaceAllString(text, ""), -1) {
			target, anchor, _ := strings.Cut(m[1], "#")
			if strings.Contains(target, "://") || strings.HasPrefix(target, "mailto:") {
				continue
			}
			file := filepath.Join(root, filepath.FromSlash(doc))
			if target != "" {
				file = filepath.Join(filepath.Dir(file), filepath.FromSlash(target))
			}
			if _, err := os.Stat(file); err != nil {
				t.Errorf("%s: the link %s leads nowhere", doc, m[1])
				continue
			}
			if anchor != "" && !slices.Contains(anchors(read(t, file)), anchor) {
				t.Errorf("%s: %s has no such heading", doc, m[1])
			}
		}
	}
}

// anchors are the names that GitHub gives to a document's headings.
func anchors(text string) []string {
	var out []string
	for _, m := range heading.FindAllStringSubmatch(block.ReplaceAllString(text, ""), -1) {
		out = append(out, strings.ReplaceAll(noSlug.ReplaceAllString(strings.ToLower(strings.TrimSpace(m[1])), ""), " ", "-"))
	}
	return out
}

func TestReleaseFilesParse(t *testing.T) {
	unset := func(string) (string, bool) { return "", false }
	parsed := 0
	for doc, text := range documents(t) {
		for _, m := range block.FindAllStringSubmatch(text, -1) {
			if m[1] != "yaml" || !strings.Contains("\n"+m[2], "\nimages:") {
				continue
			}
			parsed++
			if _, err := release.Parse("taglast.yaml", []byte(m[2]), unset); err != nil {
				t.Errorf("%s: %v", doc, err)
			}
		}
	}
	if parsed < 3 {
		t.Errorf("only %d release files were found", parsed)
	}
	examples, err := filepath.Glob(filepath.Join(root, "docs", "examples", "*", "taglast.yaml"))
	if err != nil || len(examples) == 0 {
		t.Fatalf("no example was found: %v", err)
	}
	for _, file := range examples {
		if _, err := release.Load(file, unset); err != nil {
			t.Error(err)
		}
	}
}

func TestReportsHaveTheFieldsOfTheProgram(t *testing.T) {
	seen := 0
	for doc, text := range documents(t) {
		for _, m := range block.FindAllStringSubmatch(text, -1) {
			if m[1] != "json" || doc == "docs/sources.md" { // whose JSON is what builds take
				continue
			}
			seen++
			d := json.NewDecoder(strings.NewReader(m[2]))
			d.DisallowUnknownFields()
			if err := d.Decode(&publish.Report{}); err != nil {
				t.Errorf("%s: %v", doc, err)
			}
		}
	}
	if seen == 0 {
		t.Error("no report was found")
	}
}

// TestEveryFieldOfTheReportIsDocumented takes the fields from the program's own type, and looks for each in the first
// column of a table.
func TestEveryFieldOfTheReportIsDocumented(t *testing.T) {
	const doc = "docs/report.md"
	var rows []string
	for line := range strings.SplitSeq(documents(t)[doc], "\n") {
		if cells := strings.Split(line, "|"); len(cells) > 2 {
			rows = append(rows, cells[1])
		}
	}
	columns := strings.Join(append(rows, platformRow(documents(t)[doc])), "\n")
	fields := fieldsOf(reflect.TypeFor[publish.Report]())
	if len(fields) < 30 {
		t.Fatalf("the report has the fields %q", fields)
	}
	for _, field := range fields {
		if !strings.Contains(columns, "`"+field+"`") {
			t.Errorf("%s: no row for `%s`", doc, field)
		}
	}
}

// platformRow is the row that describes the two fields of a platform.
func platformRow(text string) string {
	for line := range strings.SplitSeq(text, "\n") {
		if strings.HasPrefix(line, "| `platforms` |") {
			return line
		}
	}
	return ""
}

// fieldsOf are the names in JSON of a struct's fields, and of those of the structs in it.
func fieldsOf(typ reflect.Type) []string {
	for typ.Kind() == reflect.Pointer || typ.Kind() == reflect.Slice {
		typ = typ.Elem()
	}
	if typ.Kind() != reflect.Struct {
		return nil
	}
	var out []string
	for field := range typ.Fields() {
		if name, _, _ := strings.Cut(field.Tag.Get("json"), ","); name != "-" {
			out = append(append(out, name), fieldsOf(field.Type)...)
		}
	}
	return out
}

// TestNoWorkflowPutsAnExpressionIntoAShell: what GitHub replaces inside run: becomes code (GitHub, "Script injections").
func TestNoWorkflowPutsAnExpressionIntoAShell(t *testing.T) {
	steps := 0
	places, texts := workflows(t)
	for i, text := range texts {
		var workflow yaml.Node
		if err := yaml.Unmarshal([]byte(text), &workflow); err != nil {
			t.Errorf("%s: %v", places[i], err)
			continue
		}
		for _, run := range runs(&workflow) {
			steps++
			if strings.Contains(run, "${{") {
				t.Errorf("%s: an expression inside run: %s", places[i], run)
			}
		}
	}
	if steps == 0 {
		t.Error("no workflow was found")
	}
}

// runs are the shell texts of a workflow.
func runs(n *yaml.Node) []string {
	var out []string
	for i, child := range n.Content {
		if n.Kind == yaml.MappingNode && i%2 == 1 && n.Content[i-1].Value == "run" && child.Kind == yaml.ScalarNode {
			out = append(out, child.Value)
		}
		out = append(out, runs(child)...)
	}
	return out
}

// TestEveryKeyIsDocumented takes the keys from the schema: one that this version reads has a row, one that it refuses has
// none and is named.
func TestEveryKeyIsDocumented(t *testing.T) {
	text := documents(t)["docs/release-file.md"]
	var schema any
	if err := json.Unmarshal(release.Schema(), &schema); err != nil {
		t.Fatal(err)
	}
	keys := map[string]bool{}
	keysOf(schema, keys)
	if len(keys) < 30 {
		t.Fatalf("the schema has the keys %v", keys)
	}
	for key, refused := range keys {
		row := strings.Contains(text, "| `"+key+"` |")
		switch {
		case refused && (row || !strings.Contains(text, "`"+key+"`")):
			t.Errorf("docs/release-file.md: `%s` is refused by this version, and that is not told", key)
		case !refused && !row && key != "images":
			t.Errorf("docs/release-file.md: no row for `%s`", key)
		}
	}
}

// keysOf collects the keys of a schema and whether they are refused.
func keysOf(schema any, keys map[string]bool) {
	switch v := schema.(type) {
	case map[string]any:
		if properties, ok := v["properties"].(map[string]any); ok {
			for key, value := range properties {
				_, refused := value.(map[string]any)["not"]
				keys[key] = refused
			}
		}
		for _, value := range v {
			keysOf(value, keys)
		}
	case []any:
		for _, value := range v {
			keysOf(value, keys)
		}
	}
}

var (
	registered = regexp.MustCompile(`\.(?:String|StringArray|Bool|Int|Duration)VarP?\([^"\n]+"([a-z][a-z-]*)"`)
	span       = regexp.MustCompile("`([^`\n]+)`")
	flag       = regexp.MustCompile(`(?:^|[\s'"])--([a-z][a-z-]*)`)
	command    = regexp.MustCompile(`(?:taglast"?|cmd/taglast|gh attestation) (publish|plan|verify|tags)\b`)
)

// flags are those that a command's source registers.
func flags(t *testing.T, file string, least int) []string {
	t.Helper()
	var out []string
	for _, m := range registered.FindAllStringSubmatch(read(t, filepath.Join(root, "cmd", "taglast", file)), -1) {
		out = append(out, m[1])
	}
	if len(out) < least {
		t.Fatalf("%s: only the flags %q were found", file, out)
	}
	return out
}

// TestFlagsExist looks at every flag behind one of our commands (and behind gh attestation verify, whose flags are ours
// too), and at every one that stands alone.
func TestFlagsExist(t *testing.T) {
	publishes, verifies, prints := flags(t, "publish.go", 15), flags(t, "verify.go", 15), flags(t, "tags.go", 6)
	of := map[string][]string{"publish": publishes, "plan": publishes, "verify": verifies, "tags": prints}
	checked := 0
	for doc, text := range documents(t) {
		for _, code := range codes(text) {
			known := slices.Concat(publishes, verifies, prints)
			if at := command.FindStringSubmatchIndex(code); at != nil {
				known, code = of[code[at[2]:at[3]]], code[at[1]:]
			} else if !strings.HasPrefix(code, "--") {
				continue
			}
			for _, m := range flag.FindAllStringSubmatch(code, -1) {
				checked++
				if !slices.Contains(known, m[1]) {
					t.Errorf("%s: there is no --%s: %s", doc, m[1], code)
				}
			}
		}
	}
	if checked < 50 {
		t.Errorf("only %d flags were found", checked)
	}
	for _, name := range verifies {
		if text := documents(t)["docs/verifying.md"]; !strings.Contains(text, "`--"+name) {
			t.Errorf("docs/verifying.md: nothing of --%s", name)
		}
	}
	for _, name := range prints {
		if !strings.Contains(documents(t)[tagsDoc], "--"+name) && name != "config" { // as -f
			t.Errorf("%s: nothing of --%s", tagsDoc, name)
		}
	}
}

// codes are a document's spans of code and the lines of its blocks, with lines that go on joined.
func codes(text string) []string {
	var out []string
	for _, m := range block.FindAllStringSubmatch(text, -1) {
		out = append(out, strings.Split(strings.ReplaceAll(m[2], "\\\n", " "), "\n")...)
	}
	for line := range strings.SplitSeq(strings.ReplaceAll(block.ReplaceAllString(text, ""), "\\\n", " "), "\n") {
		if strings.HasPrefix(line, "    ") {
			out = append(out, strings.TrimSpace(line))
			continue
		}
		for _, m := range span.FindAllStringSubmatch(line, -1) {
			out = append(out, m[1])
		}
	}
	return out
}

var (
	testName = regexp.MustCompile(`\bTest[A-Z][A-Za-z0-9]*\b`)
	testFunc = regexp.MustCompile(`(?m)^func (Test[A-Z][A-Za-z0-9]*)\(`)
)

func TestTestsThatAreNamedExist(t *testing.T) {
	have := map[string]bool{}
	for _, dir := range []string{"cmd", "internal", "pkg"} {
		err := filepath.WalkDir(filepath.Join(root, dir), func(file string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(file, "_test.go") {
				return err
			}
			for _, m := range testFunc.FindAllStringSubmatch(read(t, file), -1) {
				have[m[1]] = true
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for doc, text := range documents(t) {
		for _, name := range testName.FindAllString(text, -1) {
			if !have[name] && name != "TestRequests" { // a pattern for -run
				t.Errorf("%s: there is no %s", doc, name)
			}
		}
	}
}

var (
	inRun  = regexp.MustCompile(`(?m)^requests of an undisturbed run: (\d+)$`)
	faults = regexp.MustCompile(`(?m)^faults injected: (\d+)$`)
	sent   = regexp.MustCompile(`\[(\d+ requests)\]\([./]*(pkg/publish/testdata/requests-[a-z-]+\.golden)\)(, \d+ of them GETs of manifests)?`)
)

// TestFiguresAreThoseOfTheGoldenFiles holds what the documents count to what the tests counted.
func TestFiguresAreThoseOfTheGoldenFiles(t *testing.T) {
	law := read(t, filepath.Join(root, "pkg", "publish", "testdata", "law.golden"))
	sum := func(re *regexp.Regexp) (n int) {
		for _, m := range re.FindAllStringSubmatch(law, -1) {
			one, err := strconv.Atoi(m[1])
			if err != nil {
				t.Fatal(err)
			}
			n += one
		}
		return n
	}
	want := fmt.Sprintf("%d requests, %d faults, no violation", sum(inRun), sum(faults))
	if strings.Count(law, "violations: 0\n") != strings.Count(law, "violations:") || !strings.Contains(documents(t)["README.md"], want) {
		t.Errorf("README.md does not say: %s", want)
	}
	said := 0
	for doc, text := range documents(t) {
		for _, m := range sent.FindAllStringSubmatch(strings.ReplaceAll(text, "\n", " "), -1) {
			said++
			counted, _, _ := strings.Cut(read(t, filepath.Join(root, m[2])), "\n")
			if counted != m[1]+m[3] && (m[3] != "" || !strings.HasPrefix(counted, m[1]+",")) {
				t.Errorf("%s says %s, and %s says %s", doc, m[1]+m[3], m[2], counted)
			}
		}
	}
	if said < 5 {
		t.Errorf("the requests of a publication are counted %d times", said)
	}
}

var local = regexp.MustCompile("(?m)(?:^|[\\s\"'`(=:])/(?:work|tmp|home|root|Users|var)(?:/|\\b)")

func TestNoDocumentNamesALocalPath(t *testing.T) {
	for doc, text := range documents(t) {
		for _, found := range local.FindAllString(text, -1) {
			t.Errorf("%s: %s", doc, strings.TrimSpace(found))
		}
	}
}
