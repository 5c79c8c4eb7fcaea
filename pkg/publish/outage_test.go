package publish_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taglast/taglast/internal/sandbox"
	"github.com/taglast/taglast/pkg/publish"
)

// down answers for one host with a status, until a time, and calls each at every request that it refuses.
type down struct {
	base   http.RoundTripper
	host   string
	status int
	until  time.Time
	each   func()

	mu      sync.Mutex
	refused int
}

func (d *down) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Host != d.host || !time.Now().Before(d.until) {
		return d.base.RoundTrip(req)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.refused++
	if d.each != nil {
		d.each()
	}
	return refusal(req, d.status), nil
}

func refusal(req *http.Request, status int) *http.Response {
	if req.Body != nil {
		_ = req.Body.Close()
	}
	return &http.Response{
		Status: fmt.Sprintf("%d %s", status, http.StatusText(status)), StatusCode: status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{}, Body: http.NoBody, Request: req,
	}
}

// count the requests of one method whose path ends so.
func count(requests []sandbox.Request, method, host, suffix string) int {
	n := 0
	for _, r := range requests {
		if r.Method == method && r.Host == host && strings.HasSuffix(r.Path, suffix) {
			n++
		}
	}
	return n
}

const (
	rekorHost  = "rekor.taglast.invalid"
	fulcioHost = "fulcio.taglast.invalid"
	tsaHost    = "timestamp.taglast.invalid"
	runnerHost = "runner.taglast.invalid"
)

// TestOutagesOfThreeQuartersOfAnHourPass: certificates, ID tokens and registry logins age meanwhile and are renewed.
func TestOutagesOfThreeQuartersOfAnHourPass(t *testing.T) {
	for _, c := range []struct {
		host string
		life time.Duration // of what must be renewed, less what must remain of it
		what func([]sandbox.Request) int
	}{
		{rekorHost, 8 * time.Minute, func(q []sandbox.Request) int { return count(q, "POST", fulcioHost, "/signingCert") }},
		{tsaHost, 8 * time.Minute, func(q []sandbox.Request) int { return count(q, "POST", fulcioHost, "/signingCert") }},
		{fulcioHost, 210 * time.Second, func(q []sandbox.Request) int { return count(q, "GET", runnerHost, "/idtoken") }},
	} {
		t.Run(c.host, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const outage = 45 * time.Minute
				s := newScene(t, twoByTwo, lawOptions())
				rt := &down{base: s.world, host: c.host, status: http.StatusBadGateway, until: time.Now().Add(outage)}
				begun := time.Now()
				r, err := publish.Publish(t.Context(), s.options(rt))
				if err != nil || publish.ExitCode(r, err) != 0 || len(tagLines(s.world.State())) != 10 {
					t.Fatalf("exit %d: %v", publish.ExitCode(r, err), err)
				}
				lawful(t, s)
				requests := s.world.Requests()
				if took := time.Since(begun); took < outage || rt.refused < 60 {
					t.Errorf("took %s, %d refused", took, rt.refused)
				}
				if got, least := c.what(requests), int(outage/(c.life+30*time.Second)); got < least {
					t.Errorf("renewed %d times, want %d at least", got, least)
				}
				if got := count(requests, "GET", "ghcr.io", "/token"); got < 2 {
					t.Errorf("%d logins to ghcr.io: its tokens live for 5 minutes", got)
				}
			})
		})
	}
}

// TestAnOutageThatDoesNotEndIsTold ends before any tag.
func TestAnOutageThatDoesNotEndIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t, twoByTwo, lawOptions())
		rt := &down{base: s.world, host: rekorHost, status: http.StatusBadGateway, until: time.Now().Add(24 * time.Hour)}
		begun := time.Now()
		r, err := publish.Publish(t.Context(), s.options(rt))
		if publish.ExitCode(r, err) != 1 || r.Error.Stage != "attest" || len(tagLines(s.world.State())) != 0 {
			t.Errorf("exit %d: %+v", publish.ExitCode(r, err), r.Error)
		}
		for _, want := range []string{"Rekor", "502", "tries"} {
			if !strings.Contains(r.Error.Message, want) {
				t.Errorf("%q is not in %s", want, r.Error.Message)
			}
		}
		if took := time.Since(begun); took < 45*time.Minute || took > time.Hour {
			t.Errorf("gave up after %s", took)
		}
	})
}

