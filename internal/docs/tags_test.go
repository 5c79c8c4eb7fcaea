package docs

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/taglast/taglast/pkg/tagrule"
)

// The examples of docs/tags.md are run: each table whose header is in tables, row by row, and each console block. The
// rules of a table without a column for them are those of the last block before it that begins with `tags:`; the release
// file of a console block is the last one before it.

const tagsDoc = "docs/tags.md"

// The event of the examples, as the document tells it.
const exampleCommit = "860c1904a1ce19322e91ac35af1ab07466440c37"

var (
	exampleNow  = time.Date(2026, 1, 31, 9, 30, 0, 0, time.UTC)
	exampleMade = time.Date(2026, 1, 30, 22, 15, 0, 0, time.UTC)
)

// ruleSet is a `tags:` block.
type ruleSet struct {
	Tags, Flavor, Fixed, Moving []string
	AllowDowngrade              []string `yaml:"allow-downgrade"`
}

// row is one row of a table by its column, and the rules that hold for it.
type row struct {
	cells map[string]string
	rules ruleSet
}

// tables are what a row of a table with that header must hold to.
var tables = map[string]func(*testing.T, row){
	"event | gives":                                                       checkGives,
	"event | rules | gives":                                               checkGives,
	"event | flavor | gives":                                              checkGives,
	"event | rules | gives | class":                                       checkClass,
	"event | gives | class":                                               checkClass,
	"format | gives":                                                      checkFormat,
	"rule or flavor | docker/metadata-action | taglast":                   checkDifference,
	"the repositories have | this release | moves | keeps":                checkAliases,
	"the repositories have | this release | alias | kept, because":        checkReason,
	"type | gives | attributes, and their defaults | priority | `latest`": checkType,
	"written here | `GITHUB_EVENT_NAME` | `GITHUB_REF`":                   checkEvent,
}

// prose are the tables that nothing evaluates.
var prose = []string{
	"attribute | default | is", "expression | is", "variable | is", "key | takes", "what | docker/metadata-action | taglast",
	"what another run does | when | what this run does",
}

var (
	codeSpan  = regexp.MustCompile("`([^`]+)`")
	separator = regexp.MustCompile(`^\|[-:|]+\|$`)
)

// cells splits a row at the bars that no backslash escapes.
func cells(line string) []string {
	const bar = "\x00"
	fields := strings.Split(strings.Trim(strings.ReplaceAll(line, `\|`, bar), "|"), "|")
	for i, f := range fields {
		fields[i] = strings.TrimSpace(strings.ReplaceAll(f, bar, "|"))
	}
	return fields
}

// spans are the code spans of a cell.
func spans(cell string) []string {
	var out []string
	for _, m := range codeSpan.FindAllStringSubmatch(cell, -1) {
		out = append(out, m[1])
	}
	return out
}

func TestExamplesOfTagRules(t *testing.T) {
	var (
		rules       ruleSet
		header      []string
		inside      string // what a block holds so far; empty outside of blocks
		fence       bool
		lines, seen int
		known       = map[string]int{}
	)
	for n, line := range strings.Split(documents(t)[tagsDoc], "\n") {
		switch {
		case strings.HasPrefix(line, "```"):
			if fence = !fence; !fence && strings.HasPrefix(inside, "tags:") {
				rules = ruleSet{}
				if err := yaml.Unmarshal([]byte(inside), &rules); err != nil {
					t.Errorf("%s: %v", tagsDoc, err)
				}
			}
			inside = ""
			continue
		case fence:
			inside += line + "\n"
			continue
		case !strings.HasPrefix(line, "|"):
			header = nil
			continue
		}
		lines++
		got := cells(line)
		switch name := strings.Join(header, " | "); {
		case header == nil:
			header = got
			name := strings.Join(got, " | ")
			if tables[name] == nil && !slices.Contains(prose, name) {
				t.Errorf("%s:%d: a table that no test knows: %s", tagsDoc, n+1, name)
			}
			seen++
		case separator.MatchString(strings.ReplaceAll(line, " ", "")) || tables[name] == nil:
			seen++
		case len(got) != len(header):
			t.Errorf("%s:%d: %d cells below %d: %s", tagsDoc, n+1, len(got), len(header), line)
		default:
			seen++
			known[name]++
			r := row{cells: map[string]string{}, rules: rules}
			for i, h := range header {
				r.cells[h] = got[i]
			}
			t.Run(strconv.Itoa(n+1), func(t *testing.T) { tables[name](t, r) })
		}
	}
	if lines != seen {
		t.Errorf("%s has %d lines of tables, and %d were looked at", tagsDoc, lines, seen)
	}
	for name := range tables {
		if known[name] == 0 {
			t.Errorf("%s: no row of the table %s", tagsDoc, name)
		}
	}
}

