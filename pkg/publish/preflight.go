package publish

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"golang.org/x/sync/errgroup"

	"github.com/taglast/taglast/internal/hint"
	"github.com/taglast/taglast/internal/identity"
	"github.com/taglast/taglast/internal/keyless"
	"github.com/taglast/taglast/internal/registry"
	"github.com/taglast/taglast/internal/retry"
	"github.com/taglast/taglast/internal/stage/prove"
	"github.com/taglast/taglast/internal/store"
	"github.com/taglast/taglast/internal/trust"
)

// How long the services are tried (outages of three quarters of an hour have been seen; --timeout bounds them all).
const (
	signBudget   = 45 * time.Minute
	tokenBudget  = 5 * time.Minute
	tokenTimeout = 30 * time.Second // of one attempt: a token endpoint answers at once or not at all
	dryBudget    = 5 * time.Second  // a dry run's reads of real registries
)

// makePlan is the first stage of a real or dry run: everything that can fail before anything is sent, fails here.
func makePlan(ctx context.Context, o Options) (*plan, error) {
	p, err := prepare(ctx, o)
	if err != nil {
		return p, err
	}
	if p.o.offline {
		if err := p.staysHere(); err != nil {
			return p, err
		}
	}
	p.connect()
	services, err := p.identify(ctx)
	if err != nil {
		return p, at(StagePlan, "", "", err)
	}
	if !p.o.readOnly {
		p.prepareProbes(ctx)
	}
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() error { return p.readTags(gctx) })
	g.Go(func() error { return p.trust(gctx, services) })
	if !p.o.readOnly {
		g.Go(p.probe)
	}
	for _, s := range p.stores {
		g.Go(func() error {
			if err := s.Preflight(gctx); err != nil {
				return at(StagePlan, "", "", fmt.Errorf("store %s: %w", s.Name(), err))
			}
			return nil
		})
	}
	return p, g.Wait()
}

// connect makes the registry clients of a run, over the one counting transport.
func (p *plan) connect() {
	policy := retry.Policy{Report: p.report("registry")}
	if p.o.readOnly {
		policy.Budget = dryBudget
	}
	var from []name.Repository
	for _, im := range p.images {
		from = append(from, im.repos...)
		from = append(from, im.source.Repositories()...)
	}
	p.clients = registry.NewClients(registry.Options{
		Transport: p.network, Keychain: p.o.Keychain, Retry: policy, ReadOnly: p.o.readOnly,
		MountFrom: from, UserAgent: p.userAgent(), Jobs: p.o.jobs(),
	})
}

func (p *plan) userAgent() string { return "taglast/" + or(p.o.Version, "devel") }

// report tells the person watching what waits, and why.
func (p *plan) report(what string) func(retry.Event) {
	return func(e retry.Event) {
		if e.Wait < time.Second {
			return
		}
		asked := ""
		if e.Asked {
			asked = " as asked"
		}
		p.o.Observer.Warn(fmt.Sprintf("%s: %v; waiting %s%s", what, e.Err, e.Wait.Round(time.Second), asked))
	}
}

// identify asks for the ID token, checks it and compares it with the job's environment. It gives the services of a
// signing config that was given; where none was, they come from TUF with the trusted root.
func (p *plan) identify(ctx context.Context) (trust.Services, error) {
	services, material, err := trust.FromFiles(p.o.SigningConfig, p.o.TrustedRoot)
	if err != nil {
		return services, &Error{Stage: StagePlan, Usage: true, Err: err}
	}
	p.material = material
	verifier, err := identity.NewVerifier(identity.VerifierOptions{
		HTTP: &http.Client{Transport: p.network}, ServerURL: p.serverURL, Issuers: services.OIDCIssuers, Audience: "sigstore",
		Retry: retry.Policy{Budget: tokenBudget, AttemptTimeout: tokenTimeout, Report: p.report("ID token")},
	})
	if err != nil {
		return services, err
	}
	session := identity.NewSession(func(ctx context.Context) (string, error) {
		return p.o.IDToken(ctx, &http.Client{Transport: p.network}, "sigstore")
	}, verifier)
	token, err := session.Token(ctx)
	if err != nil {
		return services, err
	}
	p.claims = token.Claims()
	if err := identity.Disagreement(p.claims, p.o.Getenv); err != nil {
		return services, err
	}
	if !p.o.dryRun {
		if err := refuseEvent(p.claims.EventName, p.claims.Repository, p.payload); err != nil {
			return services, err
		}
		if err := refuseVisibility(p.claims, p.payload, p.o.SigningConfig != nil); err != nil {
			return services, err
		}
	}
	p.session = session
	return services, p.openStores()
}

