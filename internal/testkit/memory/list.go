package memory

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
)

// list is tags/list: in lexical order, at most n after last, with a Link to the rest.
func (g *Registry) list(w http.ResponseWriter, r *http.Request, name string) {
	tags := slices.AppendSeq([]string{}, maps.Keys(g.Tags(name)))
	slices.Sort(tags)
	q := r.URL.Query()
	if last := q.Get("last"); last != "" {
		tags = slices.DeleteFunc(tags, func(tag string) bool { return tag <= last })
	}
	if n, err := strconv.Atoi(q.Get("n")); err == nil && n >= 0 && n < len(tags) {
		tags = tags[:n]
		if n > 0 {
			next := fmt.Sprintf("/v2/%s/tags/list?n=%d&last=%s", name, n, url.QueryEscape(tags[n-1]))
			if g.Absolute {
				next = "http://" + r.Host + next
			}
			w.Header().Set("Link", "<"+next+`>; rel="next"`)
		}
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"name": name, "tags": tags})
}
