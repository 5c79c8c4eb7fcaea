//go:build mutant_nosbom

package publish

import "github.com/taglast/taglast/internal/stage/attest"

// sbomsWanted is the mutant that forgets the SBOMs. It exists so that the barrier can be seen to stop a release without
// them; no release is built with it.
func (r *run) sbomsWanted(*record) []attest.Wanted { return nil }
