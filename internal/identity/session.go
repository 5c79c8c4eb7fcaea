package identity

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/taglast/taglast/internal/escape"
)

// renewBefore is how long a token must still be valid to be used: a certificate request with its retries takes that
// long.
const renewBefore = 90 * time.Second

// Session holds the run's ID token and renews it. It is safe for concurrent use.
type Session struct {
	fetch    func(context.Context) (string, error)
	verifier *Verifier

	mu      sync.Mutex
	first   Token // every later one must equal it
	current Token
	pending *tokenFetch
}

// tokenFetch is one fetch of a token: one caller does it, and the others wait for its result.
type tokenFetch struct {
	done      chan struct{}
	token     Token
	err       error
	abandoned bool // the context of the caller that did it ended: another caller must fetch
}

// NewSession returns a Session that fetches raw ID tokens by fetch and verifies them by v. Neither may be nil.
func NewSession(fetch func(ctx context.Context) (string, error), v *Verifier) *Session {
	return &Session{fetch: fetch, verifier: v}
}

// Renew drops the current token, which a service refused, and returns another, as Token does.
func (s *Session) Renew(ctx context.Context) (Token, error) {
	s.mu.Lock()
	s.current = Token{}
	s.mu.Unlock()
	return s.Token(ctx)
}

// Token returns a verified token that is valid for 90 seconds or more, if the issuer gives such a one. It is fetched at
// the first call and when the last one is valid for less; concurrent callers share one fetch. A later token that differs
// from the first in any claim but iat, nbf, exp and jti is an error: the run would have two identities.
func (s *Session) Token(ctx context.Context) (Token, error) {
	for {
		s.mu.Lock()
		if s.current.p != nil && time.Until(s.current.Expiry()) >= renewBefore {
			defer s.mu.Unlock()
			return s.current, nil
		}
		f := s.pending
		if f == nil {
			f = &tokenFetch{done: make(chan struct{})}
			s.pending = f
			s.mu.Unlock()
			return s.fetchShared(ctx, f)
		}
		s.mu.Unlock()
		select {
		case <-ctx.Done():
			return Token{}, context.Cause(ctx)
		case <-f.done:
			if !f.abandoned {
				return f.token, f.err
			}
		}
	}
}

// fetchShared fetches a token for all callers that wait for f.
func (s *Session) fetchShared(ctx context.Context, f *tokenFetch) (Token, error) {
	f.err = errors.New("ID token: the fetch did not return") // what the others see if it panics
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if f.err == nil {
			if s.first.p == nil {
				s.first = f.token
			}
			s.current = f.token
		}
		f.abandoned = f.err != nil && ctx.Err() != nil
		s.pending = nil
		close(f.done)
	}()
	f.token, f.err = s.fetchVerified(ctx)
	return f.token, f.err
}

// fetchVerified fetches a token, verifies it, and compares it with the first one.
func (s *Session) fetchVerified(ctx context.Context) (Token, error) {
	raw, err := s.fetch(ctx)
	if err != nil {
		return Token{}, err
	}
	t, err := s.verifier.Verify(ctx, raw)
	if err != nil {
		return Token{}, err
	}
	s.mu.Lock()
	first := s.first
	s.mu.Unlock()
	if first.p == nil {
		return t, nil
	}
	if names := differingClaims(first.p.all, t.p.all); len(names) > 0 {
		return Token{}, fmt.Errorf("ID token: this one differs from the run's first in: %s", escape.Bounded(strings.Join(names, ", "), 1000))
	}
	return t, nil
}

// differingClaims names the claims that a and b do not share with the same value. Claims that every token has its own
// value of do not count.
func differingClaims(a, b map[string]any) []string {
	names := map[string]bool{}
	for name := range a {
		names[name] = true
	}
	for name := range b {
		names[name] = true
	}
	for _, perToken := range []string{"iat", "nbf", "exp", "jti"} {
		delete(names, perToken)
	}
	maps.DeleteFunc(names, func(name string, _ bool) bool {
		va, inA := a[name]
		vb, inB := b[name]
		return inA == inB && reflect.DeepEqual(va, vb)
	})
	return slices.Sorted(maps.Keys(names))
}
