package store_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/taglast/taglast/internal/bundle"
	"github.com/taglast/taglast/internal/hint"
	"github.com/taglast/taglast/internal/store"
	"github.com/taglast/taglast/internal/testkit/storetest"
)

var digest = storetest.Digest('a')

func TestPutPostsTheCanonicalForm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &github{}
		b := storetest.Bundle(t, "", provenance, digest)
		var spaced bytes.Buffer
		if err := json.Indent(&spaced, b.Raw(), "", " "); err != nil {
			t.Fatal(err)
		}
		loose, err := bundle.Parse(spaced.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		got, err := g.store(t).Put(t.Context(), loose)
		if err != nil {
			t.Fatal(err)
		}
		if want := (store.Receipt{ID: "4242", URL: "https://github.example/acme/app/attestations/4242"}); got != want {
			t.Errorf("receipt %+v, want %+v", got, want)
		}
		if want := `{"bundle":` + string(b.Raw()) + `}`; len(g.posts) != 1 || g.posts[0] != want {
			t.Errorf("posted %q", g.posts)
		}
		for name, want := range map[string]string{
			"Accept": "application/vnd.github+json", "X-Github-Api-Version": "2022-11-28",
			"Authorization": "Bearer " + secret, "User-Agent": "taglast/test", "Content-Type": "application/json; charset=utf-8",
		} {
			if got := g.headers[0].Get(name); got != want {
				t.Errorf("%s: %q, want %q", name, got, want)
			}
		}
	})
}

func TestPutSurvivesTrouble(t *testing.T) {
	answer := func(status int, message string, header ...string) func(http.ResponseWriter, *http.Request, int) bool {
		return func(w http.ResponseWriter, _ *http.Request, n int) bool {
			if n > 3 {
				return false
			}
			if len(header) == 2 {
				w.Header().Set(header[0], header[1])
			}
			say(w, status, message)
			return true
		}
	}
	for _, c := range []struct {
		name   string
		before func(http.ResponseWriter, *http.Request, int) bool
		least  time.Duration
	}{
		{"a server error", answer(502, "Server Error"), 0},
		{"a rate limit with Retry-After", answer(429, "slow down", "Retry-After", "20"), time.Minute},
		{"a secondary rate limit", answer(403, "You have exceeded a secondary rate limit", "Retry-After", "20"), time.Minute},
		{"a 401 for a token that is good", answer(401, "Requires authentication"), 0},
		{"an answer without an id", func(w http.ResponseWriter, _ *http.Request, n int) bool {
			if n > 1 {
				return false
			}
			_, _ = io.WriteString(w, "<html>")
			return true
		}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := &github{before: c.before}
				begin := time.Now()
				got, err := g.store(t).Put(t.Context(), storetest.Bundle(t, "", provenance, digest))
				if err != nil {
					t.Fatal(err)
				}
				if got.ID != "4242" || len(g.bundles) != 1 {
					t.Errorf("receipt %+v, %d bundles stored", got, len(g.bundles))
				}
				if took := time.Since(begin); took < c.least {
					t.Errorf("took %s, less than the server asked for", took)
				}
			})
		})
	}
}

func TestPutLooksBeforeItPostsAgain(t *testing.T) {
	for _, c := range []struct {
		name   string
		hidden int
		posts  int
		id     string
	}{
		{"a bundle whose answer was lost is found, not posted twice", 0, 1, ""},
		{"a bundle that the store does not show yet is posted again", 1, 2, "4243"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := &github{hidden: c.hidden, lose: func(_ *http.Request, n int) bool { return n == 1 }}
				got, err := g.store(t).Put(t.Context(), storetest.Bundle(t, "", provenance, digest))
				if err != nil {
					t.Fatal(err)
				}
				if got.ID != c.id || g.count("POST ") != c.posts {
					t.Errorf("receipt %+v after %d posts, want id %q after %d", got, g.count("POST "), c.id, c.posts)
				}
			})
		})
	}
}

func TestPutDoesNotPostWhileItCannotLook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &github{
			lose: func(_ *http.Request, n int) bool { return n == 1 },
			before: func(w http.ResponseWriter, r *http.Request, _ int) bool {
				if r.Method == http.MethodGet {
					say(w, 503, "unavailable")
				}
				return r.Method == http.MethodGet
			},
		}
		_, err := g.store(t).Put(t.Context(), storetest.Bundle(t, "", provenance, digest))
		leaks(t, err)
		if err == nil || g.count("POST ") != 1 || !strings.Contains(err.Error(), "cannot be seen") {
			t.Errorf("%d posts, error %v", g.count("POST "), err)
		}
	})
}

