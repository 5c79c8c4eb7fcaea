package sandbox

import (
	"net/http"
	"strings"
	"time"
)

// api is GitHub's REST API, as far as a publisher asks it: the store of attestations, the date of a commit, and which of
// two commits came first.
type api struct {
	store      *attestations
	identity   func() Identity
	token      string
	commitDate time.Time
	compare    compare
}

func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if _, _, _, ok := attestationPath(r.URL.Path); ok {
		a.store.ServeHTTP(w, r)
		return
	}
	i := a.identity()
	if pair, ok := comparePath(r.URL.Path, i.Repository); ok {
		if allow(w, r, http.MethodGet) && authorized(w, r, a.token) {
			a.compare.answer(w, pair)
		}
		return
	}
	if !strings.EqualFold(r.URL.Path, "/repos/"+i.Repository+"/commits/"+i.SHA) || a.commitDate.IsZero() {
		notFound(w)
		return
	}
	if !allow(w, r, http.MethodGet) {
		return
	}
	who := map[string]any{"name": i.Actor, "email": i.Actor + "@example.com", "date": a.commitDate.UTC().Format(time.RFC3339)}
	writeJSON(w, http.StatusOK, map[string]any{"sha": i.SHA, "commit": map[string]any{"author": who, "committer": who}})
}
