package identity_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taglast/taglast/internal/identity"
)

func TestASessionFetchesOnceAndRenewsAnOldToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i, n := newIssuer(t), 0
		s := identity.NewSession(func(context.Context) (string, error) {
			n++
			return i.sign(claims("jti", n)), nil // valid for 300 s
		}, i.verifier())
		begin := time.Now()
		for _, c := range []struct {
			at      time.Duration
			fetches int
		}{{0, 1}, {0, 1}, {210 * time.Second, 1}, {211 * time.Second, 2}, {300 * time.Second, 2}, {time.Hour, 3}} {
			time.Sleep(time.Until(begin.Add(c.at)))
			token, err := s.Token(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if n != c.fetches || time.Until(token.Expiry()) < 90*time.Second {
				t.Errorf("after %s: %d fetches, want %d; %s left", c.at, n, c.fetches, time.Until(token.Expiry()))
			}
		}
	})
}

func TestConcurrentCallersShareOneFetch(t *testing.T) {
	for name, fails := range map[string]error{"that succeeds": nil, "that fails": errors.New("no")} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				i, n := newIssuer(t), 0
				s := identity.NewSession(func(context.Context) (string, error) {
					n++
					time.Sleep(time.Second)
					return i.sign(claims()), fails
				}, i.verifier())
				var wg sync.WaitGroup
				for range 10 {
					wg.Go(func() {
						if token, err := s.Token(t.Context()); !errors.Is(err, fails) || (token.Raw() == "") != (fails != nil) {
							t.Errorf("got %v", err)
						}
					})
				}
				wg.Wait()
				if n != 1 {
					t.Errorf("%d fetches", n)
				}
			})
		})
	}
}

func TestACallerThatLeavesDoesNotTakeTheOthersAlong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		i, n := newIssuer(t), 0
		s := identity.NewSession(func(ctx context.Context) (string, error) {
			n++
			select {
			case <-ctx.Done():
				return "", ctx.Err()
			case <-time.After(time.Minute):
				return i.sign(claims()), nil
			}
		}, i.verifier())
		leaves, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		impatient, stop := context.WithTimeout(t.Context(), 5*time.Second)
		defer stop()
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, err := s.Token(leaves); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("the one that fetches: %v", err)
			}
		})
		synctest.Wait()
		wg.Go(func() {
			begin := time.Now()
			if _, err := s.Token(impatient); !errors.Is(err, context.DeadlineExceeded) || time.Since(begin) != 5*time.Second {
				t.Errorf("one that waits for 5 s: %v after %s", err, time.Since(begin))
			}
		})
		wg.Go(func() {
			if _, err := s.Token(t.Context()); err != nil {
				t.Errorf("one that waits on: %v", err)
			}
		})
		wg.Wait()
		if n != 2 {
			t.Errorf("%d fetches", n)
		}
	})
}

func TestALaterTokenOfAnotherIdentityIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		change []any
		want   string
	}{
		"the same but for its own claims": {[]any{"jti", "b"}, ""},
		"no jti":                          {[]any{"jti", nil}, ""},
		"another attempt and actor":       {[]any{"run_attempt", "3", "actor", "eve"}, "actor, run_attempt"},
		"a claim more":                    {[]any{"extra", true}, "extra"},
		"a claim less":                    {[]any{"actor", nil}, "actor"},
		"another type":                    {[]any{"actor", []string{"octocat"}}, "actor"},
		"an enterprise's slug":            {[]any{"iss", githubIssuer + "/acme"}, "iss"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				i, n := newIssuer(t), 0
				s := identity.NewSession(func(context.Context) (string, error) {
					if n++; n == 2 {
						return i.sign(claims(c.change...)), nil
					}
					return i.sign(claims()), nil
				}, i.verifier())
				if _, err := s.Token(t.Context()); err != nil {
					t.Fatal(err)
				}
				time.Sleep(5 * time.Minute)
				_, err := s.Token(t.Context())
				if want := "ID token: this one differs from the run's first in: " + c.want; c.want == "" && err != nil || c.want != "" && (err == nil || err.Error() != want) {
					t.Errorf("got %v, want %s", err, want)
				}
				if _, err := s.Token(t.Context()); err != nil {
					t.Errorf("the first identity again: %v", err)
				}
			})
		})
	}
}

func TestATokenThatDoesNotVerifyIsNotKept(t *testing.T) {
	i, n := newIssuer(t), 0
	s := identity.NewSession(func(context.Context) (string, error) {
		if n++; n == 1 {
			return i.sign(claims("aud", "nobody", "repository", "evil/x")), nil
		}
		return i.sign(claims()), nil
	}, i.verifier())
	if token, err := s.Token(t.Context()); err == nil || token.Raw() != "" {
		t.Errorf("got %v", err)
	}
	if token, err := s.Token(t.Context()); err != nil || token.Claims().Repository != "Foo/Bar" {
		t.Errorf("got %v", err)
	}
}
