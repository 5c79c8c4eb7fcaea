package view

import (
	"fmt"
	"strings"

	"github.com/taglast/taglast/internal/escape"
	"github.com/taglast/taglast/pkg/publish"
)

// Summary is a run's job summary, in Markdown: on success, on failure and when dry.
func Summary(r *publish.Report, err error) string {
	var b strings.Builder
	if err != nil {
		failureSummary(&b, r, err)
	}
	if r == nil || len(r.Images) == 0 {
		return b.String()
	}
	if err == nil {
		fmt.Fprintf(&b, "## %s\n\n%s\n\n", summaryTitle(r), summaryLine(r))
	}
	keptLines(&b, r)
	if s := r.Count(); s.Total > 0 && (err == nil || s.Written() > 0) {
		repositoryTable(&b, r)
	}
	if err == nil {
		for _, im := range r.Images {
			if im.Verify != "" && !r.DryRun {
				fmt.Fprintf(&b, "```sh\n%s\n```\n\n", escape.Text(im.Verify))
				break
			}
		}
		imageTable(&b, r)
	}
	return b.String()
}

func summaryTitle(r *publish.Report) string {
	what := escape.Markdown(r.Images[0].Name)
	if r.Version != "" {
		what += " " + escape.Markdown(r.Version)
	}
	if r.DryRun {
		return "Rehearsed " + what + ", nothing written"
	}
	if r.Outcome == publish.Partial {
		s := r.Count()
		return fmt.Sprintf("Published %s in part: %d of %d tags are written", what, s.Written()+s.Unchanged, s.Total)
	}
	return "Published " + what
}

func summaryLine(r *publish.Report) string {
	s := r.Count()
	parts := []string{plural(len(r.Images), "image")}
	if n := len(r.Images[0].Platforms); n > 0 {
		parts = append(parts, plural(n, "platform"))
	}
	parts = append(parts, plural(s.Total, "tag"))
	if !r.DryRun {
		parts = append(parts, "**every one attested before it was tagged**")
	}
	return strings.Join(append(parts, Duration(r.Took.Elapsed)), " · ")
}

func failureSummary(b *strings.Builder, r *publish.Report, err error) {
	title, detail, hinted := Failure(nil, err)
	title = strings.TrimPrefix(strings.TrimPrefix(title, "no tag was changed. "), "nothing was sent. ")
	head := "Not published: no tag was changed"
	if r != nil && r.Outcome == publish.Partial {
		s := r.Count()
		head = fmt.Sprintf("Stopped half-way: %d of %d tags are written", s.Written()+s.Unchanged, s.Total)
	}
	fmt.Fprintf(b, "## %s\n\n", head)
	if stage, rest, ok := strings.Cut(title, ": "); ok && !strings.ContainsAny(stage, " /.") {
		fmt.Fprintf(b, "**%s** %s\n", escape.Markdown(stage), escape.Markdown(rest))
	} else {
		fmt.Fprintf(b, "%s\n", escape.Markdown(title))
	}
	fence(b, detail)
	if hinted != "" {
		b.WriteString("\nWhat to do:\n")
		fence(b, hinted)
	}
	b.WriteString("\n")
}

// fence shows text as it is: no line of it can close the fence.
func fence(b *strings.Builder, text string) {
	if text == "" {
		return
	}
	marks := "```"
	for strings.Contains(text, marks) {
		marks += "`"
	}
	fmt.Fprintf(b, "\n%s text\n%s\n%s\n", marks, text, marks)
}

// keptLines stand first, because that is what a person must see.
func keptLines(b *strings.Builder, r *publish.Report) {
	for _, im := range r.Images {
		for _, t := range im.Tags {
			if t.Action == "kept" {
				fmt.Fprintf(b, "> **Kept `%s`**: %s\n", tagOf(t.Ref), escape.Markdown(t.Reason))
			}
		}
	}
}

func repositoryTable(b *strings.Builder, r *publish.Report) {
	b.WriteString("| repository | created | moved | unchanged | kept | pending |\n|---|--:|--:|--:|--:|--:|\n")
	for _, repo := range repositories(r) {
		n := make(map[string]int)
		for _, im := range r.Images {
			for _, t := range im.Tags {
				if repositoryOf(t.Ref) == repo {
					n[t.Action]++
				}
			}
		}
		fmt.Fprintf(b, "| %s | %d | %d | %d | %d | %d |\n", escape.Markdown(repo), n["created"], n["moved"], n["unchanged"], n["kept"], n["pending"]+n["failed"])
	}
	b.WriteString("\n")
}

// imageTable is the first image, and the others folded.
func imageTable(b *strings.Builder, r *publish.Report) {
	const head = "| image | digest | platforms | tags | attestation |\n|---|---|---|---|---|\n"
	b.WriteString(head)
	imageLine(b, r.Images[0], r.DryRun, true)
	if rest := r.Images[1:]; len(rest) > 0 {
		fmt.Fprintf(b, "\n<details><summary>%s</summary>\n\n%s", plural(len(rest), "more image"), head)
		for _, im := range rest {
			imageLine(b, im, r.DryRun, false)
		}
		b.WriteString("\n</details>\n")
	}
}

func imageLine(b *strings.Builder, im publish.ImageReport, would, face bool) {
	name := escape.Markdown(im.Name)
	if face {
		name = "**" + name + "**"
	}
	var tags []string
	for _, g := range groups(im, would) {
		var quoted []string
		for _, t := range g.tags {
			quoted = append(quoted, "`"+t+"`")
		}
		tags = append(tags, strings.Join(quoted, " ")+" "+escape.Markdown(g.word))
	}
	if len(tags) == 0 {
		tags = []string{escape.Markdown(or(im.Reason, "by digest alone"))}
	}
	digest := ""
	if im.Digest != "" {
		digest = "`sha256:" + short(im.Digest) + "…`"
	}
	fmt.Fprintf(b, "| %s | %s | %s | %s | %s |\n", name, digest, escape.Markdown(platforms(im, ", ")), strings.Join(tags, " · "), attestationCell(im))
}

func attestationCell(im publish.ImageReport) string {
	var out []string
	for _, a := range im.Attestations {
		if a.URL != "" {
			out = append(out, fmt.Sprintf("[%s](%s)", escape.Markdown(a.ID), escape.Text(a.URL)))
		}
		if a.LogIndex != nil {
			out = append(out, fmt.Sprintf("log %d", *a.LogIndex))
		}
		if a.Reused {
			out = append(out, "reused")
		}
	}
	return strings.Join(out, " · ")
}
