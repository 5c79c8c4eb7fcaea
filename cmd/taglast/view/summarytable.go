package view

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/taglast/taglast/internal/escape"
	"github.com/taglast/taglast/pkg/publish"
)

// The runner drops a summary of more than 1 MiB whole. These bounds keep each part of it far below, and all together: no
// release that people read comes near them.
const (
	maxTitle  = 4 << 10
	maxBlock  = 64 << 10 // a block of text as it is
	maxKept   = 128 << 10
	maxRow    = 64 << 10  // a cell of a table, or the tags of a line
	maxTables = 768 << 10 // all, up to the end of the last table's rows
	maxPlaces = 32        // repositories by name
)

// Where what does not fit stands.
const (
	inReport = "see report.json"
	inLog    = "the rest is in the log"
)

// repositoryTable counts what became of the tags of each repository, or what would.
func repositoryTable(b *strings.Builder, r *publish.Report) {
	columns := []string{"created", "moved", "unchanged", "kept"}
	titles := columns
	if r.DryRun || r.Outcome == publish.Planned {
		titles = []string{"would create", "would move", "unchanged", "would keep"}
	}
	if r.Count().Pending > 0 {
		columns, titles = append(columns, "pending"), append(titles, "pending")
	}
	fmt.Fprintf(b, "| repository | %s |\n|---|%s\n", strings.Join(titles, " | "), strings.Repeat("--:|", len(titles)))
	all := repositories(r)
	for i, repo := range all {
		if b.Len() > maxTables/2 {
			fmt.Fprintf(b, "| … %s |\n", moreRepositories(len(all)-i))
			break
		}
		n := make(map[string]int)
		for _, t := range tagsIn(r, repo) {
			n[t.Action]++
		}
		fmt.Fprintf(b, "| %s |", escape.Markdown(repo))
		for _, c := range columns {
			fmt.Fprintf(b, " %d |", n[c])
		}
		b.WriteString("\n")
	}
	b.WriteString("\n")
}

// moreRepositories is the last row of a table that has too many.
func moreRepositories(n int) string {
	if n == 1 {
		return "1 more repository; " + inReport
	}
	return fmt.Sprintf("%d more repositories; %s", n, inReport)
}

// partialTable says of each repository how many tags are written and which are not.
func partialTable(b *strings.Builder, r *publish.Report) {
	b.WriteString("| | written | pending |\n|---|--:|--:|\n")
	all := repositories(r)
	for i, repo := range all {
		if b.Len() > maxTables/2 {
			fmt.Fprintf(b, "| … %s |\n", moreRepositories(len(all)-i))
			break
		}
		written := 0
		var pending []publish.TagReport
		for _, t := range tagsIn(r, repo) {
			switch t.Action {
			case "created", "moved", "unchanged":
				written++
			case "kept":
			default:
				pending = append(pending, t)
			}
		}
		fmt.Fprintf(b, "| %s | %d | %s |\n", escape.Markdown(repo), written, pendingCell(pending))
	}
	b.WriteString("\n")
}

// pendingCell is the number of tags that are pending or failed, the first of them by name, and why.
func pendingCell(pending []publish.TagReport) string {
	if len(pending) == 0 {
		return "0"
	}
	first := pending[0]
	for _, t := range pending {
		if t.Action == "failed" {
			first = t
			break
		}
	}
	cell := fmt.Sprintf("%d, first %s", len(pending), codeSpan(tagOf(first.Ref)))
	if len(pending) == 1 {
		cell = "1: " + codeSpan(tagOf(first.Ref))
	}
	if first.Reason != "" {
		cell += ": " + escape.Markdown(escape.Bounded(first.Reason, 300))
	}
	return cell
}

// tagsIn are the tags of one repository, in the order of the images.
func tagsIn(r *publish.Report, repo string) []publish.TagReport {
	var out []publish.TagReport
	for _, im := range r.Images {
		for _, t := range im.Tags {
			if repositoryOf(t.Ref) == repo {
				out = append(out, t)
			}
		}
	}
	return out
}

var (
	plainCode = regexp.MustCompile(`^[A-Za-z0-9_.:…-]+$`)
	plainURL  = regexp.MustCompile(`^https?://[A-Za-z0-9._:-]+(/[A-Za-z0-9._~-]+)*$`)
)

// codeSpan is a code span. What a span cannot hold as it is becomes an element with escaped text.
func codeSpan(s string) string {
	if plainCode.MatchString(s) {
		return "`" + s + "`"
	}
	return "<code>" + escape.Markdown(s) + "</code>"
}

// anchor is a link, or only the text where the address could be more than an address.
func anchor(text, url string) string {
	if !plainURL.MatchString(url) {
		return escape.Markdown(text)
	}
	return fmt.Sprintf("[%s](%s)", escape.Markdown(text), url)
}
