package registrytest

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"testing"

	"github.com/taglast/taglast/internal/link"
)

// testTagList holds the registry to "Listing Tags" of the distribution specification: tags come in lexical order, at most n
// of them, and only those after last. The Link to the next page is a SHOULD: where it is missing, the test asks with last.
func testTagList(t *testing.T, s *suite) {
	m, blobs := imageOf(t)
	s.push(t, m, blobs)
	want := []string{"t1", "t2", "t3", "t4", "t5"}
	for _, i := range []int{3, 0, 4, 2, 1} {
		status, _, answer := s.ask(t, http.MethodPut, s.path()+"/manifests/"+want[i], string(m.MediaType), m.Raw)
		if status == http.StatusForbidden {
			t.Logf("the registry has a law of its own on tags: %d %s", status, answer)
			return
		}
		if status != http.StatusCreated {
			t.Fatalf("PUT of a tag answers %d %s", status, answer)
		}
	}
	if tags := s.tags(t); !slices.Equal(tags, want) {
		t.Errorf("the client lists %q", tags)
	}
	if tags, _ := s.page(t, s.path()+"/tags/list"); !slices.Equal(tags, want) {
		t.Errorf("in which order: %q", tags)
	}
	if tags, _ := s.page(t, s.path()+"/tags/list?n=2&last=t3"); !slices.Equal(tags, want[3:]) {
		t.Errorf("the two after t3: %q", tags)
	}
	var all []string
	for next := s.path() + "/tags/list?n=2"; next != ""; {
		tags, header := s.page(t, next)
		if len(tags) > 2 || len(all) >= len(want) && len(tags) > 0 {
			t.Fatalf("after %q come %q", all, tags)
		}
		if all, next = append(all, tags...), s.next(t, header); next == "" && len(tags) == 2 {
			next = s.path() + "/tags/list?n=2&last=" + tags[1]
		}
	}
	if !slices.Equal(all, want) {
		t.Errorf("the pages have %q", all)
	}
}

// page is one answer of tags/list.
func (s *suite) page(t *testing.T, url string) ([]string, http.Header) {
	t.Helper()
	status, header, answer := s.ask(t, http.MethodGet, url, "", nil)
	var list struct{ Tags []string }
	if err := json.Unmarshal([]byte(answer), &list); err != nil || status != http.StatusOK {
		t.Fatalf("tags/list: %d %s", status, answer)
	}
	return list.Tags, header
}

// next is the path and query to which an answer leads on; its host may be the one behind a proxy.
func (s *suite) next(t *testing.T, header http.Header) string {
	t.Helper()
	u := link.Next(header, &url.URL{Scheme: "https", Host: s.host, Path: s.path() + "/tags/list"})
	if u == nil {
		return ""
	}
	return u.RequestURI()
}
