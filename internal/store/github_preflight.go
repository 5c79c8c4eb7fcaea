package store

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/taglast/taglast/internal/hint"
	"github.com/taglast/taglast/internal/retry"
)

// The errors of what GitHub refuses for good.
var (
	ErrNoPermission          = errors.New("this token may not store attestations")
	ErrPrivateUserRepository = errors.New("GitHub keeps no attestations for a user's private repository")
	ErrBadToken              = errors.New("GitHub does not accept this token")
)

// preflightBudget is how long Preflight waits for a server that does not answer as it should.
const preflightBudget = 30 * time.Second

// Preflight posts an empty bundle, which cannot succeed: GitHub checks the permission first. A missing permission, a
// repository that cannot have attestations, a bad token and no answer at all are errors. Any other answer is not: the
// bundle was to be refused, and a server error may have passed by the time of storing.
func (g *GitHub) Preflight(ctx context.Context) error {
	api := g.api.WithBudget(preflightBudget)
	err := api.Retry(ctx, func(ctx context.Context) error {
		_, _, err := api.CreateAttestation(ctx, g.scope, []byte("{}"))
		return err
	})
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return err
	}
	explained := explain(err)
	if s := (*retry.StatusError)(nil); errors.As(err, &s) && !isRefusal(explained) {
		return nil
	}
	return fmt.Errorf("attestations of %s: %w", strings.TrimPrefix(g.scope, "repos/"), explained)
}

// isRefusal reports whether err is one of those that explain names.
func isRefusal(err error) bool {
	return errors.Is(err, ErrNoPermission) || errors.Is(err, ErrPrivateUserRepository) || errors.Is(err, ErrBadToken)
}

// explain adds to a refusal which one it is and what a person can do about it. It knows them by the words of GitHub's
// API.
func explain(err error) error {
	s := (*retry.StatusError)(nil)
	if !errors.As(err, &s) || s.Status < 400 || s.Status >= 500 {
		return err
	}
	switch {
	case strings.Contains(s.Message, "Feature not available for user-owned private repositories"):
		return hint.With(fmt.Errorf("%w: %w", ErrPrivateUserRepository, err),
			"make the repository public, or move it to an organization on GitHub Enterprise Cloud")
	case s.Status == http.StatusForbidden && strings.Contains(s.Message, "Resource not accessible by integration"):
		return hint.With(fmt.Errorf("%w: %w", ErrNoPermission, err),
			"add to the job's permissions:\n    attestations: write    # store the attestation")
	case s.Status == http.StatusForbidden && strings.Contains(s.Message, "Resource not accessible by personal access token"):
		return hint.With(fmt.Errorf("%w: %w", ErrNoPermission, err),
			"give the token the repository permission Attestations (read and write), or use the job's own GITHUB_TOKEN")
	case s.Status == http.StatusUnauthorized:
		return hint.With(fmt.Errorf("%w: %w", ErrBadToken, err), "is GITHUB_TOKEN the token of this very job, and not expired?")
	}
	return err
}
