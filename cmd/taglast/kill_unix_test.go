//go:build unix

package main

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/taglast/taglast/internal/sandbox/fault"
	"github.com/taglast/taglast/internal/testkit/golden"
)

// TestInterrupted kills the real program, as a process before a served world, after each of its writes, and signals it in
// each stage. No tag may name what is not attested, at any time; and the same command again must finish.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	writes, want := undisturbed(t)
	var mu sync.Mutex
	kills, signals, violations := 0, 0, 0
	t.Run("killed", func(t *testing.T) {
		for k := 1; k <= writes; k++ {
			t.Run(fmt.Sprintf("after write %d", k), func(t *testing.T) {
				t.Parallel()
				n := killed(t, k, want)
				mu.Lock()
				defer mu.Unlock()
				kills++
				violations += n
			})
		}
	})
	t.Run("signalled", func(t *testing.T) {
		for _, c := range interruptions() {
			t.Run(fmt.Sprintf("%s/%s", c.signal, c.at.name), func(t *testing.T) {
				t.Parallel()
				n := c.run(t, want)
				mu.Lock()
				defer mu.Unlock()
				signals++
				violations += n
			})
		}
	})
	if t.Failed() {
		return
	}
	var b strings.Builder
	fmt.Fprintf(&b, "writes of an undisturbed run: %d\n", writes)
	fmt.Fprintf(&b, "killed after each:            %d\n", kills)
	fmt.Fprintf(&b, "signals in each stage:        %d\n", signals)
	fmt.Fprintf(&b, "violations: %d\n", violations)
	golden.Compare(t, "testdata/kills.golden", b.String())
}

// undisturbed publishes once and gives the number of writes and the final state.
func undisturbed(t *testing.T) (writes int, want []string) {
	t.Helper()
	var count fault.Killer
	j := newJob(t, count.Handler)
	p := j.command(t)
	if code := p.run(t); code != 0 {
		t.Fatalf("exit %d\n%s", code, &p.stderr)
	}
	if _, tags := j.lawful(t); tags != 10 {
		t.Fatalf("%d tags, want 10", tags)
	}
	j.truthful(t, j.report(t))
	return count.Writes(), j.published()
}

// killed lets the k-th write be the last thing that a run does.
func killed(t *testing.T, k int, want []string) (violations int) {
	var victim atomic.Pointer[process]
	killer := &fault.Killer{After: k, Kill: func() {
		p := victim.Load()
		<-p.started
		_ = p.Process.Kill() // nothing after it is sent: the answer to the write is held back until the kill
	}}
	j := newJob(t, killer.Handler)
	p := j.command(t)
	victim.Store(p)
	if code := p.run(t); code != -1 {
		t.Errorf("exit %d after %d writes, want a kill\n%s", code, killer.Writes(), &p.stderr)
	}
	violations, _ = j.lawful(t)
	j.finishes(t, want)
	after, _ := j.lawful(t)
	return max(violations, after)
}
