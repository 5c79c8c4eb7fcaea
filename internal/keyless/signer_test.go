package keyless_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	bundlepb "github.com/sigstore/protobuf-specs/gen/pb-go/bundle/v1"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/taglast/taglast/internal/bundle"
	"github.com/taglast/taglast/internal/keyless"
	"github.com/taglast/taglast/internal/retry"
)

func TestASignedStatementPassesTheExactPolicy(t *testing.T) {
	w := newWorld(t)
	s := w.signer()
	if len(w.seen) > 0 {
		t.Errorf("%d requests before the first signature", len(w.seen))
	}
	statement := w.statement(digest("a"))
	b, err := s.Sign(t.Context(), statement)
	if err != nil {
		t.Fatal(err)
	}
	v := w.verify(b, statement, digest("a"))
	if v.LogIndex < 0 || len(v.Times) == 0 {
		t.Errorf("%+v", v)
	}
	if left := time.Until(certificate(t, b).NotAfter); left < 9*time.Minute || left > 10*time.Minute {
		t.Errorf("the certificate has %s left", left)
	}
	for _, req := range w.seen {
		if req.Header.Get("Authorization") != "" {
			t.Errorf("%s was sent an Authorization header", req.URL)
		}
		if req.Header.Get("User-Agent") != "taglast/test" {
			t.Errorf("%s: user agent %q", req.URL, req.Header.Get("User-Agent"))
		}
	}
}

func TestWithoutATimestampAuthorityTheLogAloneWitnesses(t *testing.T) {
	w := newWorld(t)
	w.services.TSA = ""
	statement := w.statement(digest("a"))
	b, err := w.signer().Sign(t.Context(), statement)
	if err != nil {
		t.Fatal(err)
	}
	if v := w.verify(b, statement, digest("a")); len(v.Times) != 1 {
		t.Errorf("times: %v", v.Times)
	}
}

func TestBundlesAreCanonical(t *testing.T) {
	w := newWorld(t)
	s := w.signer()
	if _, err := s.Sign(t.Context(), w.statement(digest("a"))); err != nil { // index 0 would not be written
		t.Fatal(err)
	}
	b, err := s.Sign(t.Context(), w.statement(digest("a")))
	if err != nil {
		t.Fatal(err)
	}
	raw := b.Raw()
	var compact bytes.Buffer
	if err := json.Compact(&compact, raw); err != nil || !bytes.Equal(compact.Bytes(), raw) {
		t.Errorf("white space in %s", raw)
	}
	order := []string{
		`{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json"`, `"verificationMaterial":{"certificate":{"rawBytes":`,
		`"tlogEntries":[{"logIndex":`, `"logId":`, `"kindVersion":{"kind":"dsse","version":"0.0.1"}`, `"integratedTime":`,
		`"inclusionPromise":`, `"inclusionProof":`, `"canonicalizedBody":`, `"timestampVerificationData":`, `"dsseEnvelope":{"payload":`,
		`"payloadType":"application/vnd.in-toto+json"`, `"signatures":[{"sig":`,
	}
	at := 0
	for _, part := range order {
		n := bytes.Index(raw[at:], []byte(part))
		if n < 0 {
			t.Fatalf("%s is missing or out of order in %s", part, raw)
		}
		at += n
	}
	if bytes.Contains(raw, []byte("keyid")) {
		t.Error("a keyid was written")
	}
	var message bundlepb.Bundle
	if err := protojson.Unmarshal(raw, &message); err != nil {
		t.Fatal(err)
	}
	for range 20 {
		again, err := bundle.New(proto.CloneOf(&message))
		if err != nil || !bytes.Equal(again.Raw(), raw) {
			t.Fatalf("another serialisation: %v, %v", again, err)
		}
		// protojson decides about its spaces by the program's hash; loose input must not matter.
		loose, err := protojson.MarshalOptions{Multiline: true}.Marshal(&message)
		if err != nil {
			t.Fatal(err)
		}
		parsed, err := bundle.Parse(loose)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := parsed.Canonical(); err != nil || !bytes.Equal(again, raw) {
			t.Fatalf("another serialisation after a round trip: %s, %v", again, err)
		}
	}
}

func TestManyStatementsShareOneCertificate(t *testing.T) {
	w := newWorld(t)
	s := w.signer()
	var wait sync.WaitGroup
	for _, name := range strings.Split("abcdefgh", "") {
		wait.Go(func() {
			statement := w.statement(digest(name))
			b, err := s.Sign(t.Context(), statement)
			if err != nil {
				t.Error(err)
				return
			}
			w.verify(b, statement, digest(name))
		})
	}
	wait.Wait()
	if n := w.count(http.MethodPost, fulcioHost); n != 1 {
		t.Errorf("%d certificates were requested", n)
	}
	if n := w.count(http.MethodPost, rekorHost); n != 8 {
		t.Errorf("%d log entries", n)
	}
}

// certificate of a bundle.
func certificate(t *testing.T, b *bundle.Bundle) *x509.Certificate {
	t.Helper()
	v, err := b.Verifiable()
	if err != nil {
		t.Fatal(err)
	}
	content, err := v.VerificationContent()
	if err != nil {
		t.Fatal(err)
	}
	return content.Certificate()
}

