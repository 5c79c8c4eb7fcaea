package publish

import "github.com/taglast/taglast/internal/stage/tag"

// Summary counts what became of the tags, by TagReport.Action; Total is all of them.
type Summary struct{ Created, Moved, Unchanged, Kept, Failed, Pending, Total int }

// Written tags of this run.
func (s Summary) Written() int { return s.Created + s.Moved }

// Right are the tags that name this release: written now or before.
func (s Summary) Right() int { return s.Written() + s.Unchanged }

// Wanted are the tags that should name it: all but those that are kept.
func (s Summary) Wanted() int { return s.Total - s.Kept }

// Count sums up the tags of a report.
func (r *Report) Count() Summary {
	var s Summary
	for _, im := range r.Images {
		for _, t := range im.Tags {
			s.Total++
			switch tag.Action(t.Action) {
			case tag.Created:
				s.Created++
			case tag.Moved:
				s.Moved++
			case tag.Unchanged:
				s.Unchanged++
			case tag.Kept:
				s.Kept++
			case tag.Failed:
				s.Failed++
			default:
				s.Pending++
			}
		}
	}
	return s
}
