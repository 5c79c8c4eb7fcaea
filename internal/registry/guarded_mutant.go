//go:build mutant_noguard

package registry

// guarded is false in the mutant without a guard. It exists so that the tests of the law can be seen to turn red; no
// release is built with it.
const guarded = false
