package publish

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/taglast/taglast/internal/checkout"
	"github.com/taglast/taglast/internal/retry"
	"github.com/taglast/taglast/internal/store"
)

// compareBudget is how long GitHub's API is asked how two commits stand to each other: a run can do without. Without a
// commit's date it would make another image than the next run.
const compareBudget = 30 * time.Second

var commitSHA = regexp.MustCompile(`^[0-9a-f]{40}$`)

// commits answers what a run wants to know of the repository's commits: from the event, from git where there is a
// checkout, else from GitHub's API. Each answer is looked for once.
type commits struct {
	p *plan

	mu     sync.Mutex
	dates  map[string]dated
	behind map[string]bool // commit → ours is its ancestor
}

type dated struct {
	at  time.Time
	err error
}

func newCommits(p *plan) *commits {
	return &commits{p: p, dates: make(map[string]dated), behind: make(map[string]bool)}
}

// errNoDate says that nothing tells when a commit was made.
var errNoDate = errors.New("nothing tells when the commit was made")

// api is GitHub's REST API, tried for so long; an error where a run has none to ask.
func (c *commits) api(budget time.Duration) (*store.API, error) {
	if c.p.o.readOnly {
		budget = min(budget, dryBudget)
	}
	if c.p.o.offline {
		return nil, errors.New("offline")
	}
	return store.NewAPI(store.APIOptions{
		HTTP: c.p.network, URL: c.p.o.Getenv("GITHUB_API_URL"), Token: c.p.o.token(), UserAgent: c.p.userAgent(),
		Retry: retry.Policy{Budget: budget, Report: c.p.report("GitHub")},
	})
}

// date is when a commit was made: its committer's date. errNoDate where nothing knows it.
func (c *commits) date(ctx context.Context, sha string) (time.Time, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if known, ok := c.dates[sha]; ok {
		return known.at, known.err
	}
	at, err := c.look(ctx, sha)
	c.dates[sha] = dated{at, err}
	return at, err
}

func (c *commits) look(ctx context.Context, sha string) (time.Time, error) {
	if !commitSHA.MatchString(sha) || strings.Trim(sha, "0") == "" {
		return time.Time{}, errNoDate
	}
	if at, ok := checkout.CommitDate(ctx, c.p.o.workDir(), sha); ok {
		return at, nil
	}
	if at, ok := c.p.payload.CommitDate(sha); ok {
		return at, nil
	}
	api, err := c.api(tokenBudget)
	if err != nil {
		return time.Time{}, errNoDate
	}
	var answer struct {
		Commit struct {
			Committer struct{ Date time.Time }
		}
	}
	err = api.Get(ctx, &answer, nil, "repos", c.p.o.Getenv("GITHUB_REPOSITORY"), "commits", sha)
	switch {
	case errors.Is(err, store.ErrNoDocument), err == nil && answer.Commit.Committer.Date.IsZero():
		return time.Time{}, errNoDate
	case err != nil && c.p.o.readOnly:
		c.p.o.Observer.Warn(fmt.Sprintf("when commit %.7s was made is not known: %v", sha, err))
		return time.Time{}, errNoDate
	case err != nil:
		return time.Time{}, fmt.Errorf("when commit %.7s was made: %w", sha, err)
	}
	return answer.Commit.Committer.Date, nil
}

// forRules is the commit's date as tag rules take it: the event's word first, as docker/metadata-action has it, and now
// where nothing knows.
func (c *commits) forRules(ctx context.Context, sha string, now time.Time) (time.Time, error) {
	if at, ok := c.p.payload.CommitDate(sha); ok {
		return at, nil
	}
	at, err := c.date(ctx, sha)
	if errors.Is(err, errNoDate) {
		return now, nil
	}
	return at, err
}

// isBehind says whether ours is an ancestor of theirs; what nothing knows is no.
func (c *commits) isBehind(ctx context.Context, ours, theirs string) bool {
	if !commitSHA.MatchString(ours) || !commitSHA.MatchString(theirs) || ours == theirs {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if known, ok := c.behind[theirs]; ok {
		return known
	}
	yes, known := checkout.Ancestor(ctx, c.p.o.workDir(), ours, theirs)
	if !known {
		yes = c.compare(ctx, ours, theirs)
	}
	c.behind[theirs] = yes
	return yes
}

// compare asks GitHub ("Compare two commits"): theirs is ahead where it has ours among its ancestors.
func (c *commits) compare(ctx context.Context, ours, theirs string) bool {
	api, err := c.api(compareBudget)
	if err != nil {
		return false
	}
	var answer struct{ Status string }
	// The first page has the files that changed, with their patches; no page lacks the counts.
	second := url.Values{"per_page": {"1"}, "page": {"2"}}
	err = api.Get(ctx, &answer, second, "repos", c.p.claims.Repository, "compare", ours+"..."+theirs)
	var status *retry.StatusError
	refused := errors.As(err, &status) && status.Status == http.StatusForbidden
	if refused || err != nil && !errors.Is(err, store.ErrNoDocument) {
		advice := ""
		if refused {
			advice = "; give the job `contents: read`, or check out the whole history"
		}
		c.p.o.Observer.Warn(fmt.Sprintf("how commit %.7s stands to %.7s is not known, so tags move: %v%s", ours, theirs, err, advice))
	}
	return err == nil && answer.Status == "ahead"
}