// TestARenewedTokenMustBeTheSamePersons changes what the runner's tokens say during an outage of Fulcio.
func TestARenewedTokenMustBeTheSamePersons(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t, twoByTwo, lawOptions())
		rt := &down{base: s.world, host: fulcioHost, status: http.StatusServiceUnavailable, until: time.Now().Add(20 * time.Minute)}
		rt.each = func() {
			i := s.world.Identity()
			i.SHA = strings.Repeat("b", 40)
			s.world.SetIdentity(i)
		}
		r, err := publish.Publish(t.Context(), s.options(rt))
		if publish.ExitCode(r, err) != 1 || r.Error.Stage != "attest" || !strings.Contains(r.Error.Message, "differs from the run's first in: sha") {
			t.Errorf("exit %d: %+v", publish.ExitCode(r, err), r.Error)
		}
		if n := len(tagLines(s.world.State())); n > 0 {
			t.Errorf("%d tags", n)
		}
	})
}

// TestWhatARegistryCollectedIsPushedAgain: Quay collects manifests that no tag names after an hour. Here they go, by
// repository, while Rekor is down.
func TestWhatARegistryCollectedIsPushedAgain(t *testing.T) {
	for _, c := range []struct {
		name string
		gone func(manifests []string) []string
	}{
		{"everything", func(all []string) []string { return all }},
		{"one manifest", func(all []string) []string { return all[:1] }},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newScene(t, twoByTwo, lawOptions())
				collect := time.Now().Add(20 * time.Minute)
				collected := map[string][]string{}
				rt := &down{base: s.world, host: rekorHost, status: http.StatusBadGateway, until: time.Now().Add(30 * time.Minute)}
				rt.each = func() {
					if len(collected) > 0 || time.Now().Before(collect) {
						return
					}
					for repo, manifests := range s.world.State().Manifests {
						host, name, _ := strings.Cut(repo, "/")
						for _, digest := range c.gone(manifests) {
							s.world.Delete(host, name, digest)
							collected[repo] = append(collected[repo], digest)
						}
					}
				}
				r, err := publish.Publish(t.Context(), s.options(rt))
				if err != nil || publish.ExitCode(r, err) != 0 || len(collected) != 2 {
					t.Fatalf("exit %d: %v; collected %v", publish.ExitCode(r, err), err, collected)
				}
				lawful(t, s)
				there := s.world.State().Manifests
				for repo, digests := range collected {
					for _, digest := range digests {
						if !slices.Contains(there[repo], digest) {
							t.Errorf("%s@%s is gone", repo, digest)
						}
					}
				}
				firstTag := slices.IndexFunc(s.world.Requests(), isTagWrite)
				if late := slices.ContainsFunc(s.world.Requests()[firstTag:], func(q sandbox.Request) bool {
					return q.Method == http.MethodPut && strings.Contains(q.Path, "/manifests/sha256:")
				}); late {
					t.Error("a manifest was pushed after the first tag")
				}
			})
		})
	}
}

func isTagWrite(q sandbox.Request) bool {
	return q.Method == http.MethodPut && strings.Contains(q.Path, "/manifests/") && !strings.Contains(q.Path, "/manifests/sha256:")
}

func TestAStoreThatLagsIsWaitedFor(t *testing.T) {
	for _, c := range []struct {
		lag  time.Duration
		exit int
	}{{90 * time.Second, 0}, {10 * time.Minute, 1}} {
		t.Run(c.lag.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := lawOptions()
				o.StoreLag = c.lag
				s := newScene(t, twoByTwo, o)
				r, err := s.publish(t.Context())
				if publish.ExitCode(r, err) != c.exit {
					t.Errorf("exit %d: %v", publish.ExitCode(r, err), err)
				}
				lawful(t, s)
				if c.exit == 0 {
					return
				}
				if r.Error.Stage != "attest" || !strings.Contains(r.Error.Message, "is not shown after 2m0s") || len(tagLines(s.world.State())) > 0 {
					t.Errorf("%+v", r.Error)
				}
				// Once the store shows it, it is reused.
				time.Sleep(c.lag)
				r, err = s.publish(t.Context())
				if err != nil || !r.Images[0].Attestations[0].Reused {
					t.Errorf("%v", err)
				}
			})
		})
	}
}

// TestTheRunsTimeIsBounded: what --timeout ends is told so.
func TestTheRunsTimeIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t, twoByTwo, lawOptions())
		rt := &down{base: s.world, host: rekorHost, status: http.StatusBadGateway, until: time.Now().Add(24 * time.Hour)}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
		defer cancel()
		begun := time.Now()
		r, err := publish.Publish(ctx, s.options(rt))
		if publish.ExitCode(r, err) != 1 || !strings.Contains(err.Error(), "--timeout") || time.Since(begun) != 10*time.Minute {
			t.Errorf("exit %d after %s: %v", publish.ExitCode(r, err), time.Since(begun), err)
		}
		var e *publish.Error
		if !errors.As(err, &e) || e.Stage != publish.StageAttest {
			t.Errorf("%v", err)
		}
	})
}
