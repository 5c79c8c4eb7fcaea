package bundle_test

import (
	"sync"
	"testing"

	"github.com/taglast/taglast/internal/bundle"
)

// TestABundleIsVerifiedByMany: the library's verifier writes into the bundle that it is given. Each caller has its own.
func TestABundleIsVerifiedByMany(t *testing.T) {
	b, err := bundle.Parse(encode(t, honest(t)))
	if err != nil {
		t.Fatal(err)
	}
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() {
			v, err := b.Verifiable()
			if err == nil {
				_, err = v.TlogEntries() // as the verifier does: the race detector sees what is shared
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	one, _ := b.Verifiable()
	other, _ := b.Verifiable()
	if one == other {
		t.Error("two callers have the same value")
	}
}
