// Package keyless signs in-toto statements without a key that anyone keeps: an ID token is exchanged for a short-lived
// certificate of a key that lives in memory alone, a transparency log and a timestamp authority witness each signature,
// and all of it becomes one Sigstore bundle (v0.3).
//
// One certificate serves all statements of a run; a new one is requested, with a new key and a new token, when less than
// two minutes of it remain.
package keyless

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/taglast/taglast/internal/bundle"
	"github.com/taglast/taglast/internal/identity"
	"github.com/taglast/taglast/internal/retry"
	"github.com/taglast/taglast/internal/trust"
)

const (
	defaultBudget  = 45 * time.Minute // of one Sign: an outage of Rekor took that long (2026-08-14)
	minRemaining   = 2 * time.Minute  // of a certificate that still signs: log and timestamp must fall into its life
	attemptTimeout = 60 * time.Second // of one attempt, all its requests together
)

// Options configure a Signer.
type Options struct {
	Services trust.Services    // Fulcio and Rekor are required; without a TSA no timestamp is asked for
	HTTP     http.RoundTripper // required
	// Tokens gets a valid ID token; required.
	Tokens func(ctx context.Context) (identity.Token, error)
	// Renew gets a token that was never used. It is called once where Fulcio refuses a token, which may have expired on
	// the way. nil means that Tokens is called again.
	Renew     func(ctx context.Context) (identity.Token, error)
	Retry     retry.Policy // of one Sign; a zero Budget means 45 minutes
	UserAgent string       // empty means the transport's own

	// Report is called for each failed attempt that is followed by another; service is "Fulcio", "Rekor", "timestamp
	// authority" or "ID token". It may be called from several goroutines. nil means that nobody listens.
	Report func(service string, ev retry.Event)
}

// Signer signs statements. It is safe for concurrent use.
type Signer struct {
	fulcio fulcio
	rekor  rekor
	tsa    tsa
	tokens func(ctx context.Context) (identity.Token, error)
	renew  func(ctx context.Context) (identity.Token, error)
	policy retry.Policy
	report func(service string, ev retry.Event)

	requesting chan struct{} // holds a value while a certificate is requested; unlike a mutex, waiting for it ends with ctx

	mu      sync.Mutex
	current *credential
}

// New returns a Signer. Nothing is sent before the first Sign or Prepare.
func New(o Options) (*Signer, error) {
	switch {
	case o.HTTP == nil:
		return nil, errors.New("keyless: no transport")
	case o.Tokens == nil:
		return nil, errors.New("keyless: no source of ID tokens")
	case o.Services.Fulcio == "":
		return nil, errors.New("keyless: no certificate authority")
	case o.Services.Rekor == "":
		return nil, errors.New("keyless: no transparency log")
	}
	c := serviceClient{
		client: &http.Client{
			Transport: o.HTTP,
			// A redirect would send the token or the statement to another place.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		agent: o.UserAgent,
	}
	policy := o.Retry
	if policy.Budget == 0 {
		policy.Budget = defaultBudget
	}
	if policy.AttemptTimeout == 0 {
		policy.AttemptTimeout = attemptTimeout
	}
	renew := o.Renew
	if renew == nil {
		renew = o.Tokens
	}
	return &Signer{
		fulcio:     fulcio{serviceClient: c, url: o.Services.Fulcio},
		rekor:      rekor{serviceClient: c, url: o.Services.Rekor},
		tsa:        tsa{serviceClient: c, url: o.Services.TSA},
		tokens:     o.Tokens,
		renew:      renew,
		policy:     policy,
		report:     o.Report,
		requesting: make(chan struct{}, 1),
	}, nil
}

// Sign returns a bundle, in its canonical form, over statement: an in-toto statement in JSON.
//
// Each service is asked again while its failure is transient, until the budget is spent. Results are kept between
// attempts: the same signature is logged once, and a lost answer is looked up. Where the certificate expires meanwhile,
// the statement is signed again.
func (s *Signer) Sign(ctx context.Context, statement []byte) (*bundle.Bundle, error) {
	if len(statement) == 0 {
		return nil, errors.New("sign: empty statement")
	}
	policy := s.policy
	listener := policy.Report
	policy.Report = func(ev retry.Event) {
		if listener != nil {
			listener(ev)
		}
		if s.report != nil {
			s.report(serviceOf(ev.Err), ev)
		}
	}
	var d draft
	err := retry.Do(ctx, policy, func(ctx context.Context) error { return s.attempt(ctx, &d, statement) })
	if err != nil {
		return nil, fmt.Errorf("sign: %w", err)
	}
	b, err := d.bundle()
	if err != nil {
		return nil, fmt.Errorf("sign: %w", err)
	}
	return b, nil
}

// attempt asks once for all that d lacks.
func (s *Signer) attempt(ctx context.Context, d *draft, statement []byte) error {
	c, err := s.credential(ctx)
	if err != nil {
		return err
	}
	if d.credential != c { // this is the first attempt, or the certificate was replaced since
		if *d, err = newDraft(c, statement); err != nil {
			return retry.Permanent(err)
		}
	}
	return s.witness(ctx, d)
}

// credential returns the run's certificate. The first caller that finds none, or one that expires too soon, requests it.
func (s *Signer) credential(ctx context.Context) (*credential, error) {
	select {
	case s.requesting <- struct{}{}:
		defer func() { <-s.requesting }()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	s.mu.Lock()
	current := s.current
	s.mu.Unlock()
	if current != nil && time.Until(current.leaf.NotAfter) >= minRemaining {
		return current, nil
	}
	fresh, err := s.requestCertificate(ctx)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	s.current = fresh
	s.mu.Unlock()
	return fresh, nil
}

// Prepare gets the run's certificate in one attempt, before the first statement is there to be signed. After a failure
// Sign asks again, by its own budget.
func (s *Signer) Prepare(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()
	_, err := s.credential(ctx)
	return err
}
