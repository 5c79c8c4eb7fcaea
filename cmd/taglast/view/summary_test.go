package view_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/taglast/taglast/cmd/taglast/view"
	"github.com/taglast/taglast/internal/hint"
	"github.com/taglast/taglast/pkg/publish"
)

// The runner drops a summary of more than 1 MiB whole.
const maxSummary = 1 << 20

func TestASummaryOf270TagsIsWhole(t *testing.T) {
	r := uv(44) // 45 images with 3 tags in 2 repositories
	got := view.Summary(r, nil)
	if n := r.Count().Total; n != 270 {
		t.Fatalf("%d tags", n)
	}
	if len(got) > 64<<10 || strings.Contains(got, "see report.json") || strings.Count(got, "<details>") != 1 {
		t.Errorf("%d bytes:\n%s", len(got), got)
	}
	for _, im := range r.Images {
		if !strings.Contains(got, "| "+im.Name+" |") && !strings.Contains(got, "**"+im.Name+"**") {
			t.Errorf("%s is missing", im.Name)
		}
	}
}

func TestALongSummaryIsCut(t *testing.T) {
	long := strings.Repeat("| a `reason` |\n", 200<<10)
	many := func(images, tags int) *publish.Report {
		r := uv(images - 1)
		for i := range r.Images {
			for k := range tags {
				r.Images[i].Tags = append(r.Images[i].Tags, publish.TagReport{
					Ref: fmt.Sprintf("ghcr.io/astral-sh/uv:%d-a-long-tag-of-the-image-%d", k, i), Action: "moved", Previous: digest(k), Digest: digest(i),
				})
			}
		}
		return r
	}
	each := func(r *publish.Report, change func(i, k int, tag *publish.TagReport)) *publish.Report {
		for i := range r.Images {
			for k := range r.Images[i].Tags {
				change(i, k, &r.Images[i].Tags[k])
			}
		}
		return r
	}
	failed := &publish.Error{Stage: publish.StagePush, Err: errors.New(long), Detail: long, Hint: long}
	for name, c := range map[string]struct {
		report *publish.Report
		err    error
	}{
		"1000 images of 100 tags": {report: many(1000, 100)},
		"an image of 5000 tags":   {report: many(1, 5000)},
		"tags kept for many reasons": {report: each(many(300, 10), func(i, k int, tag *publish.TagReport) {
			tag.Action, tag.Reason = "kept", fmt.Sprintf("%d is higher than %d: %s", i, k, long[:2000])
		})},
		"tags kept for one reason": {report: each(many(300, 20), func(_, _ int, tag *publish.TagReport) { tag.Action, tag.Reason = "kept", long[:8<<10] })},
		"many repositories": {report: func() *publish.Report {
			r := many(1, 0)
			for i := range 6000 {
				repo := fmt.Sprintf("registry-%d.example.com/acme/%s", i, strings.Repeat("a", 100))
				r.Images[0].Repositories = append(r.Images[0].Repositories, repo)
			}
			return r
		}()},
		"a long error":                {err: failed},
		"a long error after the tags": {err: failed, report: each(many(1000, 10), func(_, _ int, tag *publish.TagReport) { tag.Action, tag.Reason = "failed", long[:8<<10] })},
		"a long hint alone":           {err: hint.With(errors.New("x"), long)},
	} {
		t.Run(name, func(t *testing.T) {
			if c.report != nil && c.err != nil {
				c.report.Outcome = publish.Partial
			}
			got := view.Summary(c.report, c.err)
			if len(got) > maxSummary {
				t.Errorf("%d bytes", len(got))
			}
			if rest := map[bool]string{true: "the rest is in the log", false: "see report.json"}[c.err != nil]; !strings.Contains(got, rest) {
				t.Errorf("it does not say where the rest is: %d bytes, it ends in %q", len(got), got[max(0, len(got)-200):])
			}
			if strings.Count(got, "<details>") != strings.Count(got, "</details>") || strings.Count(got, "\n```")%2 != 0 {
				t.Error("a fold or a block is left open")
			}
		})
	}
}
