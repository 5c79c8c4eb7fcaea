package view_test

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"github.com/taglast/taglast/cmd/taglast/view"
	"github.com/taglast/taglast/internal/actions"
	"github.com/taglast/taglast/internal/hint"
	"github.com/taglast/taglast/pkg/publish"
	"github.com/taglast/taglast/pkg/release"
)

// foreign are texts of registries, labels, annotations and file names that would act where they are shown.
var foreign = []string{
	"\x1b[31mred\x1b[0m", "\x1b]0;title\a", "\x1b]8;;https://evil.example\x1b\\click\x1b]8;;\x1b\\", "\r::error::overwritten", "\b\b\b\b",
	"::set-output name=digest::sha256:0", "\n::add-mask::a", "  ::stop-commands::x", "##[error]old syntax", "a\u2028::error::b",
	"\u202egnp.exe", "\u200b", "\x9b31m", "\xff\xfe", "\x00",
	"| cell | cell |", "<img src=x onerror=alert(1)>", "[click](https://evil.example)", "![x](https://evil.example/x.png)", "`code`", "```\n# heading\n```",
	"<!-- ", "</details>", "@everyone", "#1", "https://evil.example", "$x$", "javascript:alert(1)", "1) [x](https://evil.example", "a)b", "\n\n## Published\n",
}

// everywhere puts a text into every field that can hold one.
func everywhere(s string) (*publish.Report, error) {
	r := uv(1)
	r.Version, r.Event = s, s
	for i := range r.Images {
		im := &r.Images[i]
		im.Name, im.Digest, im.MediaType, im.Reason, im.Verify = s, "sha256:"+s, s, s, "gh attestation verify "+s
		im.Repositories = []string{s}
		im.Platforms = []publish.PlatformReport{{Platform: s, Digest: s}}
		im.Attestations[0].ID, im.Attestations[0].URL, im.Attestations[0].Run = s, s, s
		im.Attestations = append(im.Attestations,
			publish.AttestationReport{PredicateType: "https://spdx.dev/Document/v2.3", Subject: s, ID: s, URL: s},
			publish.AttestationReport{PredicateType: "https://spdx.dev/Document/v2.3", Subject: "sha256:" + s, ID: s, URL: s})
		for k := range im.Tags {
			im.Tags[k] = publish.TagReport{Ref: s + ":" + s, Action: []string{"created", "moved", "kept", "failed", "pending", s}[k], Digest: s, Previous: s, Reason: s}
		}
	}
	return r, &publish.Error{Stage: publish.StagePush, Image: s, Ref: s, Err: hint.With(errors.New("push "+s+"\n"+s), s+"\n"+s)}
}

// shownLog is what reaches a terminal or a job's log.
func shownLog(s string) string {
	var b bytes.Buffer
	runner := actions.New(func(string) string { return "" }, &b)
	for _, o := range []publish.Observer{&view.Terminal{W: &b}, &view.Plain{Line: func(l string) { fmt.Fprintln(&b, l) }, Commands: runner}} {
		o.Begin(publish.Header{Version: "1.0.0", Release: s, SHA: s, Ref: s, Repository: s, Workflow: s, Repositories: []string{s}, Platforms: []string{s}})
		o.Warn(s)
		o.Progress(publish.Event{Stage: publish.StagePush, Note: s, Finished: true})
	}
	r, err := everywhere(s)
	for _, outcome := range []publish.Outcome{publish.Published, publish.Partial, publish.Planned} {
		r.Outcome = outcome
		view.Result(&b, r, "out", true)
		view.WriteFailure(&b, r, err)
	}
	r.DryRun = true
	view.Result(&b, r, "out", true)
	view.WriteFailure(&b, nil, &publish.Error{Stage: publish.StagePlan, Usage: true, Err: &release.Error{File: s, Line: 1, Msg: s, Snippet: s, Hint: s}})
	return b.String()
}

