package publish

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/taglast/taglast/internal/actions"
	"github.com/taglast/taglast/internal/hint"
	"github.com/taglast/taglast/internal/identity"
	"github.com/taglast/taglast/internal/keyless"
	"github.com/taglast/taglast/internal/retry"
	"github.com/taglast/taglast/internal/stage/prove"
	"github.com/taglast/taglast/internal/store"
	"github.com/taglast/taglast/internal/trust"
)

// identify asks for the ID token, checks it and compares it with the job's environment.
func (r *run) identify(ctx context.Context) error {
	services, _, err := trust.FromFiles(r.o.SigningConfig, r.o.TrustedRoot)
	if err != nil {
		return usage("", err)
	}
	verifier, err := identity.NewVerifier(identity.VerifierOptions{
		HTTP: &http.Client{Transport: r.network}, ServerURL: r.serverURL, Issuers: services.OIDCIssuers, Audience: "sigstore",
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
	return r.openStores()
}

// checkStores refuses a kind of store that there is not.
func (r *run) checkStores() error {
	for _, kind := range r.o.Stores {
		if kind != "github" {
			return usage("", fmt.Errorf("--store %s: this version of taglast keeps bundles in `github` only", kind))
		}
	}
	return nil
}

func (r *run) openStores() error {
	token := r.token()
	if token == "" {
		return hint.With(errors.New("store github: there is no GITHUB_TOKEN to store attestations with"),
			"set `env: {GITHUB_TOKEN: \"${{ github.token }}\"}` on the step")
	}
	s, err := store.NewGitHub(store.GitHubOptions{
		HTTP: r.network, APIURL: or(r.o.Getenv("GITHUB_API_URL"), "https://api.github.com"), ServerURL: r.serverURL,
		Repository: r.claims.Repository, Token: token, UserAgent: r.userAgent(),
		Retry: retry.Policy{Budget: tokenBudget, Report: r.waiting("store github")},
	})
	if err != nil {
		return err
	}
	r.stores, r.openers = []store.Store{s}, []store.Opener{store.Shared(s)}
	return nil
}

// trust fixes whom to trust and who signs, by TUF where no files were given.
func (r *run) trust(ctx context.Context) error {
	services, material, err := trust.FromFiles(r.o.SigningConfig, r.o.TrustedRoot)
	if err != nil {
		return usage("", err)
	}
	if r.o.SigningConfig == nil || r.o.TrustedRoot == nil {
		byTUF, root, err := trust.FromTUF(ctx, trust.TUFOptions{HTTP: r.network, CacheDir: r.o.CacheDir, UserAgent: r.userAgent()})
		if err != nil {
			return err
		}
		if r.o.TrustedRoot == nil {
			material = root
		}
		if r.o.SigningConfig == nil {
			services = byTUF
		}
	}
	r.signer, err = keyless.New(keyless.Options{
		Services: services, HTTP: r.network, Tokens: r.session.Token, Renew: r.session.Renew, UserAgent: r.userAgent(),
		Retry:  retry.Policy{Budget: signBudget},
		Report: func(service string, e retry.Event) { r.waiting(service)(e) },
	})
	if err != nil {
		return err
	}
	instance := trust.Custom(services, material)
	if r.o.SigningConfig == nil && r.o.TrustedRoot == nil {
		instance = trust.PublicGood(services, material)
	}
	r.trusted = prove.Run{Instance: instance, Claims: r.claims, ServerURL: r.serverURL}
	return nil
}

// runnerToken asks the runner of this environment for an ID token. It masks nothing: a library has no log.
func (o Options) runnerToken(ctx context.Context, client *http.Client, audience string) (string, error) {
	return actions.New(o.Getenv, io.Discard).IDToken(ctx, client, audience, retry.Policy{Budget: tokenBudget, AttemptTimeout: tokenTimeout})
}
