//go:build !mutant_nosbom

package publish

import (
	"context"

	"github.com/taglast/taglast/internal/bundle"
	"github.com/taglast/taglast/internal/stage/attest"
)

// sbomsWanted are the attestations of an image's SBOMs, one for each platform's manifest.
func (r *run) sbomsWanted(rec *record) []attest.Wanted {
	var out []attest.Wanted
	for _, s := range rec.sboms {
		subjects, reuse := sbomSubjects(rec, s.child), r.reuseSBOM(rec, s.child, s.predicateType)
		out = append(out, attest.Wanted{
			PredicateType: s.predicateType,
			Subjects:      subjects,
			Statement:     func(context.Context) ([]byte, error) { return s.statement(subjects) },
			Reusable:      func(b *bundle.Bundle) error { return s.canReuse(reuse, b) },
		})
	}
	return out
}
