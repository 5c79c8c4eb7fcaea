//go:build e2e

package e2e

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// setCommits sets the commits of the repository that the API knows, the oldest first, until the test ends.
func (g *github) setCommits(t *testing.T, commits ...string) {
	set := func(to []string) {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.commits = to
	}
	set(commits)
	t.Cleanup(func() { set(nil) })
}

// commitIndex is where in the line a commit stands, from 0; -1 where it is not known.
func (g *github) commitIndex(sha string) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Index(g.commits, sha)
}

// committed is when the n-th commit of the line was made.
func committed(n int) time.Time { return time.Date(2026, time.February, 1+n, 12, 0, 0, 0, time.UTC) }

// commit answers "Get a commit", as far as anybody here asks.
func (g *github) commit(w http.ResponseWriter, r *http.Request) {
	sha := r.PathValue("sha")
	n := g.commitIndex(sha)
	if n < 0 {
		reply(w, http.StatusUnprocessableEntity, map[string]string{"message": "No commit found for SHA: " + sha})
		return
	}
	who := map[string]any{"name": "octocat", "email": "octocat@github.com", "date": committed(n).Format(time.RFC3339)}
	reply(w, http.StatusOK, map[string]any{"sha": sha, "commit": map[string]any{"author": who, "committer": who}})
}

// compare answers "Compare two commits": ahead_by counts the commits that only head has, behind_by those that only base
// has.
func (g *github) compare(w http.ResponseWriter, r *http.Request) {
	base, head, _ := strings.Cut(r.PathValue("pair"), "...")
	from, to := g.commitIndex(base), g.commitIndex(head)
	if from < 0 || to < 0 {
		reply(w, http.StatusNotFound, map[string]string{"message": "Not Found"})
		return
	}
	status := "identical"
	switch {
	case to > from:
		status = "ahead"
	case to < from:
		status = "behind"
	}
	ahead := max(0, to-from)
	reply(w, http.StatusOK, map[string]any{
		"url":    fmt.Sprintf("https://%s%s", r.Host, r.URL.Path),
		"status": status, "ahead_by": ahead, "behind_by": max(0, from-to), "total_commits": ahead,
	})
}
