package keyless_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taglast/taglast/internal/retry"
	"github.com/taglast/taglast/pkg/identity"
	"github.com/taglast/taglast/pkg/keyless"
)

// attempt is one Sign under a fault.
type attempt struct {
	w    *world
	raw  []byte
	err  error
	took time.Duration
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
		raw, err := w.signer(change).Sign(t.Context(), statement)
		a := attempt{w: w, raw: raw, err: err, took: time.Since(begin)}
		w.before, w.after = nil, nil
		if err == nil {
			w.verify(raw, statement, digest("a"))
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

// changeEntry edits the one entry of Rekor's answers.
func changeEntry(change func(entry map[string]any)) func(*world) {
	return func(w *world) {
		w.after = func(_ int, req *http.Request, resp *http.Response) (*http.Response, error) {
			if req.URL.Host != rekorHost || resp.StatusCode == http.StatusConflict {
				return resp, nil
			}
			return rewrite(resp, func(body []byte) []byte {
				var answer map[string]map[string]any
				dec := json.NewDecoder(bytes.NewReader(body))
				dec.UseNumber()
				if err := dec.Decode(&answer); err != nil {
					panic(err)
				}
				for _, entry := range answer {
					change(entry)
				}
				out, err := json.Marshal(answer)
				if err != nil {
					panic(err)
				}
				return out
			})
		}
	}
}

func verification(entry map[string]any) map[string]any {
	return entry["verification"].(map[string]any)
}

func TestAnswersThatAreRefused(t *testing.T) {
	// What another job has logged and timestamped.
	other := newWorld(t)
	var entry, stamp []byte
	other.after = func(_ int, req *http.Request, resp *http.Response) (*http.Response, error) {
		return rewrite(resp, func(body []byte) []byte {
			switch req.URL.Host {
			case rekorHost:
				entry = bytes.Clone(body)
			case tsaHost:
				stamp = bytes.Clone(body)
			}
			return body
		})
	}
	if _, err := other.signer().Sign(t.Context(), other.statement(digest("a"))); err != nil {
		t.Fatal(err)
	}
	replace := func(host string, body func([]byte) []byte) func(*world) {
		return func(w *world) {
			w.after = func(_ int, req *http.Request, resp *http.Response) (*http.Response, error) {
				if req.URL.Host != host {
					return resp, nil
				}
				return rewrite(resp, body)
			}
		}
	}
	large := func([]byte) []byte { return bytes.Repeat([]byte(" "), 2<<20) }
	for _, tt := range []struct {
		name  string
		fault func(*world)
		final bool // at once, not when the budget is spent
		want  string
	}{
		{"another job's log entry", replace(rekorHost, func([]byte) []byte { return entry }), true, "another signature"},
		{"an entry of another kind", changeEntry(func(e map[string]any) { e["body"] = []byte(`{"kind":"hashedrekord","apiVersion":"0.0.1"}`) }), true, "another kind"},
		{"an entry for another statement", changeEntry(func(e map[string]any) { e["body"] = []byte(`{"kind":"dsse","apiVersion":"0.0.1","spec":{}}`) }), true, "another statement"},
		{"an entry without a signed time", changeEntry(func(e map[string]any) { delete(verification(e), "signedEntryTimestamp") }), false, "signed timestamp"},
		{"an entry without a proof", changeEntry(func(e map[string]any) { delete(verification(e), "inclusionProof") }), false, "proof"},
		{"an entry without a checkpoint", changeEntry(func(e map[string]any) { delete(verification(e)["inclusionProof"].(map[string]any), "checkpoint") }), false, "proof"},
		{"a proof of 65 hashes", changeEntry(func(e map[string]any) {
			verification(e)["inclusionProof"].(map[string]any)["hashes"] = strings.Split(strings.Repeat("aa,", 64)+"aa", ",")
		}), true, "65 hashes"},
		{"an entry of a log without a name", changeEntry(func(e map[string]any) { e["logID"] = "" }), false, "hexadecimal"},
		{"two entries", replace(rekorHost, func(b []byte) []byte {
			return append(append(bytes.TrimSuffix(bytes.TrimSpace(b), []byte("}")), ','), bytes.TrimPrefix(entry, []byte("{"))...)
		}), false, "2 log entries"},
		{"an endless log answer", replace(rekorHost, large), true, "larger than"},
		{"another job's timestamp", replace(tsaHost, func([]byte) []byte { return stamp }), true, "another signature"},
		{"an endless timestamp", replace(tsaHost, large), true, "larger than"},
		{"another job's certificate", func(w *world) {
			// The first request's answer is given to all that follow: their key is another.
			var first []byte
			w.after = func(n int, req *http.Request, resp *http.Response) (*http.Response, error) {
				if req.URL.Host != fulcioHost {
					return resp, nil
				}
				if n == 1 {
					_, err := rewrite(resp, func(b []byte) []byte { first = b; return b })
					return nil, errors.Join(errReset, err)
				}
				return rewrite(resp, func([]byte) []byte { return first })
			}
		}, true, "another key"},
		{"an endless certificate", replace(fulcioHost, large), true, "larger than"},
		{"no certificate", replace(fulcioHost, func([]byte) []byte { return []byte(`{"signedCertificateEmbeddedSct":{"chain":{}}}`) }), false, "no certificate"},
		{"a certificate that has aged", func(w *world) {
			w.after = func(_ int, req *http.Request, resp *http.Response) (*http.Response, error) {
				if req.URL.Host == fulcioHost {
					time.Sleep(9 * time.Minute)
				}
				return resp, nil
			}
		}, true, "clock"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			under(t, tt.fault, func(o *keyless.Options) {
				o.Retry = retry.Policy{Budget: 3 * time.Minute, AttemptTimeout: time.Hour}
			}, func(t *testing.T, a attempt) {
				if a.err == nil || !strings.Contains(a.err.Error(), tt.want) {
					t.Errorf("got %v, want %q", a.err, tt.want)
				}
				var gaveUp *retry.Exhausted
				if errors.As(a.err, &gaveUp) == tt.final {
					t.Errorf("after %s: %v", a.took, a.err)
				}
			})
		})
	}
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
