package keyless_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taglast/taglast/internal/bundle"
	"github.com/taglast/taglast/internal/keyless"
	"github.com/taglast/taglast/internal/retry"
)

// attempt is one Sign under a fault.
type attempt struct {
	w      *world
	bundle *bundle.Bundle
	err    error
	took   time.Duration
}

// under runs one Sign in a bubble; the bundle, if there is one, must verify.
func under(t *testing.T, fault func(*world), change func(*keyless.Options), check func(t *testing.T, a attempt)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		fault(w)
		if change == nil {
			change = func(*keyless.Options) {}
		}
		statement := w.statement(digest("a"))
		begin := time.Now()
		b, err := w.signer(change).Sign(t.Context(), statement)
		a := attempt{w: w, bundle: b, err: err, took: time.Since(begin)}
		w.before, w.after = nil, nil
		if err == nil {
			w.verify(b, statement, digest("a"))
		}
		check(t, a)
	})
}

func succeeds(t *testing.T, a attempt) {
	t.Helper()
	if a.err != nil {
		t.Error(a.err)
	}
}

// firstOf applies a change to the first answer of a host.
func firstOf(method, host string, change func(req *http.Request, resp *http.Response) (*http.Response, error)) func(*world) {
	return func(w *world) {
		w.after = func(n int, req *http.Request, resp *http.Response) (*http.Response, error) {
			if n == 1 && req.Method == method && req.URL.Host == host {
				return change(req, resp)
			}
			return resp, nil
		}
	}
}

func TestFaultsThatPass(t *testing.T) {
	faults := map[string]func(*http.Request, *http.Response) (*http.Response, error){
		"a lost answer": func(*http.Request, *http.Response) (*http.Response, error) { return nil, errReset },
		"garbage": func(_ *http.Request, resp *http.Response) (*http.Response, error) {
			return rewrite(resp, func([]byte) []byte { return []byte("<html>proxy</html>") })
		},
		"a body that is cut": func(_ *http.Request, resp *http.Response) (*http.Response, error) {
			return rewrite(resp, func(b []byte) []byte { return b[:len(b)/2] })
		},
		"a body that ends in an error": func(_ *http.Request, resp *http.Response) (*http.Response, error) {
			resp.Body = io.NopCloser(io.MultiReader(io.LimitReader(resp.Body, 10), broken{}))
			return resp, nil
		},
		"an empty object": func(_ *http.Request, resp *http.Response) (*http.Response, error) {
			return rewrite(resp, func([]byte) []byte { return []byte("{}") })
		},
		"429 with Retry-After": func(req *http.Request, _ *http.Response) (*http.Response, error) {
			return respond(req, http.StatusTooManyRequests, map[string]string{"Retry-After": "20"}, ""), nil
		},
		"408": func(req *http.Request, _ *http.Response) (*http.Response, error) {
			return respond(req, http.StatusRequestTimeout, nil, ""), nil
		},
		"503": func(req *http.Request, _ *http.Response) (*http.Response, error) {
			return respond(req, http.StatusServiceUnavailable, nil, `{"message":"busy"}`), nil
		},
	}
	for _, host := range []string{fulcioHost, rekorHost, tsaHost} {
		for name, fault := range faults {
			t.Run(host+" "+name, func(t *testing.T) {
				under(t, firstOf(http.MethodPost, host, fault), nil, func(t *testing.T, a attempt) {
					succeeds(t, a)
					if a.w.count(http.MethodPost, host) != 2 {
						t.Errorf("%d requests", a.w.count(http.MethodPost, host))
					}
					if strings.Contains(name, "Retry-After") && a.took < 20*time.Second {
						t.Errorf("waited %s only", a.took)
					}
				})
			})
		}
	}
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func TestAnEntryThatIsLoggedAlreadyIsLookedUp(t *testing.T) {
	lose := firstOf(http.MethodPost, rekorHost, func(*http.Request, *http.Response) (*http.Response, error) { return nil, errReset })
	location := func(value string) func(*world) {
		return func(w *world) {
			lose(w)
			first := w.after
			w.after = func(n int, req *http.Request, resp *http.Response) (*http.Response, error) {
				if resp.StatusCode == http.StatusConflict && n == 2 {
					resp.Header.Set("Location", strings.ReplaceAll(value, "UUID", resp.Header.Get("Location")[strings.LastIndex(resp.Header.Get("Location"), "/")+1:]))
				}
				return first(n, req, resp)
			}
		}
	}
	for _, tt := range []struct {
		name    string
		fault   func(*world)
		entries int // POSTs
		reads   int // GETs
	}{
		{"as Rekor says it", lose, 2, 1},
		{"at a full address", location("https://" + rekorHost + "/api/v1/log/entries/UUID"), 2, 1},
		{"at a foreign address, which is never asked", location("https://evil.example/UUID"), 2, 1},
		{"nowhere: a new signature is logged", location(""), 3, 0},
		{"at something that is no name of an entry", location("/api/v1/log/entries/..%2f..%2fsecret"), 3, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			under(t, tt.fault, nil, func(t *testing.T, a attempt) {
				succeeds(t, a)
				if p, g := a.w.count(http.MethodPost, rekorHost), a.w.count(http.MethodGet, rekorHost); p != tt.entries || g != tt.reads {
					t.Errorf("%d POST, %d GET; want %d, %d", p, g, tt.entries, tt.reads)
				}
				for _, req := range a.w.seen {
					if req.URL.Host == "evil.example" {
						t.Error("the foreign address was asked")
					}
				}
			})
		})
	}
	t.Run("and a replica that has not seen it yet is asked again", func(t *testing.T) {
		under(t, func(w *world) {
			lose(w)
			w.before = func(n int, req *http.Request) (*http.Response, error) {
				if req.Method == http.MethodGet && req.URL.Host == rekorHost && n == 1 {
					return respond(req, http.StatusNotFound, nil, ""), nil
				}
				return nil, nil
			}
		}, nil, succeeds)
	})
}

func TestRefusalsAreFinal(t *testing.T) {
	for _, host := range []string{fulcioHost, rekorHost, tsaHost} {
		for _, status := range []int{http.StatusForbidden, http.StatusNotFound, http.StatusUnprocessableEntity, http.StatusFound} {
			t.Run(host+" "+http.StatusText(status), func(t *testing.T) {
				under(t, func(w *world) {
					w.before = func(_ int, req *http.Request) (*http.Response, error) {
						if req.URL.Host == host {
							return respond(req, status, map[string]string{"Location": "https://evil.example/"}, `{"message":"no\u001b[31m"}`), nil
						}
						return nil, nil
					}
				}, nil, func(t *testing.T, a attempt) {
					var refused *retry.StatusError
					if !errors.As(a.err, &refused) || refused.Status != status || a.took != 0 {
						t.Errorf("%v after %s", a.err, a.took)
					}
					if a.w.count(http.MethodPost, host) != 1 || a.w.count(http.MethodPost, "evil.example") != 0 {
						t.Errorf("requests: %v", a.w.counts)
					}
					if strings.Contains(a.err.Error(), "\x1b") {
						t.Errorf("foreign control characters in %q", a.err)
					}
				})
			})
		}
	}
}