// event reads the notation of the document's first table.
func event(t *testing.T, cell string) tagrule.Event {
	t.Helper()
	e := tagrule.Event{
		SHA: exampleCommit, DefaultBranch: "main", Now: exampleNow,
		CommitDate: func() (time.Time, error) { return exampleMade, nil },
	}
	text := strings.Join(spans(cell), "")
	text, e.Version, _ = strings.Cut(text, ", release-version ")
	for _, kind := range []struct{ before, name, ref, after string }{
		{"tag ", "push", "refs/tags/", ""},
		{"branch ", "push", "refs/heads/", ""},
		{"pull request ", "pull_request", "refs/pull/", "/merge"},
		{"release ", "release", "refs/tags/", ""},
		{"schedule ", "schedule", "refs/heads/", ""},
		{"dispatch ", "workflow_dispatch", "refs/heads/", ""},
	} {
		if rest, ok := strings.CutPrefix(text, kind.before); ok {
			e.Name, e.Ref = kind.name, kind.ref+rest+kind.after
			if kind.name == "pull_request" {
				e.BaseRef = "main"
			}
			return e
		}
	}
	t.Fatalf("%q is no event", cell)
	return e
}

// evaluate takes rules and flavor as the program does.
func evaluate(set ruleSet, e tagrule.Event) (tagrule.Result, error) {
	var rules []tagrule.Rule
	for _, line := range set.Tags {
		r, err := tagrule.Parse(line)
		if err != nil {
			return tagrule.Result{}, err
		}
		rules = append(rules, r)
	}
	flavor, err := tagrule.ParseFlavor(set.Flavor)
	if err != nil {
		return tagrule.Result{}, err
	}
	result, err := tagrule.Evaluate(rules, flavor, e)
	if err != nil {
		return result, err
	}
	result.Tags, err = tagrule.Overrides{Fixed: set.Fixed, Moving: set.Moving}.Apply(result.Tags)
	return result, err
}

// set are the rules and the flavor of a row: its own, or those of the block above.
func (r row) set() ruleSet {
	out := r.rules
	if cell, ok := r.cells["rules"]; ok {
		out = ruleSet{Tags: spans(cell)}
	}
	if cell, ok := r.cells["flavor"]; ok {
		out.Flavor = spans(cell)
	}
	return out
}

var ofRule = regexp.MustCompile("^tag rule `.*?`: ")

// gave is what a cell shall say: tags, nothing and why, or an error.
func gave(result tagrule.Result, err error, reason bool) string {
	switch {
	case err != nil:
		return "error: " + ofRule.ReplaceAllString(err.Error(), "")
	case len(result.Tags) == 0 && reason:
		return "nothing: " + result.Skipped()[0].Reason
	case len(result.Tags) == 0:
		return "nothing"
	}
	return "`" + strings.Join(texts(result.Tags), "` `") + "`"
}

func texts(tags []tagrule.Tag) []string {
	var out []string
	for _, tag := range tags {
		out = append(out, tag.Text)
	}
	return out
}

func checkGives(t *testing.T, r row) {
	want := r.cells["gives"]
	result, err := evaluate(r.set(), event(t, r.cells["event"]))
	if got := gave(result, err, strings.Contains(want, ":")); got != want {
		t.Errorf("%v: it gives\n%s\nand the document says\n%s", r.cells, got, want)
	}
}

