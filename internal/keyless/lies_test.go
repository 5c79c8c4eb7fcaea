package keyless_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/taglast/taglast/internal/keyless"
	"github.com/taglast/taglast/internal/retry"
)

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
		{"an entry for another certificate", changeEntry(func(e map[string]any) {
			body, err := base64.StdEncoding.DecodeString(e["body"].(string))
			if err != nil {
				panic(err)
			}
			verifier := regexp.MustCompile(`"verifier":"[^"]*"`)
			e["body"] = verifier.ReplaceAll(body, []byte(`"verifier":"`+base64.StdEncoding.EncodeToString([]byte("another"))+`"`))
		}), true, "another certificate"},
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
