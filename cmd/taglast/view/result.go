package view

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"github.com/taglast/taglast/internal/escape"
	"github.com/taglast/taglast/pkg/publish"
)

// foldAbove is how many images are listed before the table is folded to its first three.
const foldAbove = 12

// Result writes the table that says what became of every tag, and the answer. outputDir is named where a dry run left
// files; all lists every image.
func Result(w io.Writer, r *publish.Report, outputDir string, all bool) {
	fmt.Fprintln(w)
	table(w, r, all)
	rules(w, r, all)
	fmt.Fprintln(w)
	fmt.Fprintln(w, answer(r))
	verify := verifyLine(r)
	switch {
	case r.DryRun && verify != "":
		fmt.Fprintf(w, "Bundles, trusted root and layout: %s   Verify one:\n", relativeDir(outputDir))
	case r.DryRun:
		fmt.Fprintf(w, "Trusted root and layout: %s\n", relativeDir(outputDir))
	case verify != "":
		fmt.Fprintln(w, "Verify one:")
	}
	if verify != "" {
		fmt.Fprintln(w, "  "+breakLine(escape.Text(verify)))
	}
}

// verifyLine is the command that verifies the first image that has one; empty where none has: all are skipped, or it is a
// plan.
func verifyLine(r *publish.Report) string {
	if r.Outcome != publish.Published && r.Outcome != publish.Partial {
		return ""
	}
	for _, im := range r.Images {
		if im.Verify != "" {
			return im.Verify
		}
	}
	return ""
}

func table(w io.Writer, r *publish.Report, all bool) {
	rows := [][4]string{{"IMAGE", "DIGEST", "PLATFORMS", tagsHeading(r)}}
	folded := 0
	for i, im := range r.Images {
		if !all && len(r.Images) > foldAbove && i >= 3 {
			folded = len(r.Images) - 3
			break
		}
		rows = append(rows, imageRows(im, r.DryRun || r.Outcome == publish.Planned)...)
	}
	var width [3]int
	for n := range rows {
		for i := range rows[n] {
			rows[n][i] = escape.Text(rows[n][i])
		}
		for i := range width {
			width[i] = max(width[i], len([]rune(rows[n][i])))
		}
	}
	for _, row := range rows {
		line := "  "
		for i := range width {
			line += row[i] + strings.Repeat(" ", width[i]-len([]rune(row[i]))+3)
		}
		fmt.Fprintln(w, strings.TrimRight(line+row[3], " "))
	}
	if folded > 0 {
		fmt.Fprintf(w, "  … %d more: --all, or --format json\n", folded)
	}
}

// rules says of each rule of a plan what it gave, or why it did not apply; of the images that the table lists.
func rules(w io.Writer, r *publish.Report, all bool) {
	for i, im := range r.Images {
		if !all && len(r.Images) > foldAbove && i >= 3 {
			return
		}
		width := 0
		for _, rule := range im.Rules {
			width = max(width, len([]rune(escape.Bounded(rule.Rule, 100))))
		}
		for n, rule := range im.Rules {
			if n == 0 {
				fmt.Fprintf(w, "\n  rules of %s\n", escape.Text(im.Name))
			}
			outcome := "gave " + escape.Text(rule.Gave)
			if rule.Reason != "" {
				outcome = "did not apply because " + because(escape.Text(rule.Reason))
			}
			line := escape.Bounded(rule.Rule, 100)
			fmt.Fprintf(w, "    %s%s%s\n", line, strings.Repeat(" ", width-len([]rune(line))+3), outcome)
		}
	}
}

// because makes a reason the end of a sentence.
func because(reason string) string {
	if strings.HasPrefix(reason, "needs ") || strings.HasPrefix(reason, "gives ") {
		return "it " + reason
	}
	return reason
}

// tagsHeading says in how many repositories a tag is, where that is the same for all images.
func tagsHeading(r *publish.Report) string {
	n := 0
	for i, im := range r.Images {
		if i > 0 && len(im.Repositories) != n {
			return "TAGS"
		}
		n = len(im.Repositories)
	}
	if n > 1 {
		return fmt.Sprintf("TAGS (each in %d repositories)", n)
	}
	return "TAGS"
}

// imageRows is one row for each group of tags, the image named in the first.
func imageRows(im publish.ImageReport, hypothetical bool) [][4]string {
	first := [4]string{im.Name, short(im.Digest), platforms(im, " "), ""}
	switch gs := tagGroups(im, hypothetical); {
	case im.Skipped && len(gs) == 0:
		first[3] = escape.Text(im.Reason)
		return [][4]string{first}
	case len(gs) == 0:
		first[3] = "no tag: by digest alone"
		return [][4]string{first}
	default:
		rows := make([][4]string, len(gs))
		for i, g := range gs {
			rows[i] = [4]string{3: g.text()}
		}
		rows[0] = [4]string{first[0], first[1], first[2], rows[0][3]}
		return rows
	}
}

// answer is the last paragraph.
func answer(r *publish.Report) string {
	s := r.Count()
	took := fmt.Sprintf("Took %s, %s.", Duration(r.Took.Elapsed), requests(r))
	switch {
	case r.Outcome == publish.Planned:
		return fmt.Sprintf("Would create %s and move %d. Would keep %d. %s", plural(s.Created, "tag"), s.Moved, s.Kept, took)
	case r.DryRun && s.Total == 0:
		return "Would publish nothing on " + event(r) + ". Rehearse a release: --release-version 1.2.3. " + took
	case r.DryRun:
		return fmt.Sprintf("Would create %s and move %d. Would keep %d. %s", plural(s.Created, "tag"), s.Moved, s.Kept, took)
	case s.Pending > 0:
		return fmt.Sprintf("Published %s. %s created, %d moved, %d kept; %d pending. %s", plural(len(r.Images), "image"), plural(s.Created, "tag"), s.Moved, s.Kept, s.Pending, Duration(r.Took.Elapsed)+".")
	default:
		return fmt.Sprintf("Published %s. %s created, %d moved, %d kept. %s.", plural(len(r.Images), "image"), plural(s.Created, "tag"), s.Moved, s.Kept, Duration(r.Took.Elapsed))
	}
}

// event is the event by its name.
func event(r *publish.Report) string {
	if r.Event == "" {
		return "this event"
	}
	return "`" + escape.Text(r.Event) + "`"
}

func requests(r *publish.Report) string {
	n := r.Took.Reads + r.Took.Writes
	switch {
	case n == 0:
		return "no request left this machine"
	case r.Took.Writes == 0:
		return plural(n, "request") + ", all of them reads"
	default:
		return fmt.Sprintf("%s, %d of them writes", plural(n, "request"), r.Took.Writes)
	}
}

// Duration is a time for people: 0.4s, 12.1s, 1m52s.
func Duration(d time.Duration) string {
	if d < time.Minute {
		return fmt.Sprintf("%.1fs", d.Seconds())
	}
	d = d.Round(time.Second)
	return fmt.Sprintf("%dm%02ds", d/time.Minute, d%time.Minute/time.Second)
}

// breakLine folds a long command before its options, so that it can be pasted.
func breakLine(command string) string {
	if len(command) <= 78 {
		return command
	}
	return strings.Replace(command, " --custom-trusted-root", " \\\n     --custom-trusted-root", 1)
}

// relativeDir is a relative directory as people write it.
func relativeDir(dir string) string {
	if filepath.IsAbs(dir) || strings.HasPrefix(dir, ".") {
		return dir
	}
	return "./" + filepath.ToSlash(dir)
}
