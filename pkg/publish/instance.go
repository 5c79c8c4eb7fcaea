package publish

import (
	"context"

	"github.com/taglast/taglast/internal/keyless"
	"github.com/taglast/taglast/internal/retry"
	"github.com/taglast/taglast/internal/stage/prove"
	"github.com/taglast/taglast/internal/trust"
)

// trust fixes whom to trust and who signs, by TUF where no files were given.
// services and material are what the files gave.
func (r *run) trust(ctx context.Context, services trust.Services, material trust.Material) error {
	if r.o.SigningConfig == nil || r.o.TrustedRoot == nil {
		byTUF, root, err := trust.FromTUF(ctx, trust.TUFOptions{HTTP: r.network, CacheDir: r.o.CacheDir, UserAgent: userAgent(r.o.Version)})
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
	var err error
	r.signer, err = keyless.New(keyless.Options{
		Services: services, HTTP: r.network, Tokens: r.session.Token, Renew: r.session.Renew, UserAgent: userAgent(r.o.Version),
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
