package publish

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/taglast/taglast/internal/ociref"
	"github.com/taglast/taglast/internal/sbom"
)

// announce tells the person watching what the run is about, and that the plan is made.
func (r *run) announce(logins ...Login) {
	h := Header{
		Version: r.o.Version, DryRun: r.mode.dryRun(), Release: r.plan.version,
		SHA: r.claims.SHA, Ref: r.claims.Ref, Repository: r.claims.Repository,
		Workflow: workflowOf(r.claims.WorkflowRef, r.claims.Repository), FromCheckout: r.fromCheckout,
		Images: len(r.plan.images), Logins: logins,
	}
	for _, im := range r.plan.images {
		h.FromFlag = h.FromFlag || im.file.ReleaseVersion != ""
		for _, repo := range im.repos {
			h.Repositories = appendNew(h.Repositories, ociref.DisplayName(repo))
		}
		for _, f := range im.file.Platforms {
			h.Platforms = appendNew(h.Platforms, f.String())
		}
	}
	r.o.Observer.Begin(h)
	n := len(r.plan.images)
	r.o.Observer.Progress(Event{Stage: StagePlan, Done: n, Total: n, Note: r.planNote(), Finished: true, Took: time.Since(r.startedAt)})
}

func appendNew(list []string, s string) []string {
	if slices.Contains(list, s) {
		return list
	}
	return append(list, s)
}

// workflowOf is path@ref of a workflow_ref claim.
func workflowOf(ref, repository string) string { return strings.TrimPrefix(ref, repository+"/") }

func (r *run) planNote() string {
	tags := 0
	for _, im := range r.plan.images {
		for _, t := range im.tags {
			if !t.leftOut {
				tags++
			}
		}
	}
	note := fmt.Sprintf("%s, 0 conflicts", count(tags, "tag"))
	if !r.mode.readOnly() {
		note += ", push allowed, id-token and attestations ok"
	}
	return note
}

func (r *run) buildNote() string {
	adopted, children := 0, 0
	for _, rec := range r.published() {
		if rec.built.Adopted() {
			adopted++
		}
		children += len(rec.built.Manifests())
	}
	note := count(children, "manifest")
	if adopted > 0 {
		note += fmt.Sprintf(", %d adopted", adopted)
	}
	return note
}

func (r *run) pushNote() string {
	if sent := r.uploaded(); sent > 0 {
		return "untagged, " + size(sent) + " new"
	}
	return "untagged, everything was there"
}

func (r *run) attestNote() string {
	signed, reused, sboms := 0, 0, 0
	for _, rec := range r.published() {
		for _, a := range rec.attested.Attestations() {
			if sbom.IsType(a.PredicateType()) {
				sboms++
			}
			if a.Reused() {
				reused++
			} else {
				signed++
			}
		}
	}
	note := ""
	switch {
	case signed == 0:
		note = fmt.Sprintf("%d reused, nothing signed", reused)
	case reused > 0:
		note = fmt.Sprintf("1 certificate, %d signed, %d reused", signed, reused)
	default:
		note = fmt.Sprintf("1 certificate, %d signed", signed)
	}
	if sboms > 0 {
		note += "; " + count(sboms, "SBOM") + " among them"
	}
	return note
}

func (r *run) proveNote() string { return "read back and checked as gh does" }

func (r *run) tagNote() string {
	written, all := 0, 0
	for _, rec := range r.records {
		for _, t := range rec.tagged {
			all++
			if t.Written() {
				written++
			}
		}
	}
	switch {
	case all == 0:
		return "none asked for"
	case all > written:
		return fmt.Sprintf("%d written, %d unchanged", written, all-written)
	default:
		return fmt.Sprintf("%d written", written)
	}
}

// count is `1 tag`, `2 tags`.
func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
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
