//go:build mutant_tagfirst

package prove

import "github.com/taglast/taglast/internal/stage/push"

// Unverified forges a Complete, for the mutant that tags before it verifies. No release is built with it.
func Unverified(pushed []push.Pushed) Complete {
	proofs := make(map[string]Proof, len(pushed))
	for _, p := range pushed {
		b := p.Built()
		proofs[b.Name()] = Proof{&proof{image: b.Name(), root: b.Root(), repos: p.Repositories()}}
	}
	return Complete{&complete{proofs}}
}