func checkClass(t *testing.T, r row) {
	checkGives(t, r)
	result, err := evaluate(r.set(), event(t, r.cells["event"]))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, tag := range result.Tags {
		got = append(got, string(tag.Class))
	}
	if want := strings.Fields(r.cells["class"]); !slices.Equal(got, want) {
		t.Errorf("%v: the classes are %v", r.cells, got)
	}
}

func checkFormat(t *testing.T, r row) {
	format := strings.Join(spans(r.cells["format"]), "")
	result, err := evaluate(ruleSet{Tags: []string{`"value={{date ` + strings.ReplaceAll(format, `"`, `""`) + `}}"`}}, event(t, "`branch main`"))
	if got := gave(result, err, false); got != r.cells["gives"] {
		t.Errorf("%s gives %s, and the document says %s", format, got, r.cells["gives"])
	}
}

// checkDifference evaluates what we make of a rule, or of a flavor beside one.
func checkDifference(t *testing.T, r row) {
	cell := r.cells["rule or flavor"]
	set := ruleSet{Tags: spans(cell)}
	if strings.HasPrefix(cell, "flavor ") {
		set = ruleSet{Tags: []string{"x"}, Flavor: spans(cell)}
	}
	result, err := evaluate(set, event(t, "`tag v1.2.3`"))
	if got := gave(result, err, false); got != r.cells["taglast"] {
		t.Errorf("%s gives\n%s\nand the document says\n%s", cell, got, r.cells["taglast"])
	}
}

// aliases decides the moving tags of a row.
func aliases(t *testing.T, r row) (tagrule.Result, map[string]tagrule.Alias) {
	t.Helper()
	result, err := evaluate(r.set(), event(t, "`tag "+strings.Join(spans(r.cells["this release"]), "")+"`"))
	if err != nil {
		t.Fatal(err)
	}
	if !result.Versioned() {
		t.Fatalf("%v gives no version", r.rules.Tags)
	}
	return result, result.Aliases(spans(r.cells["the repositories have"]), r.rules.AllowDowngrade)
}

func checkAliases(t *testing.T, r row) {
	result, decided := aliases(t, r)
	var moves, keeps []string
	for _, tag := range result.Tags {
		a, ok := decided[tag.Text]
		switch {
		case !ok:
		case a.Keep:
			keeps = append(keeps, tag.Text)
		default:
			moves = append(moves, tag.Text)
		}
	}
	for column, got := range map[string][]string{"moves": moves, "keeps": keeps} {
		if want := spans(r.cells[column]); !slices.Equal(got, want) {
			t.Errorf("%v: it %s %v", r.cells, column, got)
		}
	}
}

func checkReason(t *testing.T, r row) {
	_, decided := aliases(t, r)
	if got := decided[strings.Join(spans(r.cells["alias"]), "")].Reason(); got != r.cells["kept, because"] {
		t.Errorf("%v: kept, because %s", r.cells, got)
	}
}

func checkEvent(t *testing.T, r row) {
	e := event(t, r.cells["written here"])
	if e.Name != strings.Join(spans(r.cells["`GITHUB_EVENT_NAME`"]), "") || e.Ref != strings.Join(spans(r.cells["`GITHUB_REF`"]), "") {
		t.Errorf("%v is %s of %s", r.cells, e.Name, e.Ref)
	}
}

// samples are, for each type, a rule without attributes that have defaults, and an event on which it gives a tag.
var samples = map[string]struct{ rule, event string }{
	"schedule": {"type=schedule", "`schedule main`"},
	"semver":   {"type=semver,pattern={{version}}", "`tag v1.2.3`"},
	"pep440":   {"type=pep440,pattern={{version}}", "`tag v1.2.3`"},
	"match":    {"type=match,pattern=.*", "`tag v1.2.3`"},
	"edge":     {"type=edge", "`branch main`"},
	"ref":      {"type=ref,event=tag", "`tag v1.2.3`"},
	"raw":      {"type=raw,value=x", "`tag v1.2.3`"},
	"sha":      {"type=sha", "`tag v1.2.3`"},
}

