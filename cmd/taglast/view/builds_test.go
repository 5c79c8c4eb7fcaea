package view_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/taglast/taglast/cmd/taglast/view"
	"github.com/taglast/taglast/internal/actions"
	"github.com/taglast/taglast/internal/testkit/golden"
	"github.com/taglast/taglast/pkg/publish"
)

// buildThree plays three builders, of which two run at the same time, between the events of their stage.
func buildThree(o publish.Observer) {
	o.Progress(publish.Event{Stage: publish.StageBuild, Total: 3})
	app, cli := o.BuildOutput("app"), o.BuildOutput("cli")
	write := func(w interface{ Write([]byte) (int, error) }, text string) { fmt.Fprint(w, text) }
	write(app, "#1 transferring Dockerfile\n#2 RUN ma")
	write(cli, "#1 cli begins\n")
	o.Progress(publish.Event{Stage: publish.StageBuild, Total: 3, Note: "not shown"})
	write(app, "ke\n::error::of a RUN\n##[group]of a RUN \x1b[31mred\r\n")
	write(cli, "#2 cli goes on\n#3 without an end")
	_ = cli.Close()
	write(app, "#3 done\n")
	_ = app.Close()
	_ = app.Close()
	o.Progress(publish.Event{Stage: publish.StageBuild, Done: 2, Total: 3})
	web := o.BuildOutput("web")
	write(web, "#1 alone\n"+strings.Repeat("x", 40<<10))
	_ = web.Close()
	o.Progress(publish.Event{Stage: publish.StageBuild, Done: 3, Total: 3, Note: "3 manifests", Finished: true})
}

func shorten(s string) string { return strings.ReplaceAll(s, strings.Repeat("x", 1<<10), "(1 KiB)") }

func TestBuildersInActions(t *testing.T) {
	var b bytes.Buffer
	runner := actions.New(func(key string) string { return map[string]string{"GITHUB_ACTIONS": "true"}[key] }, &b)
	buildThree(&view.Plain{Line: func(s string) { fmt.Fprintln(&b, s) }, Commands: runner})
	golden.Compare(t, "testdata/actions-builds.golden", shorten(b.String()))
}

func TestBuildersWhereNobodyHasATerminal(t *testing.T) {
	var b bytes.Buffer
	buildThree(&view.Terminal{W: &b})
	golden.Compare(t, "testdata/plain-builds.golden", shorten(b.String()))
}

// TestABuilderDrawsOnTheTerminal: one at a time, and what taglast has to say meanwhile comes afterwards.
func TestABuilderDrawsOnTheTerminal(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "terminal"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	terminal := &view.Terminal{W: f, Bar: true}
	first, second := terminal.BuildOutput("app"), terminal.BuildOutput("cli")
	if first == nil || second != nil {
		t.Fatalf("two builders draw at the same time: %v, %v", first, second)
	}
	if own, ok := first.(publish.Terminal); !ok || own.Terminal() != f {
		t.Error("the first does not draw on the terminal")
	}
	terminal.Progress(publish.Event{Stage: publish.StageBuild, Done: 1, Total: 2})
	terminal.Warn("of taglast")
	fmt.Fprintln(f, "bars")
	_ = first.Close()
	_ = first.Close()
	if third := terminal.BuildOutput("web"); third == nil {
		t.Error("the terminal was not given back")
	}
	got, err := os.ReadFile(f.Name())
	if err != nil || string(got) != "bars\nwarning: of taglast\n" {
		t.Errorf("%q, %v", got, err)
	}
}

// TestABuilderWritesLinesWhereTheResultIsADocument, on a terminal too.
func TestABuilderWritesLinesWhereTheResultIsADocument(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "terminal"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	out := (&view.Terminal{W: f, Bar: true, Lines: true}).BuildOutput("app")
	if _, ok := out.(publish.Terminal); ok {
		t.Error("it draws on the terminal")
	}
	fmt.Fprintln(out, "#1 a line")
	_ = out.Close()
	if got, err := os.ReadFile(f.Name()); err != nil || !strings.Contains(string(got), "  #1 a line\n") {
		t.Errorf("%q, %v", got, err)
	}
}

// TestALongBuildThatWaitsIsCut: the last lines of what was held are those that count.
func TestALongBuildThatWaitsIsCut(t *testing.T) {
	var b bytes.Buffer
	terminal := &view.Terminal{W: &b}
	first, second := terminal.BuildOutput("app"), terminal.BuildOutput("cli")
	for n := range 6000 {
		fmt.Fprintf(second, "line %d\n", n)
	}
	if strings.Contains(b.String(), "line") {
		t.Error("two are shown at the same time")
	}
	_, _ = first.Close(), second.Close()
	if got := b.String(); !strings.Contains(got, "… 1000 lines left out\n  line 1000\n") || !strings.HasSuffix(got, "line 5999\n") {
		t.Errorf("%.300s", got)
	}
}