// shownSummary is what reaches the job summary.
func shownSummary(s string) string {
	var b strings.Builder
	r, err := everywhere(s)
	for _, outcome := range []publish.Outcome{publish.Published, publish.Failed, publish.Partial} {
		r.Outcome = outcome
		b.WriteString(view.Summary(r, nil) + view.Summary(r, err))
	}
	r.DryRun = true
	b.WriteString(view.Summary(r, nil))
	return b.String()
}

// inertLog says what in a log could act.
func inertLog(log string) error {
	for line := range strings.Lines(log) {
		line = strings.TrimSuffix(line, "\n")
		if i := strings.IndexFunc(line, func(c rune) bool { return !unicode.IsPrint(c) || c == unicode.ReplacementChar }); i >= 0 {
			return fmt.Errorf("a character that is not printable, at byte %d of %q", i, line)
		}
		if strings.HasPrefix(strings.TrimLeft(line, " "), "::") || strings.Contains(line, "##[") {
			return fmt.Errorf("a workflow command: %q", line)
		}
	}
	return nil
}

// The Markdown that the program writes itself.
var (
	spans   = regexp.MustCompile("`[A-Za-z0-9_.:…-]+`|`allow-downgrade: \\[[A-Za-z0-9_., -]+\\]`")
	own     = regexp.MustCompile(`^(## |> \*\*Kept |>$|\*\*every|\| |\|---|<details>|</details>$|What to do:$)`)
	tags    = regexp.MustCompile(`</?(details|summary|code)>`)
	links   = regexp.MustCompile(`\]\((https?://[A-Za-z0-9._:-]+(/[A-Za-z0-9._~-]+)*)\)`)
	escaped = regexp.MustCompile(`&(#[0-9]+|amp|lt|gt);`)
)

// inertSummary says what in a summary is markup that the program did not write: outside of fences, nothing but its own
// headings, tables, spans and links; and no table row with another number of cells than its head.
func inertSummary(text string) error {
	fence, cells := "", 0
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if i := strings.IndexFunc(line, func(c rune) bool { return !unicode.IsPrint(c) || c == unicode.ReplacementChar }); i >= 0 {
			return fmt.Errorf("a character that is not printable: %q", line)
		}
		if marks := line[:len(line)-len(strings.TrimLeft(line, "`"))]; len(marks) >= 3 {
			switch fence {
			case "":
				fence = marks
			case marks:
				if line == marks {
					fence = ""
				}
			}
			continue
		}
		if fence != "" {
			continue
		}
		if !strings.HasPrefix(line, "|") {
			cells = 0
		} else if n := strings.Count(line, "|"); cells != 0 && n != cells {
			return fmt.Errorf("%d cells, the head has %d: %q", n, cells, line)
		} else {
			cells = n
		}
		rest := escaped.ReplaceAllString(tags.ReplaceAllString(links.ReplaceAllString(spans.ReplaceAllString(line, "x"), "]"), "x"), "x")
		rest = strings.ReplaceAll(rest, "**", "")
		if own.MatchString(line) {
			rest = strings.TrimLeft(rest, "#>")
		}
		if strings.ContainsAny(rest, "<>`*@#!$\\") || strings.Contains(rest, "](") || strings.Contains(rest, "://") {
			return fmt.Errorf("markup: %q", line)
		}
	}
	if fence != "" {
		return errors.New("a fence is not closed")
	}
	return nil
}

func TestForeignTextIsInert(t *testing.T) {
	for _, s := range foreign {
		t.Run(fmt.Sprintf("%q", s), func(t *testing.T) {
			if err := inertLog(shownLog(s)); err != nil {
				t.Errorf("log: %v", err)
			}
			if err := inertSummary(shownSummary(s)); err != nil {
				t.Errorf("summary: %v", err)
			}
		})
	}
}

// FuzzForeignText looks for a text that acts.
func FuzzForeignText(f *testing.F) {
	for _, s := range foreign {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if err := inertLog(shownLog(s)); err != nil {
			t.Errorf("log: %v", err)
		}
		if err := inertSummary(shownSummary(s)); err != nil {
			t.Errorf("summary: %v", err)
		}
	})
}