func TestACertificateIsRenewedTwoMinutesBeforeItEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		s := w.signer()
		sign := func() *x509.Certificate {
			statement := w.statement(digest("a"))
			b, err := s.Sign(t.Context(), statement)
			if err != nil {
				t.Fatal(err)
			}
			w.verify(b, statement, digest("a"))
			return certificate(t, b)
		}
		first := sign()
		time.Sleep(time.Until(first.NotAfter) - 2*time.Minute)
		if !sign().Equal(first) {
			t.Error("renewed too early")
		}
		time.Sleep(time.Second)
		tokens := w.tokens
		if next := sign(); next.Equal(first) || !next.NotAfter.After(first.NotAfter) {
			t.Error("not renewed")
		}
		if w.tokens < tokens+1 {
			t.Error("no new token was asked for")
		}
	})
}

// outage answers a host with 502 for a while.
func outage(host string, d time.Duration) func(int, *http.Request) (*http.Response, error) {
	end := time.Now().Add(d)
	return func(_ int, req *http.Request) (*http.Response, error) {
		if req.URL.Host == host && time.Now().Before(end) {
			return respond(req, http.StatusBadGateway, nil, "bad gateway"), nil
		}
		return nil, nil
	}
}

func TestAnOutageOfFortyMinutesIsSatOut(t *testing.T) {
	for host, service := range map[string]string{fulcioHost: "Fulcio", rekorHost: "Rekor", tsaHost: "timestamp authority"} {
		t.Run(service, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.before = outage(host, 40*time.Minute)
				heard := map[string]int{}
				s := w.signer(func(o *keyless.Options) {
					o.Report = func(service string, ev retry.Event) { heard[service]++ }
				})
				statement := w.statement(digest("a"))
				b, err := s.Sign(t.Context(), statement)
				if err != nil {
					t.Fatal(err)
				}
				w.verify(b, statement, digest("a"))
				if heard[service] < 3 || len(heard) != 1 {
					t.Errorf("reports: %v", heard)
				}
				if service == "Fulcio" {
					return
				}
				// One certificate for each eight minutes, and never a second entry for a signature that is logged.
				if n := w.count(http.MethodPost, fulcioHost); n < 5 || n > 7 {
					t.Errorf("%d certificates in 40 minutes", n)
				}
				if n := w.count(http.MethodPost, rekorHost); service == "timestamp authority" && n > 7 {
					t.Errorf("%d log entries for %d signatures", n, w.count(http.MethodPost, fulcioHost))
				}
			})
		})
	}
}

func TestAnOutageThatIsTooLongEndsWithTheBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.before = outage(rekorHost, 10*time.Hour)
		begin := time.Now()
		_, err := w.signer().Sign(t.Context(), w.statement(digest("a")))
		took := time.Since(begin)
		var status *retry.StatusError
		if !errors.As(err, &status) || status.Status != http.StatusBadGateway || !strings.Contains(err.Error(), "Rekor") {
			t.Errorf("got %v", err)
		}
		if took < 45*time.Minute || took > 47*time.Minute {
			t.Errorf("gave up after %s", took)
		}
	})
}

func TestSigningEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.before = func(_ int, req *http.Request) (*http.Response, error) {
			if req.URL.Host != rekorHost {
				return nil, nil
			}
			<-req.Context().Done()
			return nil, req.Context().Err()
		}
		ctx, cancel := context.WithTimeout(t.Context(), 7*time.Second)
		defer cancel()
		begin := time.Now()
		_, err := w.signer().Sign(ctx, w.statement(digest("a")))
		if took := time.Since(begin); !errors.Is(err, context.DeadlineExceeded) || took != 7*time.Second {
			t.Errorf("%v after %s", err, took)
		}
	})
}

func TestOneWhoWaitsForACertificateEndsWithItsOwnContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.before = func(_ int, req *http.Request) (*http.Response, error) {
			if req.URL.Host == fulcioHost {
				time.Sleep(30 * time.Second)
			}
			return nil, nil
		}
		s := w.signer()
		go func() { _, _ = s.Sign(t.Context(), w.statement(digest("a"))) }()
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		begin := time.Now()
		if _, err := s.Sign(ctx, w.statement(digest("b"))); !errors.Is(err, context.DeadlineExceeded) || time.Since(begin) != time.Second {
			t.Errorf("%v after %s", err, time.Since(begin))
		}
		time.Sleep(time.Minute)
	})
}

func TestASignerNeedsItsParts(t *testing.T) {
	w := newWorld(t)
	for name, change := range map[string]func(*keyless.Options){
		"transport": func(o *keyless.Options) { o.HTTP = nil },
		"tokens":    func(o *keyless.Options) { o.Tokens = nil },
		"Fulcio":    func(o *keyless.Options) { o.Services.Fulcio = "" },
		"Rekor":     func(o *keyless.Options) { o.Services.Rekor = "" },
	} {
		o := keyless.Options{Services: w.services, HTTP: w, Tokens: w.token}
		change(&o)
		if _, err := keyless.New(o); err == nil {
			t.Errorf("made without %s", name)
		}
	}
	if _, err := w.signer().Sign(t.Context(), nil); err == nil || len(w.seen) != 0 {
		t.Errorf("an empty statement: %v, %d requests", err, len(w.seen))
	}
}
