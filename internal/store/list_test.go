package store_test

import (
	"encoding/binary"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/golang/snappy"

	"github.com/taglast/taglast/internal/bundle"
	"github.com/taglast/taglast/internal/store"
	"github.com/taglast/taglast/internal/testkit/storetest"
)

func TestListSendsTheTokenToTheAPIAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &github{}
		s := g.store(t)
		put(t, s, storetest.Bundle(t, "", provenance, digest))
		if found, err := s.List(t.Context(), digest, provenance); err != nil || len(found) != 1 {
			t.Fatalf("%d bundles, %v", len(found), err)
		}
		if g.count("GET blobs.example/0") != 1 {
			t.Errorf("requests %q", g.log)
		}
		for i, line := range g.log {
			token := g.headers[i].Get("Authorization") != ""
			if api := strings.Contains(line, " api.example/"); token != api {
				t.Errorf("%s: token sent: %t", line, token)
			}
		}
	})
}

func TestListEscapesThePredicateType(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		query := ""
		g := &github{before: func(_ http.ResponseWriter, r *http.Request, _ int) bool { query = r.URL.RawQuery; return false }}
		if _, err := g.store(t).List(t.Context(), digest, provenance); err != nil {
			t.Fatal(err)
		}
		if want := "per_page=100&predicate_type=https%3A%2F%2Fslsa.dev%2Fprovenance%2Fv1"; query != want {
			t.Errorf("query %s", query)
		}
	})
}

func TestListKeepsWhatWorkflowsPosted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &github{}
		s := g.store(t)
		for i, initiator := range []string{"user", "github", ""} {
			put(t, s, storetest.Bundle(t, fmt.Sprint(i), provenance, digest))
			g.bundles[i].initiator = initiator
		}
		if found, err := s.List(t.Context(), digest, provenance); err != nil || len(found) != 2 {
			t.Errorf("%d bundles, %v", len(found), err)
		}
	})
}

func TestListNamesWhatItCannotRead(t *testing.T) {
	good := storetest.Bundle(t, "good", provenance, digest)
	huge := binary.AppendUvarint(nil, bundle.MaxSize+1)
	for _, c := range []struct {
		name string
		blob func(w http.ResponseWriter)
		want string
	}{
		{"a blob that is gone", func(w http.ResponseWriter) { w.WriteHeader(404) }, "404"},
		{"a signed URL that has expired", func(w http.ResponseWriter) { w.WriteHeader(403) }, "403"},
		{"a blob that unpacks beyond its bound", func(w http.ResponseWriter) { _, _ = w.Write(huge) }, "too large"},
		{"a blob beyond its bound", func(w http.ResponseWriter) { _, _ = w.Write(make([]byte, bundle.MaxSize+1)) }, "too large"},
		{"a body that is not Snappy", func(w http.ResponseWriter) { _, _ = w.Write([]byte("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff")) }, "Snappy"},
		{"a block that is not a bundle", func(w http.ResponseWriter) { _, _ = w.Write(snappy.Encode(nil, []byte("{"))) }, "not the JSON"},
		{"a bundle of another digest", func(w http.ResponseWriter) {
			_, _ = w.Write(snappy.Encode(nil, storetest.Bundle(t, "", provenance, storetest.Digest('b')).Raw()))
		}, "does not name this digest"},
		{"a redirect to plain http", func(w http.ResponseWriter) {
			w.Header().Set("Location", "http://evil.example/"+secret)
			w.WriteHeader(302)
		}, "not https"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := &github{}
				s := g.store(t)
				put(t, s, good)
				put(t, s, storetest.Bundle(t, "bad", provenance, digest))
				g.before = func(w http.ResponseWriter, r *http.Request, _ int) bool {
					bad := r.URL.Host == "blobs.example" && r.URL.Path == "/1"
					if bad {
						c.blob(w)
					}
					return bad
				}
				found, err := s.List(t.Context(), digest, provenance)
				if len(found) != 1 || !good.Equal(found[0].Bundle) {
					t.Errorf("%d bundles: the good one is not there", len(found))
				}
				if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), signature) {
					t.Errorf("error %v", err)
				}
				if g.count("GET evil.example") != 0 {
					t.Error("the redirect was followed")
				}
			})
		})
	}
}

