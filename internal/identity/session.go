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

// renewBefore is the time that a token must still have to be of use: for a certificate request with its retries.
const renewBefore = 90 * time.Second

// Session holds the run's ID token and renews it. It is safe for concurrent use.
type Session struct {
	fetch    func(context.Context) (string, error)
	verifier *Verifier

	mu      sync.Mutex
	first   Token // every later one must equal it
	current Token
	flight  *flight
}

// flight is one fetch, by the caller that began it, that others wait for.
type flight struct {
	done      chan struct{}
	token     Token
	err       error
	abandoned bool // the caller that began it has gone
}

// NewSession makes a Session of a function that fetches a raw ID token, and the Verifier for it.
func NewSession(fetch func(ctx context.Context) (string, error), v *Verifier) *Session {
	return &Session{fetch: fetch, verifier: v}
}

// Renew is Token with a token that nobody has used: the current one is dropped first, because a service refused it.
func (s *Session) Renew(ctx context.Context) (Token, error) {
	s.mu.Lock()
	s.current = Token{}
	s.mu.Unlock()
	return s.Token(ctx)
}

// Token returns a verified token that is valid for 90 seconds or more, if the issuer gives such. It is fetched at the
// first call and when the last one has become old; concurrent callers share one fetch. A later token that differs from
// the first in any claim but iat, nbf, exp and jti is an error: the run would have two identities.
func (s *Session) Token(ctx context.Context) (Token, error) {
	for {
		s.mu.Lock()
		if s.current.p != nil && time.Until(s.current.Expiry()) >= renewBefore {
			defer s.mu.Unlock()
			return s.current, nil
		}
		f := s.flight
		if f == nil {
			f = &flight{done: make(chan struct{})}
			s.flight = f
			s.mu.Unlock()
			return s.fly(ctx, f)
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

// fly fetches a token for all who wait for f.
func (s *Session) fly(ctx context.Context, f *flight) (Token, error) {
	f.err = errors.New("ID token: the fetch did not return") // unless it does
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
		s.flight = nil
		close(f.done)
	}()
	f.token, f.err = s.renewed(ctx)
	return f.token, f.err
}

func (s *Session) renewed(ctx context.Context) (Token, error) {
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
	if names := difference(first.p.all, t.p.all); len(names) > 0 {
		return Token{}, fmt.Errorf("ID token: this one differs from the run's first in: %s", escape.Bounded(strings.Join(names, ", "), 1000))
	}
	return t, nil
}

// difference names the claims that are not in both with the same value, except those that each token has its own of.
func difference(a, b map[string]any) []string {
	names := map[string]bool{}
	for name := range a {
		names[name] = true
	}
	for name := range b {
		names[name] = true
	}
	for _, own := range []string{"iat", "nbf", "exp", "jti"} {
		delete(names, own)
	}
	maps.DeleteFunc(names, func(name string, _ bool) bool {
		va, inA := a[name]
		vb, inB := b[name]
		return inA == inB && reflect.DeepEqual(va, vb)
	})
	return slices.Sorted(maps.Keys(names))
}