// token is the job's, for GitHub's API.
func (o Options) token() string { return or(o.Getenv("GITHUB_TOKEN"), o.Getenv("GH_TOKEN")) }

func (p *plan) openStores() error {
	for _, kind := range p.o.Stores {
		if kind != "github" {
			return &Error{Stage: StagePlan, Usage: true, Err: fmt.Errorf("--store %s: this version of taglast keeps bundles in `github` only", kind)}
		}
	}
	token := p.o.token()
	if token == "" {
		return hint.With(errors.New("store github: there is no GITHUB_TOKEN to store attestations with"),
			"set `env: {GITHUB_TOKEN: \"${{ github.token }}\"}` on the step")
	}
	s, err := store.NewGitHub(store.GitHubOptions{
		HTTP: p.network, APIURL: or(p.o.Getenv("GITHUB_API_URL"), "https://api.github.com"), ServerURL: p.serverURL,
		Repository: p.claims.Repository, Token: token, UserAgent: p.userAgent(),
		Retry: retry.Policy{Budget: tokenBudget, Report: p.report("store github")},
	})
	if err != nil {
		return err
	}
	p.stores = []store.Store{s}
	return nil
}

// trust fixes whom to trust, by TUF where no files were given.
func (p *plan) trust(ctx context.Context, given trust.Services) error {
	if p.o.SigningConfig == nil || p.o.TrustedRoot == nil {
		services, material, err := trust.FromTUF(ctx, trust.TUFOptions{HTTP: p.network, CacheDir: p.o.CacheDir, UserAgent: p.userAgent()})
		if err != nil {
			return at(StagePlan, "", "", err)
		}
		if p.o.TrustedRoot == nil {
			p.material = material
		}
		if p.o.SigningConfig == nil {
			given = services
		}
	}
	var err error
	p.signer, err = keyless.New(keyless.Options{
		Services: given, HTTP: p.network, Tokens: p.session.Token, Renew: p.session.Renew, UserAgent: p.userAgent(),
		Retry:  retry.Policy{Budget: signBudget},
		Report: func(service string, e retry.Event) { p.report(service)(e) },
	})
	if err != nil {
		return at(StagePlan, "", "", err)
	}
	p.run = prove.Run{Trusted: p.material.Root, Claims: p.claims, ServerURL: p.serverURL}
	return nil
}

// prepareProbes makes the probe of each repository, which is made once, whoever asks for it. Another check that fails
// meanwhile does not break it off: an upload that is begun is also cancelled.
func (p *plan) prepareProbes(ctx context.Context) {
	p.probes = make(map[string]func() error)
	for _, im := range p.images {
		for _, repo := range im.repos {
			if p.probes[repo.Name()] != nil {
				continue
			}
			p.probes[repo.Name()] = sync.OnceValue(func() error {
				err := p.clients.Repository(repo).Probe(ctx)
				if errors.Is(err, registry.ErrDenied) {
					err = hint.With(&mayNotPush{displayName(repo), err}, p.deniedHint(repo))
				}
				return at(StagePlan, im.file.Name, displayName(repo), err)
			})
		}
	}
}

// probe proves that this run may push to every repository.
func (p *plan) probe() error {
	var g errgroup.Group
	g.SetLimit(p.o.jobs())
	for _, probe := range p.probes {
		g.Go(probe)
	}
	return g.Wait()
}

// mayNotPush is a registry's refusal in short, its own words on a line below.
type mayNotPush struct {
	repository string
	err        error
}

func (m *mayNotPush) Error() string {
	var status *retry.StatusError
	if !errors.As(m.err, &status) {
		return fmt.Sprintf("%s: this token may not push: %v", m.repository, m.err)
	}
	text := fmt.Sprintf("%s: this token may not push (%d denied)", m.repository, status.Status)
	if status.Message != "" {
		text += "\nthe registry says: " + status.Message
	}
	return text
}

func (m *mayNotPush) Unwrap() error { return m.err }

// deniedHint says what a push that a registry denies needs.
func (p *plan) deniedHint(repo name.Repository) string {
	if repo.RegistryStr() != "ghcr.io" {
		return fmt.Sprintf("give credentials that may push to %s: docker login, or TAGLAST_REGISTRY_AUTH", displayName(repo))
	}
	owner, pkg := splitOwner(repo.RepositoryStr())
	return fmt.Sprintf("add `packages: write` to the job's permissions. If it is there, the package belongs to another repository:\n"+
		"github.com/orgs/%s/packages/container/%s/settings → Manage Actions access → add %s, role Write", owner, pkg, p.claims.Repository)
}
