//go:build mutant_tagfirst

package publish

import (
	"context"

	"github.com/taglast/taglast/internal/stage/prove"
)

// order is the mutant that tags before it attests and verifies. It exists so that the tests of the law can be seen to
// turn red; no release is built with it.
func (p *pipeline) order() []step {
	return []step{
		{StageBuild, p.buildStage},
		{StagePush, p.pushStage},
		{StageTag, func(ctx context.Context, step func(int, int, string)) (string, error) {
			p.complete = prove.Unverified(p.pushed)
			return p.tagStage(ctx, step)
		}},
		{StageAttest, p.attestStage},
		{StageVerify, p.verifyStage},
	}
}
