//go:build !mutant_noguard

package registry

// guarded says that the guard guards: always, but in the mutant that shows that a test would miss it.
const guarded = true
