package view

import (
	"fmt"
	"slices"
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
	switch s := r.Count(); {
	case err != nil && r.Outcome == publish.Partial:
		partialTable(&b, r)
	case err == nil && s.Total > 0:
		repositoryTable(&b, r)
	}
	if err == nil {
		for _, im := range r.Images {
			if im.Verify != "" && !r.DryRun {
				codeBlock(&b, "sh", escape.Text(im.Verify))
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
		return fmt.Sprintf("Published %s in part: %d of %d tags are written", what, s.Right(), s.Wanted())
	}
	return "Published " + what
}

func summaryLine(r *publish.Report) string {
	s := r.Count()
	parts := []string{plural(len(r.Images), "image")}
	if n := len(r.Images[0].Platforms); n > 0 {
		parts = append(parts, plural(n, "platform"))
	}
	if r.DryRun {
		parts = append(parts, plural(s.Total, "tag"))
	} else if n := s.Right(); n > 0 { // what a tag that is kept names, nobody has looked at
		parts = append(parts, plural(n, "tag"), "**every one attested before it was tagged**")
	}
	return strings.Join(append(parts, Duration(r.Took.Elapsed)), " · ")
}

func failureSummary(b *strings.Builder, r *publish.Report, err error) {
	title, detail, hintText := Failure(nil, err)
	title = strings.TrimPrefix(strings.TrimPrefix(title, "no tag was changed. "), "nothing was sent. ")
	fmt.Fprintf(b, "## %s\n\n", failureTitle(r))
	if stage, rest, ok := strings.Cut(title, ": "); ok && !strings.ContainsAny(stage, " /.") {
		fmt.Fprintf(b, "**%s** %s\n\n", escape.Markdown(stage), escape.Markdown(rest))
	} else {
		fmt.Fprintf(b, "%s\n\n", escape.Markdown(title))
	}
	codeBlock(b, "text", detail)
	if hintText != "" {
		b.WriteString("What to do:\n\n")
		codeBlock(b, "text", hintText)
	}
}

// failureTitle says what became of the tags.
func failureTitle(r *publish.Report) string {
	if r == nil || r.Outcome != publish.Partial {
		return "Not published: no tag was changed"
	}
	s := r.Count()
	title := fmt.Sprintf("Stopped half-way: %d of %d tags are written", s.Right(), s.Wanted())
	if s.Failed == 0 {
		title += ", every written tag is right"
	}
	return title
}

// codeBlock shows text as it is: no line of it can close the fence.
func codeBlock(b *strings.Builder, language, text string) {
	if text == "" {
		return
	}
	marks := "```"
	for strings.Contains(text, marks) {
		marks += "`"
	}
	fmt.Fprintf(b, "%s%s\n%s\n%s\n\n", marks, language, text, marks)
}

// keptLines stand first, because that is what a person must see: the tags that stay where they are for one reason, in which
// repositories, and how to force them.
func keptLines(b *strings.Builder, r *publish.Report) {
	type group struct {
		reason       string
		tags, places []string
		alreadyNamed bool
	}
	var groups []*group
	for _, im := range r.Images {
		for _, t := range im.Tags {
			if t.Action != "kept" {
				continue
			}
			alreadyNamed := im.Digest != "" && t.Digest == im.Digest // an earlier run of this release was overtaken: no force helps
			i := slices.IndexFunc(groups, func(g *group) bool { return g.reason == t.Reason })
			if i < 0 {
				i, groups = len(groups), append(groups, &group{reason: t.Reason, alreadyNamed: alreadyNamed})
			}
			groups[i].tags = appendNew(groups[i].tags, tagOf(t.Ref))
			groups[i].places = appendNew(groups[i].places, repositoryOf(t.Ref))
		}
	}
	var lines []string
	for _, g := range groups {
		var quoted []string
		for _, tag := range g.tags {
			quoted = append(quoted, codeSpan(tag))
		}
		line := fmt.Sprintf("> **Kept %s** in %s: %s", strings.Join(quoted, ", "), places(r, g.places), escape.Markdown(g.reason))
		if !g.alreadyNamed {
			line += ". To force it: " + keyValue("allow-downgrade", g.tags)
		}
		lines = append(lines, line+"\n")
	}
	if len(lines) > 0 {
		b.WriteString(strings.Join(lines, ">\n") + "\n")
	}
}

// keyValue is a key of the release file with tags as its value, as a code span.
func keyValue(key string, tags []string) string {
	text := key + ": [" + strings.Join(tags, ", ") + "]"
	if slices.ContainsFunc(tags, func(t string) bool { return !plainCode.MatchString(t) }) {
		return codeSpan(text)
	}
	return "`" + text + "`"
}

// places are repositories by name, or all of a release's by number.
func places(r *publish.Report, some []string) string {
	switch {
	case len(some) == 2 && len(repositories(r)) == 2:
		return "both repositories"
	case len(some) > 1 && len(some) == len(repositories(r)):
		return fmt.Sprintf("all %d repositories", len(some))
	default:
		return escape.Markdown(strings.Join(some, ", "))
	}
}

func appendNew(list []string, s string) []string {
	if slices.Contains(list, s) {
		return list
	}
	return append(list, s)
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

func imageLine(b *strings.Builder, im publish.ImageReport, hypothetical, first bool) {
	name := escape.Markdown(im.Name)
	if first {
		name = "**" + name + "**"
	}
	var tags []string
	for _, g := range tagGroups(im, hypothetical) {
		var quoted []string
		for _, t := range g.tags {
			quoted = append(quoted, codeSpan(t))
		}
		tags = append(tags, strings.Join(quoted, " ")+" "+escape.Markdown(g.outcome))
	}
	if len(tags) == 0 {
		tags = []string{escape.Markdown(or(im.Reason, "by digest alone"))}
	}
	digest := ""
	if im.Digest != "" {
		digest = codeSpan("sha256:" + short(im.Digest) + "…")
	}
	fmt.Fprintf(b, "| %s | %s | %s | %s | %s |\n", name, digest, escape.Markdown(platforms(im, ", ")), strings.Join(tags, " · "), attestationCell(im, hypothetical))
}
