package store

import (
	"context"
	"fmt"
	"time"

	"github.com/taglast/taglast/internal/bundle"
	"github.com/taglast/taglast/internal/pace"
)

// A store may not show at once what it has stored: Poll looks for pollLimit, with waits that grow from firstPollWait to
// maxPollWait.
const (
	pollLimit     = 2 * time.Minute
	firstPollWait = 250 * time.Millisecond
	maxPollWait   = 15 * time.Second
)

// Poll lists the bundles of digest in s until b is among them, and returns it as the store gave it. Two minutes
// after the store's first answer it gives up and says what the store showed. It does not outlast an outage: List tries
// again by its own budget, and its failure ends Poll.
func Poll(ctx context.Context, s Store, digest, predicateType string, b *bundle.Bundle) (*bundle.Bundle, error) {
	var firstAnswer time.Time
	for wait := firstPollWait; ; wait = min(2*wait, maxPollWait) {
		found, err := s.List(ctx, digest, predicateType)
		for _, stored := range found {
			if stored.Bundle.Equal(b) {
				return stored.Bundle, nil
			}
		}
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if err != nil && len(found) == 0 && !isUnreadable(err) {
			return nil, fmt.Errorf("look for the attestation of %s: %w", digest, err)
		}
		if firstAnswer.IsZero() {
			firstAnswer = time.Now()
		}
		remaining := pollLimit - time.Since(firstAnswer)
		if remaining <= 0 {
			return nil, notShownError(digest, len(found), err)
		}
		if err := pace.Sleep(ctx, min(wait, remaining)); err != nil {
			return nil, err
		}
	}
}

func notShownError(digest string, n int, err error) error {
	showed := "nothing"
	if n > 0 {
		showed = fmt.Sprintf("%d other bundles", n)
		if n == 1 {
			showed = "1 other bundle"
		}
	}
	if err != nil {
		return fmt.Errorf("the attestation of %s was taken but is not shown after %s: the store shows %s and bundles that cannot be read: %w",
			digest, pollLimit, showed, err)
	}
	return fmt.Errorf("the attestation of %s was taken but is not shown after %s: the store shows %s", digest, pollLimit, showed)
}
