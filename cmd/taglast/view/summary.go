package view

import (
	"fmt"
	"slices"
	"strings"

	"github.com/taglast/taglast/internal/escape"
	"github.com/taglast/taglast/pkg/publish"
)

// Summary is a run's job summary, in Markdown: on success, on failure and when dry. It is under 1 MiB, whatever the run
// has, and says where the rest is: in report.json, or of an error in the log.
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
	title = escape.Bounded(title, maxTitle)
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

// codeBlock shows text as it is, but for what is beyond all reading: no line of it can close the fence.
func codeBlock(b *strings.Builder, language, text string) {
	if text == "" {
		return
	}
	if len(text) > maxBlock {
		text = strings.ToValidUTF8(text[:maxBlock], "") + "\n… " + inLog
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
	var groups []*keptGroup
	for _, im := range r.Images {
		for _, t := range im.Tags {
			if t.Action != "kept" {
				continue
			}
			alreadyNamed := im.Digest != "" && t.Digest == im.Digest
			i := slices.IndexFunc(groups, func(g *keptGroup) bool { return g.reason == t.Reason })
			if i < 0 {
				i, groups = len(groups), append(groups, &keptGroup{reason: t.Reason, alreadyNamed: alreadyNamed})
			}
			groups[i].tags = appendNew(groups[i].tags, tagOf(t.Ref))
			groups[i].places = appendNew(groups[i].places, repositoryOf(t.Ref))
		}
	}
	var lines []string
	size := 0
	for i, g := range groups {
		line := g.line(r)
		if size += len(line); size > maxKept {
			lines = append(lines, fmt.Sprintf("> … %s more for other reasons; %s\n", plural(len(groups)-i, "group"), inReport))
			break
		}
		lines = append(lines, line)
	}
	if len(lines) > 0 {
		b.WriteString(strings.Join(lines, ">\n") + "\n")
	}
}

// keptGroup are tags that stay where they are for one reason.
type keptGroup struct {
	reason       string
	tags, places []string
	alreadyNamed bool // an earlier run of this release was overtaken: no force helps
}

func (g *keptGroup) line(r *publish.Report) string {
	var quoted []string
	for _, tag := range g.tags {
		quoted = append(quoted, codeSpan(tag))
	}
	tags, force := strings.Join(quoted, ", "), ". To force it: "+keyValue("allow-downgrade", g.tags)
	if len(tags) > maxRow {
		tags, force = plural(len(g.tags), "tag"), ""
	}
	if g.alreadyNamed {
		force = ""
	}
	return fmt.Sprintf("> **Kept %s** in %s: %s%s\n", tags, places(r, g.places), escape.Markdown(escape.Bounded(g.reason, maxTitle)), force)
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
	case len(some) > maxPlaces:
		return fmt.Sprintf("%d repositories", len(some))
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

// imageTable is the first image, and the others folded. It ends where the summary would be too long.
func imageTable(b *strings.Builder, r *publish.Report) {
	const head = "| image | digest | platforms | tags | attestation |\n|---|---|---|---|---|\n"
	b.WriteString(head)
	b.WriteString(imageLine(r.Images[0], r.DryRun, true))
	rest := r.Images[1:]
	if len(rest) == 0 {
		return
	}
	fmt.Fprintf(b, "\n<details><summary>%s</summary>\n\n%s", plural(len(rest), "more image"), head)
	omitted := 0
	for i, im := range rest {
		line := imageLine(im, r.DryRun, false)
		if b.Len()+len(line) > maxTables {
			omitted = len(rest) - i
			break
		}
		b.WriteString(line)
	}
	b.WriteString("\n</details>\n")
	if omitted > 0 {
		fmt.Fprintf(b, "\n… %s; %s\n", plural(omitted, "more image"), inReport)
	}
}

// imageLine is a row of the table. Tags that are too many to be read are counted.
func imageLine(im publish.ImageReport, hypothetical, first bool) string {
	name := escape.Markdown(im.Name)
	if first {
		name = "**" + name + "**"
	}
	var groups []string
	for _, g := range tagGroups(im, hypothetical) {
		var quoted []string
		for _, t := range g.tags {
			quoted = append(quoted, codeSpan(t))
		}
		groups = append(groups, strings.Join(quoted, " ")+" "+escape.Markdown(g.outcome))
	}
	if len(groups) == 0 {
		groups = []string{escape.Markdown(or(im.Reason, "by digest alone"))}
	}
	tags := strings.Join(groups, " · ")
	if len(tags) > maxRow {
		tags = plural(len(im.Tags), "tag") + "; " + inReport
	}
	digest := ""
	if im.Digest != "" {
		digest = codeSpan("sha256:" + short(im.Digest) + "…")
	}
	cells := []string{name, digest, escape.Markdown(platforms(im, ", ")), tags, attestationCell(im, hypothetical)}
	for i, cell := range cells {
		if len(cell) > maxRow {
			cells[i] = inReport
		}
	}
	return "| " + strings.Join(cells, " | ") + " |\n"
}
