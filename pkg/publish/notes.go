package publish

import (
	"fmt"
	"slices"
	"strings"

	"github.com/taglast/taglast/internal/image"
	"github.com/taglast/taglast/internal/stage/attest"
	"github.com/taglast/taglast/internal/stage/tag"
)

// announce tells the person watching what the run is about.
func (p *pipeline) announce() {
	h := Header{
		Version: p.o.Version, DryRun: p.o.dryRun, Release: p.plan.version,
		SHA: p.plan.claims.SHA, Ref: p.plan.claims.Ref, Repository: p.plan.claims.Repository,
		Workflow: workflowOf(p.plan.claims.WorkflowRef, p.plan.claims.Repository), FromCheckout: p.o.fromCheckout,
		Images: len(p.plan.images),
	}
	for _, im := range p.plan.images {
		h.FromFlag = h.FromFlag || im.file.ReleaseVersion != ""
		for _, r := range im.repos {
			h.Repositories = appendNew(h.Repositories, displayName(r))
		}
		for _, f := range im.file.Platforms {
			h.Platforms = appendNew(h.Platforms, f)
		}
	}
	p.o.Observer.Begin(h)
}

func appendNew(list []string, s string) []string {
	if slices.Contains(list, s) {
		return list
	}
	return append(list, s)
}

// workflowOf is path@ref of a workflow_ref claim.
func workflowOf(ref, repository string) string { return strings.TrimPrefix(ref, repository+"/") }

func (p *pipeline) planNote() string {
	tags := 0
	for _, im := range p.plan.images {
		for _, t := range im.tags {
			if !t.later {
				tags++
			}
		}
	}
	note := fmt.Sprintf("%s, 0 conflicts", count(tags, "tag"))
	if !p.o.readOnly {
		note += ", push allowed, id-token and attestations ok"
	}
	return note
}

// count is `1 tag`, `2 tags`.
func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func buildNote(built []image.Built) string {
	adopted, children := 0, 0
	for _, b := range built {
		if b.Adopted() {
			adopted++
		}
		children += len(b.Manifests())
	}
	note := count(children, "manifest")
	if adopted > 0 {
		note += fmt.Sprintf(", %d adopted", adopted)
	}
	return note
}

func attestNote(attested []attest.Attested) string {
	reused := 0
	for _, a := range attested {
		if a.Reused() {
			reused++
		}
	}
	switch signed := len(attested) - reused; {
	case signed == 0:
		return fmt.Sprintf("%d reused, nothing signed", reused)
	case reused > 0:
		return fmt.Sprintf("1 certificate, %d signed, %d reused", signed, reused)
	default:
		return fmt.Sprintf("1 certificate, %d signed", signed)
	}
}

func tagNote(tagged []tag.Tagged) string {
	written := 0
	for _, t := range tagged {
		if t.Written() {
			written++
		}
	}
	if unchanged := len(tagged) - written; unchanged > 0 {
		return fmt.Sprintf("%d written, %d unchanged", written, unchanged)
	}
	return fmt.Sprintf("%d written", written)
}

// size is a number of bytes for people: 41.3 MB.
func size(n int64) string {
	switch {
	case n >= 1e9:
		return fmt.Sprintf("%.1f GB", float64(n)/1e9)
	case n >= 1e6:
		return fmt.Sprintf("%.1f MB", float64(n)/1e6)
	case n >= 1e3:
		return fmt.Sprintf("%.1f kB", float64(n)/1e3)
	default:
		return fmt.Sprintf("%d bytes", n)
	}
}
