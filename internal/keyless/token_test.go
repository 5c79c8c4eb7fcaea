package keyless_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/taglast/taglast/internal/identity"
	"github.com/taglast/taglast/internal/keyless"
)

func TestATokenThatFulcioRefusesIsRenewedOnce(t *testing.T) {
	refuse := func(times int) func(*world) {
		return func(w *world) {
			w.before = func(n int, req *http.Request) (*http.Response, error) {
				if req.URL.Host == fulcioHost && n <= times {
					return respond(req, http.StatusUnauthorized, nil, `{"message":"token is expired"}`), nil
				}
				return nil, nil
			}
		}
	}
	t.Run("and the second is taken", func(t *testing.T) {
		under(t, refuse(1), nil, func(t *testing.T, a attempt) {
			succeeds(t, a)
			if a.w.count(http.MethodPost, fulcioHost) != 2 {
				t.Errorf("%d requests", a.w.count(http.MethodPost, fulcioHost))
			}
		})
	})
	t.Run("by Renew where there is one", func(t *testing.T) {
		renewed := 0
		var w *world
		under(t, func(x *world) { w = x; refuse(1)(x) }, func(o *keyless.Options) {
			o.Renew = func(ctx context.Context) (identity.Token, error) { renewed++; return w.token(ctx) }
		}, func(t *testing.T, a attempt) {
			succeeds(t, a)
			if renewed != 1 {
				t.Errorf("renewed %d times", renewed)
			}
		})
	})
	t.Run("and the second refusal is final", func(t *testing.T) {
		under(t, refuse(9), nil, func(t *testing.T, a attempt) {
			if a.err == nil || a.w.count(http.MethodPost, fulcioHost) != 2 || a.took != 0 {
				t.Errorf("%v after %s and %d requests", a.err, a.took, a.w.count(http.MethodPost, fulcioHost))
			}
		})
	})
	t.Run("unless it is the same one", func(t *testing.T) {
		var same identity.Token
		under(t, func(w *world) {
			refuse(9)(w)
			var err error
			if same, err = w.token(w.t.Context()); err != nil {
				t.Fatal(err)
			}
		}, func(o *keyless.Options) {
			o.Tokens = func(context.Context) (identity.Token, error) { return same, nil }
		}, func(t *testing.T, a attempt) {
			if a.err == nil || a.w.count(http.MethodPost, fulcioHost) != 1 {
				t.Errorf("%v after %d requests", a.err, a.w.count(http.MethodPost, fulcioHost))
			}
		})
	})
	t.Run("and a token that cannot be had is the error", func(t *testing.T) {
		under(t, func(*world) {}, func(o *keyless.Options) {
			o.Tokens = func(context.Context) (identity.Token, error) { return identity.Token{}, errors.New("no permission") }
		}, func(t *testing.T, a attempt) {
			if a.err == nil || a.err.Error() != "sign: ID token: no permission" {
				t.Errorf("got %v", a.err)
			}
		})
	})
}

func TestNoErrorHoldsTheToken(t *testing.T) {
	var raw string
	under(t, func(w *world) {
		w.before = func(_ int, req *http.Request) (*http.Response, error) {
			if req.URL.Host != fulcioHost {
				return nil, nil
			}
			body, err := io.ReadAll(req.Body)
			if err != nil {
				return nil, err
			}
			var got struct {
				Credentials struct {
					Token string `json:"oidcIdentityToken"`
				} `json:"credentials"`
			}
			if err := json.Unmarshal(body, &got); err != nil {
				return nil, err
			}
			raw = got.Credentials.Token
			message, err := json.Marshal(map[string]string{"message": "bad token " + raw + " at place 7"})
			return respond(req, http.StatusBadRequest, nil, string(message)), err
		}
	}, nil, func(t *testing.T, a attempt) {
		if a.err == nil || len(raw) < 100 {
			t.Fatalf("%v, token of %d bytes", a.err, len(raw))
		}
		for n := 0; n+40 <= len(raw); n += 20 {
			if strings.Contains(a.err.Error(), raw[n:n+40]) {
				t.Fatalf("a part of the token is in %q", a.err)
			}
		}
		if !strings.Contains(a.err.Error(), "bad token (hidden)") {
			t.Errorf("got %v", a.err)
		}
	})
}