// checkType holds a row of the table of types to the parser: its attributes, its priority, whether it makes latest.
func checkType(t *testing.T, r row) {
	name := strings.Join(spans(r.cells["type"]), "")
	sample, ok := samples[name]
	if !ok {
		t.Fatalf("there is no type %s", name)
	}
	var attributes []string
	for item := range strings.SplitSeq(r.cells["attributes, and their defaults"], "; ") {
		attributes = append(attributes, spans(item)[0])
	}
	_, err := tagrule.Parse(sample.rule + ",xyzzyxyzzy=1")
	if err == nil {
		t.Fatal("an unknown attribute was taken")
	}
	_, takes, _ := strings.Cut(err.Error(), " takes ")
	known := slices.DeleteFunc(strings.Split(takes, ", "), func(a string) bool {
		return slices.Contains([]string{"enable", "prefix", "priority", "suffix", "type"}, a)
	})
	if slices.Sort(attributes); !slices.Equal(attributes, known) {
		t.Errorf("type=%s takes %v, and the document says %v", name, known, attributes)
	}
	priority, err := strconv.Atoi(r.cells["priority"])
	if err != nil {
		t.Fatal(err)
	}
	result, err := evaluate(ruleSet{
		Tags:   []string{"below,priority=" + strconv.Itoa(priority-1), sample.rule, "above,priority=" + strconv.Itoa(priority+1)},
		Flavor: []string{"latest=false"},
	}, event(t, sample.event))
	if err != nil {
		t.Fatal(err)
	}
	if got := texts(result.Tags); len(got) != 3 || got[0] != "above" || got[2] != "below" {
		t.Errorf("type=%s is not of priority %d: %v", name, priority, got)
	}
	result, err = evaluate(ruleSet{Tags: []string{sample.rule}}, event(t, sample.event))
	if latest := slices.Contains(texts(result.Tags), "latest"); err != nil || latest == strings.HasPrefix(r.cells["`latest`"], "no") {
		t.Errorf("type=%s: latest is %t, %v; the document says %s", name, latest, err, r.cells["`latest`"])
	}
}

// TestEveryTypeAndExpressionIsDocumented asks the parser which there are.
func TestEveryTypeAndExpressionIsDocumented(t *testing.T) {
	text := documents(t)[tagsDoc]
	_, err := tagrule.Parse("type=xyzzyxyzzy")
	_, types, _ := strings.Cut(err.Error(), "it is one of ")
	if got := slices.Sorted(strings.SplitSeq(types, ", ")); !slices.Equal(got, slices.Sorted(maps.Keys(samples))) {
		t.Errorf("the types are %v", got)
	}
	for name := range samples {
		if !strings.Contains(text, "| `"+name+"` |") {
			t.Errorf("%s: no row for type=%s", tagsDoc, name)
		}
	}
	expressions := 0
	for _, rule := range []string{"{{xyzzyxyzzy}}", "type=semver,pattern={{xyzzyxyzzy}}", "type=pep440,pattern={{xyzzyxyzzy}}", "type=schedule,pattern={{xyzzyxyzzy}}"} {
		_, err := tagrule.Parse(rule)
		_, takes, ok := strings.Cut(err.Error(), " takes ")
		if !ok {
			t.Fatal(err)
		}
		for x := range strings.SplitSeq(takes, ", ") {
			expressions++
			if !strings.Contains(text, strings.TrimSuffix(x, "}}")) {
				t.Errorf("%s: nothing of %s", tagsDoc, x)
			}
		}
	}
	if expressions < 20 {
		t.Errorf("only %d expressions were found", expressions)
	}
}

var counted = regexp.MustCompile(`\[(\d+) \w+\]\(\.\./(pkg/tagrule/(?:internal/js/)?testdata/\w+\.json)\)`)

