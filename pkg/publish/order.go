//go:build !mutant_tagfirst

package publish

// order is the stages after the plan. The types leave no other: each takes what the one before it made.
func (p *pipeline) order() []step {
	return []step{
		{StageBuild, p.buildStage},
		{StagePush, p.pushStage},
		{StageAttest, p.attestStage},
		{StageVerify, p.verifyStage},
		{StageTag, p.tagStage},
	}
}
