// Package commits answers what a release asks about the repository's commits: when one was created, and whether one is
// an ancestor of another. It asks the event first, then git where there is a checkout, then GitHub's API, and each
// question once.
package commits

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/taglast/taglast/internal/checkout"
	"github.com/taglast/taglast/internal/event"
	"github.com/taglast/taglast/internal/github"
	"github.com/taglast/taglast/internal/retry"
)

// How long GitHub's API is asked. A run can do without knowing which of two commits is older; without a commit's date it
// would build another image than the next run.
const (
	dateBudget    = 5 * time.Minute
	CompareBudget = 30 * time.Second
)

// ErrNoDate says that neither event, git nor GitHub tells when a commit was made.
var ErrNoDate = errors.New("nothing tells when the commit was made")

// Options say what a History may ask. With the zero value it asks the checkout in the process's own directory alone.
type Options struct {
	Dir        string        // the checkout, which git is asked about; empty means "."
	Payload    event.Payload // what the event tells
	Repository string        // OWNER/NAME on GitHub
	// API returns GitHub's API with that budget; nil means that GitHub is not asked.
	API func(budget time.Duration) (*github.API, error)
	// Lenient is for runs that publish nothing: where GitHub fails to tell a date, it is ErrNoDate with a warning.
	Lenient bool
	Warn    func(message string) // called with a warning; nil means that nobody listens
}

// History answers questions about commits. It is safe for concurrent use.
type History struct {
	options Options

	mu       sync.Mutex
	dates    map[string]dateAnswer
	ancestry map[[2]string]bool // {ours, theirs} → ours is an ancestor of theirs
}

type dateAnswer struct {
	at  time.Time
	err error
}

// New returns a History. It asks nothing yet.
func New(o Options) *History {
	if o.Dir == "" {
		o.Dir = "."
	}
	if o.Warn == nil {
		o.Warn = func(string) {}
	}
	return &History{options: o, dates: make(map[string]dateAnswer), ancestry: make(map[[2]string]bool)}
}

// Date returns a commit's committer's date. The error is ErrNoDate where nothing tells it.
func (h *History) Date(ctx context.Context, sha string) (time.Time, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if known, ok := h.dates[sha]; ok {
		return known.at, known.err
	}
	at, err := h.findDate(ctx, sha)
	h.dates[sha] = dateAnswer{at, err}
	return at, err
}

func (h *History) findDate(ctx context.Context, sha string) (time.Time, error) {
	if !checkout.IsCommit(sha) || strings.Trim(sha, "0") == "" {
		return time.Time{}, ErrNoDate
	}
	if at, ok := checkout.CommitDate(ctx, h.options.Dir, sha); ok {
		return at, nil
	}
	if at, ok := h.options.Payload.CommitDate(sha); ok {
		return at, nil
	}
	if h.options.API == nil {
		return time.Time{}, ErrNoDate
	}
	api, err := h.options.API(dateBudget)
	if err != nil {
		return time.Time{}, ErrNoDate
	}
	var answer struct {
		Commit struct {
			Committer struct{ Date time.Time }
		}
	}
	err = api.Get(ctx, &answer, nil, "repos", h.options.Repository, "commits", sha)
	switch {
	case errors.Is(err, github.ErrNoDocument), err == nil && answer.Commit.Committer.Date.IsZero():
		return time.Time{}, ErrNoDate
	case err != nil && h.options.Lenient:
		h.options.Warn(fmt.Sprintf("when commit %.7s was made is not known: %v", sha, err))
		return time.Time{}, ErrNoDate
	case err != nil:
		return time.Time{}, fmt.Errorf("when commit %.7s was made: %w", sha, err)
	}
	return answer.Commit.Committer.Date, nil
}

// DateForRules returns the commit's date as tag rules use it: the event's first, as docker/metadata-action does, and now
// where nothing tells it.
func (h *History) DateForRules(ctx context.Context, sha string, now time.Time) (time.Time, error) {
	if at, ok := h.options.Payload.CommitDate(sha); ok {
		return at, nil
	}
	at, err := h.Date(ctx, sha)
	if errors.Is(err, ErrNoDate) {
		return now, nil
	}
	return at, err
}

// IsBehind reports whether ours is an ancestor of theirs. It is false where nothing tells.
func (h *History) IsBehind(ctx context.Context, ours, theirs string) bool {
	if !checkout.IsCommit(ours) || !checkout.IsCommit(theirs) || ours == theirs {
		return false
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	pair := [2]string{ours, theirs}
	if known, ok := h.ancestry[pair]; ok {
		return known
	}
	yes, known := checkout.Ancestor(ctx, h.options.Dir, ours, theirs)
	if !known {
		yes = h.compare(ctx, ours, theirs)
	}
	h.ancestry[pair] = yes
	return yes
}

// compare asks GitHub ("Compare two commits"), by which theirs is ahead where ours is one of its ancestors.
func (h *History) compare(ctx context.Context, ours, theirs string) bool {
	if h.options.API == nil {
		return false
	}
	api, err := h.options.API(CompareBudget)
	if err != nil {
		return false
	}
	var answer struct{ Status string }
	// The first page has the files that changed, with their patches; the status is on every page.
	secondPage := url.Values{"per_page": {"1"}, "page": {"2"}}
	err = api.Get(ctx, &answer, secondPage, "repos", h.options.Repository, "compare", ours+"..."+theirs)
	var status *retry.StatusError
	refused := errors.As(err, &status) && status.Status == http.StatusForbidden
	if refused || err != nil && !errors.Is(err, github.ErrNoDocument) {
		advice := ""
		if refused {
			advice = "; give the job `contents: read`, or check out the whole history"
		}
		h.options.Warn(fmt.Sprintf("how commit %.7s stands to %.7s is not known, so tags move: %v%s", ours, theirs, err, advice))
	}
	return err == nil && answer.Status == "ahead"
}
