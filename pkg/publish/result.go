package publish

import (
	"encoding/json"
	"errors"
	"time"

	"github.com/taglast/taglast/internal/hint"
	"github.com/taglast/taglast/internal/image"
	"github.com/taglast/taglast/internal/ociref"
	"github.com/taglast/taglast/internal/platform"
	"github.com/taglast/taglast/internal/stage/attest"
	"github.com/taglast/taglast/internal/stage/tag"
	"github.com/taglast/taglast/pkg/tagrule"
)

// report tells what became of everything, from what each stage made and what the plan wanted.
func (r *run) report(err error) *Report {
	out := &Report{SchemaVersion: 1, DryRun: r.mode.dryRun(), Outcome: r.outcome(err), Images: []ImageReport{}}
	out.Event = r.o.Getenv("GITHUB_EVENT_NAME")
	out.Took = Took{
		Elapsed: time.Since(r.startedAt), BytesUploaded: r.uploaded(),
		Reads: int(r.sent.reads.Load()), Writes: int(r.sent.writes.Load()),
	}
	if err != nil {
		out.Error = errorReport(err)
	}
	if r.plan == nil {
		return out
	}
	out.Version = r.plan.version
	for i, im := range r.plan.images {
		rec := &record{plannedImage: im} // the run did not come to it
		if i < len(r.records) {
			rec = r.records[i]
		}
		out.Images = append(out.Images, r.imageReport(rec))
	}
	if out.Outcome == Published && !r.mode.dryRun() && out.hasPending() {
		out.Outcome = Partial
	}
	return out
}

// hasPending says that tags were left out by --registry: the whole command makes up for them later. The tags of an image
// that a dry run skips are not: the release run has the login that is missing here.
func (r *Report) hasPending() bool {
	for _, im := range r.Images {
		for _, t := range im.Tags {
			if t.Action == string(tag.Pending) && !im.Skipped {
				return true
			}
		}
	}
	return false
}

// outcome is partial as soon as a tag may have changed; in a dry run none does.
func (r *run) outcome(err error) Outcome {
	switch {
	case r.mode.planned() && err == nil:
		return Planned
	case err == nil:
		return Published
	case r.mode.dryRun():
		return Failed
	}
	for _, rec := range r.records {
		for _, t := range rec.tagged {
			if t.Written() || t.Doubtful {
				return Partial
			}
		}
	}
	return Failed
}

func errorReport(err error) *ErrorReport {
	var e *Error
	if errors.As(err, &e) {
		return &ErrorReport{Stage: string(e.Stage), Image: e.Image, Ref: e.Ref, Message: e.Message(), Hint: e.Hint}
	}
	return &ErrorReport{Message: err.Error(), Hint: hint.Of(err)}
}

func (r *run) imageReport(rec *record) ImageReport {
	reason := or(rec.passedOver, rec.skipped)
	out := ImageReport{
		Name: rec.name(), Skipped: reason != "", Reason: reason,
		Platforms: []PlatformReport{}, Attestations: []AttestationReport{}, Tags: []TagReport{}, Labels: rec.file.Labels,
	}
	for _, repo := range rec.repos {
		out.Repositories = append(out.Repositories, ociref.DisplayName(repo))
	}
	if rec.built.Ok() {
		out.describe(rec.built)
	}
	if rec.attested.Ok() {
		for i, a := range rec.attested.Attestations() {
			out.Attestations = append(out.Attestations, attestationReport(rec, i, a))
		}
	}
	if r.mode.planned() {
		for _, o := range rec.rules.Outcomes {
			out.Rules = append(out.Rules, RuleReport(o))
		}
	}
	out.Tags = r.tagReports(rec, out.Digest)
	out.Verify = r.verifyLine(rec, out)
	return out
}

func (r *ImageReport) describe(b image.Built) {
	root := b.Root()
	r.Digest, r.MediaType, r.Adopted, r.Size = root.Digest.String(), string(root.MediaType), b.Adopted(), root.Size
	r.Annotations = manifestOf(root.Raw).Annotations
	for _, c := range b.Manifests() {
		if c.Platform != (platform.Platform{}) {
			r.Platforms = append(r.Platforms, PlatformReport{Platform: c.Platform.String(), Digest: c.Digest.String()})
			r.Config = manifestOf(c.Raw).Config.Digest
		}
	}
	if len(r.Platforms) > 1 {
		r.Config = ""
	}
}

// manifest is what a report tells of a manifest or an index that a stage has checked.
type manifest struct {
	Config struct {
		Digest string `json:"digest"`
	} `json:"config"`
	Annotations map[string]string `json:"annotations"`
}

func manifestOf(raw []byte) manifest {
	var m manifest
	_ = json.Unmarshal(raw, &m) // it was read before: what is not there is empty
	return m
}

// attestationReport tells of the attestation a, which is that of index i among its image's.
func attestationReport(rec *record, i int, a attest.Attestation) AttestationReport {
	out := AttestationReport{
		PredicateType: a.PredicateType(), Subject: a.Digest(),
		Bundle: rec.bundleName(a), Reused: a.Reused(), Stores: []string{},
	}
	for _, b := range a.ReadBack() {
		out.Stores = append(out.Stores, b.Store)
		if receipt := a.Receipt(b.Store); receipt.ID != "" {
			out.ID, out.URL = receipt.ID, receipt.URL
		}
	}
	if rec.proof.Ok() {
		v := rec.proof.Verified()[i]
		out.Run = v.Certificate.RunInvocationURI
		if v.LogIndex >= 0 {
			out.LogIndex = &v.LogIndex
		}
	}
	return out
}

// tagReports are the tags of an image: as written, or as the plan sees them.
func (r *run) tagReports(rec *record, digest string) []TagReport {
	out := []TagReport{}
	tagged := rec.tagged
	for _, t := range rec.tags {
		seen, unknown := r.current.of(t)
		report := TagReport{Ref: t.ref(), Class: string(t.tag.Class), Action: string(tag.Pending), Digest: seen, Previous: seen}
		switch {
		case t.leftOut:
			report.Reason = "left out by --registry"
		case rec.unbuilt, rec.passedOver != "":
			report.Reason = "its image is skipped"
		case len(tagged) > 0:
			report.became(tagged[0])
			tagged = tagged[1:]
		}
		if r.mode.planned() {
			r.predict(&report, rec, t, digest)
		}
		if unknown {
			report.Previous = Unknown
		}
		out = append(out, report)
	}
	return out
}

// became tells what the tag stage did.
func (t *TagReport) became(done tag.Tagged) {
	t.Action, t.Digest, t.Previous, t.Reason = string(done.Action), done.Digest, done.Previous, done.Reason
	if done.Err != nil {
		t.Reason = done.Err.Error()
	}
}

// predict is a plan's word for a tag.
func (r *run) predict(report *TagReport, rec *record, t plannedTag, digest string) {
	seen, unknown := r.current.of(t)
	switch {
	case t.leftOut:
		return
	case seen == "":
		report.Action, report.Digest = string(tag.Created), digest
	case t.fixed() || seen == digest:
		report.Action, report.Digest = string(tag.Unchanged), seen
	default:
		report.Action, report.Digest = string(tag.Moved), digest
	}
	if a := r.current.alias(rec.plannedImage, t.tag.Text); a.Keep && t.tag.Class == tagrule.Moving && !unknown {
		report.Action, report.Digest, report.Reason = string(tag.Kept), seen, a.Reason()
		if seen == "" {
			report.Reason += absent
		}
	}
}

// Unknown is the previous digest of a tag that could not be read: in plans and dry runs alone.
const Unknown = "unknown"
