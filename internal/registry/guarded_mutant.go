//go:build mutant_noguard

package registry

// guarded is false in the mutant without a guard. It exists so that tests can be seen to fail without the guard; no
// release is built with it.
const guarded = false