func TestListStaysOnTheAPIsHost(t *testing.T) {
	for _, c := range []struct {
		name   string
		before func(w http.ResponseWriter)
	}{
		{"the next page is elsewhere", func(w http.ResponseWriter) {
			w.Header().Set("Link", `<https://evil.example/page>; rel="next"`)
			_, _ = w.Write([]byte(`{"attestations":[]}`))
		}},
		{"a redirect goes elsewhere", func(w http.ResponseWriter) {
			w.Header().Set("Location", "https://evil.example/page")
			w.WriteHeader(302)
		}},
		{"a redirect goes to plain http", func(w http.ResponseWriter) {
			w.Header().Set("Location", "http://api.example/page")
			w.WriteHeader(307)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := &github{before: func(w http.ResponseWriter, _ *http.Request, _ int) bool { c.before(w); return true }}
				if _, err := g.store(t).List(t.Context(), digest, provenance); err == nil {
					t.Error("no error")
				} else {
					leaks(t, err)
				}
				if len(g.log) != 1 {
					t.Errorf("requests %q", g.log)
				}
			})
		})
	}
}

func TestListFollowsARenamedRepository(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &github{before: func(w http.ResponseWriter, r *http.Request, n int) bool {
			if n == 1 {
				w.Header().Set("Location", "https://api.example"+r.URL.RequestURI())
				w.WriteHeader(301)
			}
			return n == 1
		}}
		if _, err := g.store(t).List(t.Context(), digest, provenance); err != nil || len(g.log) != 2 {
			t.Errorf("requests %q, %v", g.log, err)
		}
	})
}

func TestListEndsAnEndlessList(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &github{before: func(w http.ResponseWriter, r *http.Request, _ int) bool {
			w.Header().Set("Link", `<`+r.URL.String()+`>; rel="next"`)
			_, _ = w.Write([]byte(`{"attestations":[]}`))
			return true
		}}
		if _, err := g.store(t).List(t.Context(), digest, provenance); err == nil || len(g.log) != 50 {
			t.Errorf("%d requests, error %v", len(g.log), err)
		}
	})
}

func TestListRepeatsAnAnswerThatIsNotAList(t *testing.T) {
	for _, body := range []string{"", "{", "[]", "{}", `{"attestations":null}`, "<html>"} {
		t.Run(body, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := &github{before: func(w http.ResponseWriter, _ *http.Request, n int) bool {
					if n <= 2 {
						_, _ = w.Write([]byte(body))
					}
					return n <= 2
				}}
				if _, err := g.store(t).List(t.Context(), digest, provenance); err != nil || len(g.log) != 3 {
					t.Errorf("%d requests, error %v", len(g.log), err)
				}
			})
		})
	}
}

func TestPollWaitsForOurOwnBundle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &github{}
		s := g.store(t)
		b := storetest.Bundle(t, "", provenance, digest)
		put(t, s, b)
		g.hidden = 6
		begin := time.Now()
		if _, err := store.Poll(t.Context(), s, digest, provenance, b); err != nil {
			t.Fatal(err)
		}
		if want, took := 15750*time.Millisecond, time.Since(begin); took != want {
			t.Errorf("took %s, want %s: 0.25 s and twice as long each time", took, want)
		}
	})
}

func TestPollSaysWhatTheStoreShowed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &github{}
		s := g.store(t)
		put(t, s, storetest.Bundle(t, "another", provenance, digest))
		begin := time.Now()
		_, err := store.Poll(t.Context(), s, digest, provenance, storetest.Bundle(t, "ours", provenance, digest))
		if err == nil || !strings.Contains(err.Error(), "1 other bundle") {
			t.Errorf("error %v", err)
		}
		if took := time.Since(begin); took != 2*time.Minute {
			t.Errorf("gave up after %s", took)
		}
	})
}

func put(t *testing.T, s store.Store, b *bundle.Bundle) {
	t.Helper()
	if _, err := s.Put(t.Context(), b); err != nil {
		t.Fatal(err)
	}
}