func TestRefusalsSayWhatToDo(t *testing.T) {
	for _, c := range []struct {
		name    string
		status  int
		message string
		is      error // nil: a preflight goes on
		hint    string
	}{
		{"a job without the permission", 403, "Resource not accessible by integration", store.ErrNoPermission, "attestations: write"},
		{"a personal token without the permission", 403, "Resource not accessible by personal access token", store.ErrNoPermission, "repository permission Attestations"},
		{"a user's private repository", 422, "Feature not available for user-owned private repositories. To enable this feature, please make this repository public.", store.ErrPrivateUserRepository, "make the repository public"},
		{"a token that is refused again and again", 401, "Bad credentials", store.ErrBadToken, "GITHUB_TOKEN"},
		{"a bundle that is refused", 422, "Invalid Argument - duplicate subject in statement", nil, ""},
		{"another refusal", 403, "Forbidden", nil, ""},
		{"a server in trouble", 503, "unavailable", nil, ""},
		{"a limit that lasts", 429, "slow down", nil, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := &github{before: func(w http.ResponseWriter, _ *http.Request, _ int) bool {
					say(w, c.status, c.message)
					return true
				}}
				s := g.store(t)
				_, put := s.Put(t.Context(), storetest.Bundle(t, "", provenance, digest))
				pre := s.Preflight(t.Context())
				leaks(t, put)
				leaks(t, pre)
				if put == nil || !strings.Contains(put.Error(), c.message) {
					t.Errorf("Put: %v", put)
				}
				if c.is == nil {
					if pre != nil {
						t.Errorf("Preflight: %v", pre)
					}
					return
				}
				for _, err := range []error{put, pre} {
					if !errors.Is(err, c.is) || !strings.Contains(hint.Of(err), c.hint) {
						t.Errorf("%v, hint %q", err, hint.Of(err))
					}
				}
			})
		})
	}
}

func TestPreflightStoresNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &github{}
		if err := g.store(t).Preflight(t.Context()); err != nil {
			t.Fatal(err)
		}
		if len(g.posts) != 1 || g.posts[0] != `{"bundle":{}}` || len(g.bundles) != 0 {
			t.Errorf("posted %q, %d bundles stored", g.posts, len(g.bundles))
		}
	})
}

func TestPreflightFailsWithoutAnAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &github{lose: func(*http.Request, int) bool { return true }}
		begin := time.Now()
		if err := g.store(t).Preflight(t.Context()); err == nil {
			t.Error("no error")
		}
		if took := time.Since(begin); took > time.Minute {
			t.Errorf("took %s: a preflight is short", took)
		}
	})
}

func TestPreflightThatIsInterruptedIsAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &github{before: func(w http.ResponseWriter, _ *http.Request, _ int) bool { say(w, 503, ""); return true }}
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		if err := g.store(t).Preflight(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v", err)
		}
	})
}

func TestCreationsArePaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var begun []time.Time
		g := &github{before: func(_ http.ResponseWriter, r *http.Request, _ int) bool {
			begun = append(begun, time.Now())
			return false
		}}
		s := g.store(t)
		var group errgroup.Group
		for i := range 200 {
			b := storetest.Bundle(t, fmt.Sprint(i), provenance, digest)
			group.Go(func() error { _, err := s.Put(t.Context(), b); return err })
		}
		if err := group.Wait(); err != nil {
			t.Fatal(err)
		}
		for i := range begun[80:] {
			if gap := begun[i+80].Sub(begun[i]); gap <= time.Minute {
				t.Fatalf("81 creations within %s", gap)
			}
		}
		if whole := begun[199].Sub(begun[0]); whole > 3*time.Minute {
			t.Errorf("200 creations took %s", whole)
		}
	})
}

func TestPutDoesNotWaitAfterItsContextEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &github{before: func(w http.ResponseWriter, _ *http.Request, _ int) bool { say(w, 503, ""); return true }}
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		begin := time.Now()
		_, err := g.store(t).Put(ctx, storetest.Bundle(t, "", provenance, digest))
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(begin) > 3*time.Second {
			t.Errorf("%v after %s", err, time.Since(begin))
		}
	})
}

func TestOptionsAreChecked(t *testing.T) {
	good := store.GitHubOptions{HTTP: &github{}, Repository: "acme/app", Token: secret}
	if _, err := store.NewGitHub(good); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		change func(*store.GitHubOptions)
	}{
		{"no transport", func(o *store.GitHubOptions) { o.HTTP = nil }},
		{"no token", func(o *store.GitHubOptions) { o.Token = "" }},
		{"a token with a line break", func(o *store.GitHubOptions) { o.Token = secret + "\n" }},
		{"a repository without an owner", func(o *store.GitHubOptions) { o.Repository = "app" }},
		{"a repository that leaves its path", func(o *store.GitHubOptions) { o.Repository = "acme/.." }},
		{"plain http to another machine", func(o *store.GitHubOptions) { o.APIURL = "http://api.example" }},
		{"an API URL with a password", func(o *store.GitHubOptions) { o.APIURL = "https://a:b@api.example" }},
		{"a server that is no URL", func(o *store.GitHubOptions) { o.ServerURL = "github" }},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := good
			c.change(&o)
			_, err := store.NewGitHub(o)
			leaks(t, err)
			if err == nil {
				t.Error("no error")
			}
		})
	}
}
