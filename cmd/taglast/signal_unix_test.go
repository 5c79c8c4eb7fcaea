//go:build unix

package main

import (
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/taglast/taglast/pkg/publish"
)

// moment is a request at which a run is interrupted, typical of a stage.
type moment struct {
	name    string
	is      func(r *http.Request, tagged int) bool // tagged counts the writes of tags, this request included
	second  bool                                   // in the second run, after a success
	writing bool                                   // a tag is being written
}

func moments() []moment {
	path := func(method, part string) func(*http.Request, int) bool {
		return func(r *http.Request, _ int) bool { return r.Method == method && strings.Contains(r.URL.Path, part) }
	}
	return []moment{
		{name: "plan, at the ID token", is: path("GET", "/idtoken")},
		{name: "plan, at a probe's end", is: path("DELETE", "/blobs/uploads/")},
		{name: "build, where adoption looks for an attestation", is: path("GET", "/attestations/sha256:"), second: true},
		{name: "push, at a blob", is: path("PUT", "/blobs/uploads/")},
		{name: "push, at a manifest", is: path("PUT", "/manifests/sha256:")},
		{name: "attest, at the certificate", is: path("POST", "/signingCert")},
		{name: "attest, at the log", is: path("POST", "/log/entries")},
		{name: "verify, where the bundle is read back", is: path("GET", "/attestations/sha256:")},
		{name: "tag, at the first write", is: func(_ *http.Request, tagged int) bool { return tagged == 1 }, writing: true},
		{name: "tag, at the last write", is: func(_ *http.Request, tagged int) bool { return tagged == 10 }, writing: true},
	}
}

type interruption struct {
	at     moment
	signal os.Signal
}

func interruptions() []interruption {
	var out []interruption
	for _, at := range moments() {
		out = append(out, interruption{at, syscall.SIGINT}, interruption{at, syscall.SIGTERM})
	}
	return out
}

// trigger signals a process once, at a request, and holds that request back: a write of a tag for a while, so that the
// signal is known before the answer, anything else until the client gives it up.
type trigger struct {
	interruption
	process *process

	mu       sync.Mutex
	armed    bool
	tagged   int
	sent     time.Time
	released bool
	late     []string // writes of tags that began after the answer
}

const hold = 300 * time.Millisecond

func (g *trigger) handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !g.fire(r) {
			next.ServeHTTP(w, r)
			return
		}
		<-g.process.started
		g.mu.Lock()
		g.sent = time.Now()
		g.mu.Unlock()
		_ = g.process.Process.Signal(g.signal)
		wait := 10 * time.Second
		if g.at.writing {
			wait = hold
		}
		timer := time.NewTimer(wait)
		defer timer.Stop()
		select {
		case <-r.Context().Done():
		case <-timer.C:
		}
		g.mu.Lock()
		g.released = true
		g.mu.Unlock()
		next.ServeHTTP(w, r)
	})
}

// fire says whether this is the request.
func (g *trigger) fire(r *http.Request) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.armed {
		return false
	}
	if _, ref, ok := strings.Cut(r.URL.Path, "/manifests/"); ok && r.Method == http.MethodPut && !strings.HasPrefix(ref, "sha256:") {
		g.tagged++
		if g.released {
			g.late = append(g.late, r.URL.Path)
		}
	}
	return g.sent.IsZero() && g.at.is(r, g.tagged)
}

// run interrupts one run, checks what it says of itself, and finishes it.
func (c interruption) run(t *testing.T, want []string) (violations int) {
	g := &trigger{interruption: c}
	j := newJob(t, g.handler)
	if c.at.second {
		if code := j.command(t).run(t); code != 0 {
			t.Fatalf("the first run: exit %d", code)
		}
		j.again(t)
	}
	before := j.published()
	g.process = j.command(t)
	g.mu.Lock()
	g.armed = true
	g.mu.Unlock()
	code := g.process.run(t)
	ended := time.Now()
	g.mu.Lock()
	g.armed = false
	sent, late := g.sent, g.late
	g.mu.Unlock()
	if sent.IsZero() {
		t.Fatalf("the request never came; exit %d\n%s", code, &g.process.stderr)
	}
	if took := ended.Sub(sent); took > 5*time.Second {
		t.Errorf("the run ended %s after the signal", took)
	}
	if len(late) > 0 {
		t.Errorf("writes that began after the signal: %v", late)
	}
	violations, tags := j.lawful(t)
	c.told(t, j, g.process, code)
	if !c.at.writing && len(j.published()) != len(before) {
		t.Errorf("%d tags are there after a signal before the tag stage", tags)
	}
	j.finishes(t, want)
	after, _ := j.lawful(t)
	return max(violations, after)
}

// told checks exit code, first line and report of an interrupted run.
func (c interruption) told(t *testing.T, j *job, p *process, code int) {
	t.Helper()
	wantCode, outcome, first := 1, publish.Failed, "error: no tag was changed. "
	if c.at.writing {
		wantCode, outcome, first = 3, publish.Partial, " tags are written. "
	}
	if code != wantCode {
		t.Errorf("exit %d, want %d", code, wantCode)
	}
	line := failureLine(p.stderr.String())
	if !strings.Contains(line, first) || !strings.Contains(line, "stopped") {
		t.Errorf("the failure's first line is %q; want %q and that it was stopped\n%s", line, first, &p.stderr)
	}
	r := j.report(t)
	j.truthful(t, r)
	if r.Outcome != outcome || r.Error == nil {
		t.Errorf("the report says %s, error %v", r.Outcome, r.Error)
	}
}

// failureLine is the first line of the failure in a log.
func failureLine(log string) string {
	for line := range strings.Lines(log) {
		if strings.HasPrefix(line, "error: ") {
			return strings.TrimSuffix(line, "\n")
		}
	}
	return ""
}

// A second signal ends the program at once: whoever presses the keys twice is not asked to wait for what is under way.
func TestASecondSignalEndsTheProgramAtOnce(t *testing.T) {
	var target atomic.Pointer[process]
	var once sync.Once
	j := newJob(t, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, ref, ok := strings.Cut(r.URL.Path, "/manifests/")
			if !ok || r.Method != http.MethodPut || strings.HasPrefix(ref, "sha256:") {
				next.ServeHTTP(w, r)
				return
			}
			once.Do(func() {
				p := target.Load()
				<-p.started
				_ = p.Process.Signal(syscall.SIGINT)
				time.Sleep(hold)
				_ = p.Process.Signal(syscall.SIGINT)
			})
			<-r.Context().Done() // no tag is ever answered: without the second signal the program waits for its grace
		})
	})
	p := j.command(t)
	target.Store(p)
	begun := time.Now()
	if code := p.run(t); code != -1 {
		t.Errorf("exit %d; want the end by a signal\n%s", code, &p.stderr)
	}
	if status, ok := p.ProcessState.Sys().(syscall.WaitStatus); !ok || !status.Signaled() {
		t.Errorf("the program ended by itself, after %s: %s", time.Since(begun), p.ProcessState)
	}
}
