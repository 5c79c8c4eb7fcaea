package sandbox

import (
	"net/http"
	"slices"
	"strings"
)

// compare is GitHub's comparison of two commits (GitHub, "Compare two commits"), of a line of commits and of a branch
// that left it at its first one.
type compare struct{ history, branch []string }

// comparePath is base...head of /repos/{owner}/{repo}/compare/{base}...{head}; ok is false for any other path.
func comparePath(path, repository string) (pair string, ok bool) {
	prefix := "/repos/" + repository + "/compare/"
	if len(path) <= len(prefix) || !strings.EqualFold(path[:len(prefix)], prefix) {
		return "", false
	}
	return path[len(prefix):], true
}

// answer tells how head stands to base: ahead_by counts the commits that only head has, behind_by those that only base has.
func (c compare) answer(w http.ResponseWriter, pair string) {
	from, to, _ := strings.Cut(pair, "...")
	base, known := c.find(from)
	head, both := c.find(to)
	if !known || !both {
		notFound(w)
		return
	}
	common := 0 // the steps from the first commit that both have gone
	if base.branch == head.branch {
		common = min(base.steps, head.steps)
	}
	ahead, behind := head.steps-common, base.steps-common
	status := "diverged"
	switch {
	case ahead == 0 && behind == 0:
		status = "identical"
	case behind == 0:
		status = "ahead"
	case ahead == 0:
		status = "behind"
	}
	writeJSON(w, http.StatusOK, map[string]any{"status": status, "ahead_by": ahead, "behind_by": behind, "total_commits": ahead})
}

// commit is where one stands: so many steps from the first commit of the history, on one of the two lines.
type commit struct {
	steps  int
	branch bool
}

func (c compare) find(sha string) (commit, bool) {
	if i := slices.Index(c.history, sha); i >= 0 {
		return commit{steps: i}, true
	}
	i := slices.Index(c.branch, sha)
	return commit{steps: i + 1, branch: true}, i >= 0
}
