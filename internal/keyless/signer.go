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
	Services trust.Services
	HTTP     http.RoundTripper // never nil
	Tokens   func(ctx context.Context) (identity.Token, error)
	// Renew, if set, gets a token that was never used: it is asked once where Fulcio refuses one, which may have aged on
	// the way. nil: Tokens is asked again.
	Renew     func(ctx context.Context) (identity.Token, error)
	Retry     retry.Policy // of one Sign; a zero Budget means 45 minutes
	UserAgent string

	// Report, if set, hears of each failed attempt that is followed by another; service is "Fulcio", "Rekor",
	// "timestamp authority" or "ID token". It may be called from several goroutines.
	Report func(service string, ev retry.Event)
}

// Signer makes bundles. It is safe for concurrent use.
type Signer struct {
	fulcio fulcio
	rekor  rekor
	tsa    tsa
	tokens func(ctx context.Context) (identity.Token, error)
	renew  func(ctx context.Context) (identity.Token, error)
	policy retry.Policy
	report func(service string, ev retry.Event)

	requesting chan struct{} // held by whoever requests a certificate; a channel, so that waiting ends with ctx

	mu      sync.Mutex
	current *credential
}

// New makes a Signer; nothing is sent before the first Sign.
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
	w := serviceClient{
		client: &http.Client{
			Transport: o.HTTP,
			// A signing service that redirects would be sent the token or the statement at another place.
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
		fulcio:     fulcio{serviceClient: w, url: o.Services.Fulcio},
		rekor:      rekor{serviceClient: w, url: o.Services.Rekor},
		tsa:        tsa{serviceClient: w, url: o.Services.TSA},
		tokens:     o.Tokens,
		renew:      renew,
		policy:     policy,
		report:     o.Report,
		requesting: make(chan struct{}, 1),
	}, nil
}

// Sign makes a bundle over statement, an in-toto statement in JSON, whose bytes are its canonical form.
//
// Each service is asked again while its failure may pass, until the budget is spent. Results are kept between
// attempts: the same signature is logged once, a lost answer is looked up, and a signature whose certificate
// has aged meanwhile is made anew.
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

// attempt makes one attempt at all that d lacks.
func (s *Signer) attempt(ctx context.Context, d *draft, statement []byte) error {
	c, err := s.credential(ctx)
	if err != nil {
		return err
	}
	if d.credential != c { // the first attempt, or the certificate has aged since
		if *d, err = newDraft(c, statement); err != nil {
			return retry.Permanent(err)
		}
	}
	return s.witness(ctx, d)
}

// credential is the run's certificate, requested by the first caller who finds none or too old a one.
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

// Prepare gets the run's certificate before the first statement is there to be signed, in one attempt. A failure is no
// more than a lost head start: Sign asks again, by its own budget.
func (s *Signer) Prepare(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()
	_, err := s.credential(ctx)
	return err
}
