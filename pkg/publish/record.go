package publish

import (
	"github.com/taglast/taglast/internal/image"
	"github.com/taglast/taglast/internal/stage/attest"
	"github.com/taglast/taglast/internal/stage/prove"
	"github.com/taglast/taglast/internal/stage/push"
	"github.com/taglast/taglast/internal/stage/tag"
)

// record is one image on its way: what the plan says of it, and what each stage has made. It belongs to the one goroutine
// that takes the image through the stages; others read it when a stage is passed.
type record struct {
	*plannedImage
	passedOver string // why a dry run makes nothing of it: its source needs a login that is not there

	built    image.Built
	sboms    []platformSBOM // of built
	pushed   push.Pushed
	attested attest.Attested
	proof    prove.Proof
	tagged   []tag.Tagged // in the order of wantedTags; empty before the tag stage
}

func (rec *record) name() string { return rec.file.Name }

// bundleName is the file of an attestation of the image.
func (rec *record) bundleName(a attest.Attestation) string {
	return bundleName(rec.name(), rec.sboms, a.Digest(), a.PredicateType())
}

// published says that this run takes the image through the stages.
func (rec *record) published() bool { return !rec.unbuilt && rec.passedOver == "" }

// wantedTags are the tags that this run writes.
func (rec *record) wantedTags() []plannedTag {
	var out []plannedTag
	for _, t := range rec.tags {
		if !t.leftOut {
			out = append(out, t)
		}
	}
	return out
}

// published are the images that this run takes through the stages, in the order of the file.
func (r *run) published() []*record {
	var out []*record
	for _, rec := range r.records {
		if rec.published() {
			out = append(out, rec)
		}
	}
	return out
}