// TestCasesAreAsManyAsIsSaid counts what the document says holds us to the original.
func TestCasesAreAsManyAsIsSaid(t *testing.T) {
	said := counted.FindAllStringSubmatch(documents(t)[tagsDoc], -1)
	for _, m := range said {
		var all []json.RawMessage
		if err := json.Unmarshal([]byte(read(t, filepath.Join(root, m[2]))), &all); err != nil {
			t.Fatal(err)
		}
		if m[1] != strconv.Itoa(len(all)) {
			t.Errorf("%s: %s has %d, not %s", tagsDoc, m[2], len(all), m[1])
		}
	}
	if len(said) != 2 {
		t.Errorf("%s counts %v", tagsDoc, said)
	}
}

var took = regexp.MustCompile(`Took [0-9.]+m?s`)

// TestConsoleExamplesOfTagRules runs the commands of the console blocks in the real program. What follows a command is
// what it prints on stdout, or where it fails on stderr.
func TestConsoleExamplesOfTagRules(t *testing.T) {
	bin := t.TempDir()
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", bin+string(filepath.Separator), "../../cmd/taglast").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	dir := t.TempDir()
	ran, commands := 0, 0
	for _, m := range block.FindAllStringSubmatch(documents(t)[tagsDoc], -1) {
		switch {
		case m[1] == "yaml" && strings.Contains("\n"+m[2], "\nimages:"):
			if err := os.WriteFile(filepath.Join(dir, "taglast.yaml"), []byte(m[2]), 0o600); err != nil {
				t.Fatal(err)
			}
		case m[1] == "console":
			commands += strings.Count("\n"+m[2], "\n$ ")
			for example := range strings.SplitSeq(strings.TrimPrefix(m[2], "$ "), "\n$ ") {
				line, want := cut(example)
				got := shell(t, filepath.Join(bin, "taglast"), dir, line)
				if ran++; took.ReplaceAllString(got, "Took 0.0s") != took.ReplaceAllString(want, "Took 0.0s") {
					t.Errorf("$ %s\ngives\n%s\nand the document says\n%s", line, got, want)
				}
			}
		}
	}
	if ran != commands || ran < 5 {
		t.Errorf("%d of %d commands were run", ran, commands)
	}
}

// cut splits an example into its command, with lines that go on joined, and what it prints.
func cut(example string) (line, want string) {
	line, want, _ = strings.Cut(strings.ReplaceAll(example, "\\\n", " "), "\n")
	return line, strings.Trim(want, "\n")
}

// shell runs a line of assignments, the program's name and arguments.
func shell(t *testing.T, program, dir, line string) string {
	t.Helper()
	env := []string{"GITHUB_SHA=" + exampleCommit, "TAGLAST_NOW=" + exampleNow.Format(time.RFC3339), "HOME=" + dir, "PATH=" + os.Getenv("PATH")}
	args := words(line)
	for len(args) > 0 && args[0] != "taglast" {
		env, args = append(env, args[0]), args[1:]
	}
	if len(args) == 0 {
		t.Fatalf("no command: %s", line)
	}
	cmd := exec.CommandContext(t.Context(), program, args[1:]...)
	var out, failed bytes.Buffer
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = dir, env, &out, &failed
	err := cmd.Run()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		return strings.Trim(failed.String(), "\n")
	}
	if err != nil {
		t.Fatal(err)
	}
	return strings.Trim(out.String(), "\n")
}

// words splits a line as a shell does, with quotes of both kinds and nothing else.
func words(line string) []string {
	var out []string
	var word strings.Builder
	quote, begun := rune(0), false
	for _, c := range line + " " {
		switch {
		case quote != 0 && c == quote:
			quote = 0
		case quote == 0 && (c == '\'' || c == '"'):
			quote, begun = c, true
		case quote == 0 && c == ' ':
			if begun {
				out = append(out, word.String())
				word.Reset()
				begun = false
			}
		default:
			begun = true
			word.WriteRune(c)
		}
	}
	return out
}
