package publish

import (
	"context"
	"io"
	"net/http"

	"github.com/taglast/taglast/internal/actions"
	"github.com/taglast/taglast/internal/identity"
	"github.com/taglast/taglast/internal/retry"
)

// identify asks for the ID token, checks it, compares it with the job's environment, and refuses events and repositories
// that nothing may be published for. issuers are those of a signing config that was given, beside GitHub's.
func (r *run) identify(ctx context.Context, issuers []string) error {
	verifier, err := identity.NewVerifier(identity.VerifierOptions{
		HTTP: &http.Client{Transport: r.network}, ServerURL: r.serverURL, Issuers: issuers, Audience: "sigstore",
		Retry: retry.Policy{Budget: tokenBudget, AttemptTimeout: tokenTimeout, Report: r.waiting("ID token")},
	})
	if err != nil {
		return err
	}
	r.session = identity.NewSession(func(ctx context.Context) (string, error) {
		return r.o.IDToken(ctx, &http.Client{Transport: r.network}, "sigstore")
	}, verifier)
	token, err := r.session.Token(ctx)
	if err != nil {
		return err
	}
	r.claims = token.Claims()
	if err := identity.Disagreement(r.claims, r.o.Getenv); err != nil {
		return err
	}
	if !r.mode.dryRun() {
		if err := refuseEvent(r.claims.EventName, r.claims.Repository, r.plan.payload); err != nil {
			return err
		}
		if err := refuseVisibility(r.claims, r.plan.payload, r.o.SigningConfig != nil); err != nil {
			return err
		}
	}
	return nil
}

// runnerToken asks the runner of this environment for an ID token. It masks nothing: a library has no log.
func (o Options) runnerToken(ctx context.Context, client *http.Client, audience string) (string, error) {
	return actions.New(o.Getenv, io.Discard).IDToken(ctx, client, audience, retry.Policy{Budget: tokenBudget, AttemptTimeout: tokenTimeout})
}
