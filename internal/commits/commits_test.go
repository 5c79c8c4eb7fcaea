package commits_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/taglast/taglast/internal/commits"
	"github.com/taglast/taglast/internal/event"
	"github.com/taglast/taglast/internal/github"
	"github.com/taglast/taglast/internal/retry"
	"github.com/taglast/taglast/internal/sandbox"
)

var (
	first, second, third = strings.Repeat("1", 40), strings.Repeat("2", 40), strings.Repeat("3", 40)
	branched             = strings.Repeat("b", 40)
	date                 = time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC)
)

// history asks a sandbox's GitHub and no checkout; rt, if not nil, is on the way to it.
func history(t *testing.T, o sandbox.Options, change func(*commits.Options), rt http.RoundTripper) (*commits.History, *sandbox.World) {
	t.Helper()
	w, err := sandbox.New(o)
	if err != nil {
		t.Fatal(err)
	}
	if rt == nil {
		rt = w
	}
	c := commits.Options{Dir: t.TempDir(), Repository: "acme/app", API: func(budget time.Duration) (*github.API, error) {
		return github.New(github.Options{HTTP: rt, Token: w.Env()["GITHUB_TOKEN"], Retry: retry.Policy{Budget: min(budget, time.Millisecond)}})
	}}
	if change != nil {
		change(&c)
	}
	return commits.New(c), w
}

func TestADateIsTheEventsOrGitHubs(t *testing.T) {
	ours := sandbox.Options{Identity: sandbox.Identity{SHA: first}, CommitDate: date}
	pushed := func(c *commits.Options) {
		c.Payload = event.Payload{HeadCommit: &event.Commit{ID: first, Timestamp: "2026-01-01T00:00:00Z"}}
	}
	noAPI := func(c *commits.Options) { c.API = nil }
	for name, c := range map[string]struct {
		change func(*commits.Options)
		sha    string
		want   time.Time // zero: nothing tells it
		asks   int
	}{
		"the event of its push":    {pushed, first, time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), 0},
		"GitHub":                   {nil, first, date, 1},
		"a commit nobody knows":    {nil, second, time.Time{}, 1},
		"without GitHub":           {noAPI, first, time.Time{}, 0},
		"a commit before any":      {nil, strings.Repeat("0", 40), time.Time{}, 0},
		"what is no commit":        {nil, "main", time.Time{}, 0},
		"a commit's short form":    {nil, first[:7], time.Time{}, 0},
		"a path in a commit's way": {nil, "../../user", time.Time{}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			h, w := history(t, ours, c.change, nil)
			for range 2 { // the second answer is the first's
				at, err := h.Date(t.Context(), c.sha)
				if c.want.IsZero() != errors.Is(err, commits.ErrNoDate) || !at.Equal(c.want) {
					t.Errorf("%s, %v", at, err)
				}
			}
			if asked := len(w.Requests()); asked != c.asks {
				t.Errorf("GitHub was asked %d times, want %d", asked, c.asks)
			}
			now := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
			want := c.want
			if want.IsZero() {
				want = now
			}
			if at, err := h.DateForRules(t.Context(), c.sha, now); err != nil || !at.Equal(want) {
				t.Errorf("for rules: %s, %v", at, err)
			}
		})
	}
}

// down answers every request with a server error.
type down struct{}

func (down) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusBadGateway, Header: http.Header{}, Body: http.NoBody}, nil
}

// A date that GitHub fails to tell is an error where an image is made of it, and no more than a warning where none is.
func TestAnOutageIsAnErrorUnlessNothingIsPublished(t *testing.T) {
	h, _ := history(t, sandbox.Options{}, nil, down{})
	if _, err := h.Date(t.Context(), first); err == nil || errors.Is(err, commits.ErrNoDate) {
		t.Errorf("a date after an outage: %v", err)
	}
	var warned []string
	h, _ = history(t, sandbox.Options{}, func(c *commits.Options) {
		c.Lenient, c.Warn = true, func(message string) { warned = append(warned, message) }
	}, down{})
	if _, err := h.Date(t.Context(), first); !errors.Is(err, commits.ErrNoDate) || len(warned) != 1 {
		t.Errorf("%v, warned %q", err, warned)
	}
}

func TestIsBehind(t *testing.T) {
	o := sandbox.Options{History: []string{first, second, third}, Branch: []string{first, branched}}
	for name, c := range map[string]struct {
		ours, theirs string
		want         bool
		asks         int
	}{
		"an ancestor":             {first, third, true, 1},
		"a descendant":            {third, first, false, 1},
		"the same commit":         {second, second, false, 0},
		"a commit beside":         {second, branched, false, 1},
		"a commit nobody knows":   {first, strings.Repeat("9", 40), false, 1},
		"what is no commit":       {"main", third, false, 0},
		"a path in the other way": {first, "../../user", false, 0},
	} {
		t.Run(name, func(t *testing.T) {
			h, w := history(t, o, nil, nil)
			for range 2 {
				if got := h.IsBehind(t.Context(), c.ours, c.theirs); got != c.want {
					t.Errorf("behind: %v", got)
				}
			}
			if asked := len(w.Requests()); asked != c.asks {
				t.Errorf("GitHub was asked %d times, want %d", asked, c.asks)
			}
		})
	}
}
