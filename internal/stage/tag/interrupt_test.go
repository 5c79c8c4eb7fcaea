package tag_test

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
	"github.com/taglast/taglast/internal/stage/tag"
)

// slow lets every write of a tag take a second of the bubble's time, and calls at when the k-th begins.
func (s *scene) slow(k int, at func()) {
	var mu sync.Mutex
	n := 0
	s.watch.before = func(req *http.Request) (*http.Response, error) {
		if req.Method != http.MethodPut {
			return nil, nil
		}
		mu.Lock()
		n++
		now := n == k
		mu.Unlock()
		if now {
			at()
		}
		select {
		case <-time.After(time.Second):
			return nil, nil
		case <-req.Context().Done():
			return nil, context.Cause(req.Context())
		}
	}
}

// TestInterruptedDuringEachWrite ends the context during the k-th write: no new one begins, those under way are
// finished and read back, and Write returns in time for the report.
func TestInterruptedDuringEachWrite(t *testing.T) {
	for _, jobs := range []int{1, 3} {
		for k := 1; k <= 9; k++ {
			t.Run(fmt.Sprintf("%d jobs, write %d", jobs, k), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s := newScene(t, sandbox.Options{})
					ctx, cancel := context.WithCancelCause(t.Context())
					stop := errors.New("SIGTERM")
					var ended time.Time
					s.slow(k, func() {
						ended = time.Now()
						cancel(stop)
					})
					tagged, err := s.write(ctx, tag.Options{Jobs: jobs})
					if !errors.Is(err, stop) {
						t.Errorf("%v", err)
					}
					if took := time.Since(ended); took > 4*time.Second {
						t.Errorf("returned %s after the end", took)
					}
					puts := s.watch.requests(http.MethodPut)
					if len(puts) < k || len(puts) > k+jobs-1 {
						t.Errorf("%d writes began, the end came in number %d", len(puts), k)
					}
					s.truthful(tagged)
					for _, got := range tagged {
						began := slices.Contains(puts, got.Ref())
						switch {
						case began && (got.Action != tag.Created || got.Doubtful || !s.watch.lookedAtAfterWrite(got.Ref())):
							t.Errorf("%+v", got)
						case !began && got.Action != tag.Pending:
							t.Errorf("%+v", got)
						}
					}
				})
			})
		}
	}
}

// TestAWriteThatHangsIsGivenUp: the registry never answers, so what became of the tag is in doubt, and is said to be.
func TestAWriteThatHangsIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t, sandbox.Options{})
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		s.watch.before = func(req *http.Request) (*http.Response, error) {
			if ref, _ := tagOf(req); req.Method != http.MethodPut || ref != "docker.io/acme/app:1.2.3" {
				return nil, nil
			}
			<-req.Context().Done()
			return nil, context.Cause(req.Context())
		}
		begun := time.Now()
		tagged, err := s.write(ctx, tag.Options{Jobs: 2})
		if err == nil || time.Since(begun) > 64*time.Second {
			t.Errorf("%v after %s", err, time.Since(begun))
		}
		s.truthful(tagged)
		for _, got := range tagged {
			if hung := got.Ref() == "docker.io/acme/app:1.2.3"; hung != got.Doubtful || hung != (got.Action == tag.Failed) {
				t.Errorf("%+v", got)
			}
		}
	})
}

// TestInterruptedBeforeTheFirstWrite ends the context during the look at the fixed tags.
func TestInterruptedBeforeTheFirstWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t, sandbox.Options{})
		ctx, cancel := context.WithCancel(t.Context())
		s.watch.after = func(req *http.Request) {
			if req.Method == http.MethodHead {
				cancel()
			}
		}
		tagged, err := s.write(ctx, tag.Options{Jobs: 1})
		if !errors.Is(err, context.Canceled) || len(s.watch.requests(http.MethodPut)) > 0 {
			t.Errorf("%v %v", err, s.watch.log)
		}
		for _, line := range actions(tagged) {
			if !strings.HasSuffix(line, string(tag.Pending)) {
				t.Error(line)
			}
		}
	})
}
