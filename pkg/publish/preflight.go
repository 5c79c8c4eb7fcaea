package publish

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"golang.org/x/sync/errgroup"

	"github.com/taglast/taglast/internal/ociref"
	"github.com/taglast/taglast/internal/registry"
	"github.com/taglast/taglast/internal/retry"
	"github.com/taglast/taglast/internal/trust"
)

// How long the services are tried (outages of three quarters of an hour have been seen; --timeout bounds them all).
const (
	signBudget   = 45 * time.Minute
	tokenBudget  = 5 * time.Minute
	tokenTimeout = 30 * time.Second // of one attempt: a token endpoint answers at once or not at all
	dryBudget    = 5 * time.Second  // a dry run's reads of real registries
)

// makePlan is the first stage: everything that can fail before anything is sent, fails here.
func (r *run) makePlan(ctx context.Context) error {
	var err error
	if r.plan, err = r.evaluate(ctx); err != nil {
		return err
	}
	if r.mode.offline() {
		if err := r.plan.staysHere(); err != nil {
			return err
		}
	}
	services, material, err := trust.FromFiles(r.o.SigningConfig, r.o.TrustedRoot)
	if err != nil {
		return usage("", err)
	}
	if err := r.checkStoreToken(); err != nil {
		return err
	}
	r.connect()
	if err := r.identify(ctx, services.OIDCIssuers); err != nil {
		return at(StagePlan, "", "", err)
	}
	if err := r.openStores(); err != nil {
		return at(StagePlan, "", "", err)
	}
	if !r.mode.readOnly() {
		r.prepareProbes(ctx)
	}
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		if err := r.current.read(gctx, r.plan.images); err != nil {
			return err
		}
		return r.checkQuotas(gctx)
	})
	g.Go(func() error { return at(StagePlan, "", "", r.trust(gctx, services, material)) })
	for _, probe := range r.probes {
		g.Go(probe)
	}
	for _, s := range r.stores {
		g.Go(func() error {
			if err := s.Preflight(gctx); err != nil {
				return at(StagePlan, "", "", fmt.Errorf("store %s: %w", s.Name(), err))
			}
			return nil
		})
	}
	return g.Wait()
}

// connect makes the registry clients of a run, over the one counting transport.
func (r *run) connect() {
	policy := retry.Policy{Report: r.waiting("registry")}
	if r.mode.readOnly() {
		policy.Budget = dryBudget
	}
	var from []name.Repository
	for _, im := range r.plan.images {
		from = append(from, im.repos...)
		from = append(from, im.source.Repositories()...)
	}
	keychain := r.o.Keychain
	if r.mode.offline() { // a credential helper may ask a server
		keychain = nil
	}
	r.clients = registry.NewClients(registry.Options{
		Transport: r.network, Keychain: keychain, Retry: policy, ReadOnly: r.mode.readOnly(),
		MountFrom: from, UserAgent: userAgent(r.o.Version), Jobs: r.o.Jobs,
	})
}

// prepareProbes makes the probe of each repository, which is made once, whoever asks for it. Another check that fails
// meanwhile does not break it off: an upload that is begun is also cancelled.
func (r *run) prepareProbes(ctx context.Context) {
	r.probes = make(map[string]func() error)
	for _, im := range r.plan.images {
		for _, repo := range im.repos {
			if r.probes[repo.Name()] == nil {
				r.probes[repo.Name()] = sync.OnceValue(func() error { return r.probeRepository(ctx, im, repo) })
			}
		}
	}
}

// probe proves that this run may push to a repository.
func (r *run) probe(repo name.Repository) error { return r.probes[repo.Name()]() }

func (r *run) probeRepository(ctx context.Context, im *plannedImage, repo name.Repository) error {
	err := r.clients.Repository(repo).Probe(ctx)
	if !errors.Is(err, registry.ErrDenied) {
		return at(StagePlan, im.file.Name, ociref.DisplayName(repo), err)
	}
	e := &Error{
		Stage: StagePlan, Image: im.file.Name, Ref: ociref.DisplayName(repo), Hint: r.deniedHint(repo),
		Err: fmt.Errorf("%s: this token may not push: %w", ociref.DisplayName(repo), err),
	}
	var status *retry.StatusError
	if errors.As(err, &status) { // in short, the registry's own words on a line below
		e.Err = fmt.Errorf("%s: this token may not push (%d denied)", ociref.DisplayName(repo), status.Status)
		if status.Message != "" {
			e.Detail = "the registry says: " + status.Message
		}
	}
	return e
}

// deniedHint says what a push that a registry denies needs.
func (r *run) deniedHint(repo name.Repository) string {
	if repo.RegistryStr() != "ghcr.io" {
		return fmt.Sprintf("give credentials that may push to %s: docker login, or TAGLAST_REGISTRY_AUTH", ociref.DisplayName(repo))
	}
	owner, pkg := splitOwner(repo.RepositoryStr())
	return fmt.Sprintf("add `packages: write` to the job's permissions. If it is there, the package belongs to another repository:\n"+
		"github.com/orgs/%s/packages/container/%s/settings → Manage Actions access → add %s, role Write", owner, pkg, r.claims.Repository)
}

// splitOwner splits ghcr.io's owner/package, the package with its slashes escaped as the settings page wants them.
func splitOwner(path string) (owner, pkg string) {
	owner, pkg, _ = strings.Cut(path, "/")
	return owner, strings.ReplaceAll(pkg, "/", "%2F")
}
