// Package view shows a release to the person watching: one line a stage while it runs, a table that says what became of
// every tag, the job summary, and errors whose first line says whether a tag was changed.
//
// The rules: the first line says when a run is dry; a bar only on a terminal and only while a stage runs, plain lines in
// Actions; nothing scrolls (many images are folded); new, moved, unchanged and kept are the only four words for a tag
// that is well; the last paragraph is the answer. Text that others wrote is made inert before it is shown.
package view

import (
	"fmt"
	"slices"
	"strings"

	"github.com/taglast/taglast/internal/escape"
	"github.com/taglast/taglast/pkg/publish"
)

// tagGroup is tags of one image that share what became of them.
type tagGroup struct {
	tags    []string
	outcome string // "new", "moved from 3f1c90ab71d2", …
}

// text is `0.13, latest moved from 3f1c90ab71d2`.
func (g tagGroup) text() string { return strings.Join(g.tags, ", ") + " " + g.outcome }

// tagGroups sums an image's tags up over its repositories: a tag that fared alike in all of them stands once, one that did
// not stands once for each.
func tagGroups(im publish.ImageReport, hypothetical bool) []tagGroup {
	var out []tagGroup
	add := func(tag, word string) {
		for i := range out {
			if out[i].outcome == word {
				if !slices.Contains(out[i].tags, tag) {
					out[i].tags = append(out[i].tags, tag)
				}
				return
			}
		}
		out = append(out, tagGroup{tags: []string{tag}, outcome: word})
	}
	for _, tag := range tagTexts(im) {
		words := make(map[string][]string)
		var order []string
		for _, t := range im.Tags {
			if tagOf(t.Ref) != tag {
				continue
			}
			w := outcome(t, hypothetical)
			if words[w] == nil {
				order = append(order, w)
			}
			words[w] = append(words[w], repositoryOf(t.Ref))
		}
		for _, w := range order {
			if len(order) == 1 {
				add(tag, w)
			} else {
				add(tag, w+" in "+strings.Join(words[w], ", "))
			}
		}
	}
	return out
}

func tagTexts(im publish.ImageReport) []string {
	var out []string
	for _, t := range im.Tags {
		if tag := tagOf(t.Ref); !slices.Contains(out, tag) {
			out = append(out, tag)
		}
	}
	return out
}

// outcome is what became of a tag, or would.
func outcome(t publish.TagReport, hypothetical bool) string {
	switch t.Action {
	case "created":
		if t.Previous == publish.Unknown {
			return "new, or moves: what is there now is unknown"
		}
		return "new"
	case "moved":
		if hypothetical {
			return "moves from " + short(t.Previous)
		}
		return "moved from " + short(t.Previous)
	case "unchanged":
		return "unchanged"
	case "kept":
		return "kept, because " + escape.Text(t.Reason)
	case "failed":
		return "failed"
	default:
		if t.Reason != "" {
			return "pending: " + escape.Text(t.Reason)
		}
		return "pending"
	}
}

func tagOf(ref string) string {
	return ref[strings.LastIndexByte(ref, ':')+1:]
}

func repositoryOf(ref string) string {
	return ref[:max(strings.LastIndexByte(ref, ':'), 0)]
}

// short is a digest's first twelve hex digits.
func short(digest string) string {
	_, hex, ok := strings.Cut(digest, ":")
	if !ok {
		return digest
	}
	return hex[:min(12, len(hex))]
}

// shortPlatform leaves `linux/` out of a platform.
func shortPlatform(platform string) string { return strings.TrimPrefix(platform, "linux/") }

func platforms(im publish.ImageReport, sep string) string {
	var out []string
	for _, p := range im.Platforms {
		out = append(out, shortPlatform(p.Platform))
	}
	return strings.Join(out, sep)
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// repositories of all images, in their order.
func repositories(r *publish.Report) []string {
	var out []string
	for _, im := range r.Images {
		for _, repo := range im.Repositories {
			if !slices.Contains(out, repo) {
				out = append(out, repo)
			}
		}
	}
	return out
}
