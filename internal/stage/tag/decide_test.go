package tag_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taglast/taglast/internal/sandbox"
	"github.com/taglast/taglast/internal/stage/tag"
)

// aliases are the scene's requests, all moving ones being aliases.
func (s *scene) aliases() []tag.Request {
	out := s.requests()
	for i := range out {
		out[i].Alias = !out[i].Fixed
	}
	return out
}

// lists are the requests for lists of tags, as host/repository.
func lists(s *scene) []string {
	var out []string
	for _, r := range s.run.World.Requests() {
		if repo, ok := strings.CutSuffix(r.Path, "/tags/list"); ok {
			out = append(out, r.Host+strings.TrimPrefix(repo, "/v2"))
		}
	}
	slices.Sort(out)
	return out
}

// TestItIsDecidedAfterTheFixedTags: what is decided is told of all tags of the image's repositories, this run's fixed ones
// included, and what is kept is not written.
func TestItIsDecidedAfterTheFixedTags(t *testing.T) {
	s := newScene(t, sandbox.Options{})
	before := s.stranger("ghcr.io", "latest")
	s.stranger("index.docker.io", "1.3.0")
	asked := map[string]int{}
	tagged, err := tag.Write(t.Context(), s.complete, s.run.Clients, s.aliases(), tag.Options{
		Jobs: 3,
		Decide: func(_ context.Context, image string, there []string, moving []tag.Tagged) ([]tag.Decision, error) {
			asked[image]++
			if puts := s.watch.requests(http.MethodPut); asked[image] == 1 && len(puts) != 3 {
				t.Errorf("decided after %v", puts)
			}
			want := []string{"1.2.3", "1.3.0", "latest"}
			if image == "cli" {
				want = []string{"1.2.3"}
			}
			if asked[image] == 1 && !slices.Equal(there, want) {
				t.Errorf("%s: there are %v, want %v", image, there, want)
			}
			out := make([]tag.Decision, len(moving))
			for i, m := range moving {
				if m.Tag == "latest" && image == "app" {
					out[i].Keep = "1.3.0 is higher"
				}
			}
			return out, nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	s.truthful(tagged)
	for _, got := range tagged {
		kept := got.Tag == "latest" && got.Image == "app"
		if kept != (got.Action == tag.Kept) || kept != (got.Reason != "") {
			t.Errorf("%s is %s: %s", got.Ref(), got.Action, got.Reason)
		}
		if got.Ref() == "ghcr.io/acme/app:latest" && (got.Digest != before || got.Previous != before) {
			t.Errorf("%+v", got)
		}
	}
	for _, put := range s.watch.requests(http.MethodPut) {
		if put == "ghcr.io/acme/app:latest" || put == "docker.io/acme/app:latest" {
			t.Errorf("%s was written", put)
		}
	}
	if asked["app"] != 2 || asked["cli"] != 2 {
		t.Errorf("asked %v, want each once before and once after the writes", asked)
	}
	want := []string{"ghcr.io/acme/app", "ghcr.io/acme/app", "index.docker.io/acme/app", "index.docker.io/acme/app", "quay.io/acme/app", "quay.io/acme/app"}
	if got := lists(s); !slices.Equal(got, want) {
		t.Errorf("listed %v", got)
	}
}

// TestOvertaken: another run publishes a higher version, and moves the alias, between the list that decides and our write.
func TestOvertaken(t *testing.T) {
	s := newScene(t, sandbox.Options{})
	theirs := ""
	s.watch.before = func(req *http.Request) (*http.Response, error) {
		if ref, _ := tagOf(req); req.Method == http.MethodPut && ref == "docker.io/acme/app:1.2" && theirs == "" {
			theirs = s.stranger("index.docker.io", "1.3.0")
			s.stranger("index.docker.io", "latest")
		}
		return nil, nil
	}
	tagged, err := tag.Write(t.Context(), s.complete, s.run.Clients, s.aliases(), tag.Options{
		Jobs: 1,
		Decide: func(_ context.Context, _ string, there []string, moving []tag.Tagged) ([]tag.Decision, error) {
			out := make([]tag.Decision, len(moving))
			for i, m := range moving {
				if m.Tag == "latest" && slices.Contains(there, "1.3.0") {
					out[i] = tag.Decision{Keep: "1.3.0 is higher", By: "1.3.0", Ours: "1.2.3", Version: "1.3.0"}
				}
			}
			return out, nil
		},
	})
	var overtaken *tag.OvertakenError
	if !errors.As(err, &overtaken) {
		t.Fatal(err)
	}
	ours := s.app.Root().Digest.String()
	for _, part := range []string{"ghcr.io/acme/app:latest", "docker.io/acme/app:latest", "docker.io/acme/app:1.3.0", ours, theirs, "1.2.3", "another run was between"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%s is not told: %v", part, err)
		}
	}
	for _, got := range tagged {
		raced := got.Image == "app" && got.Tag == "latest"
		if raced != (got.Action == tag.Failed) || raced && (got.Digest != ours || !got.Doubtful) {
			t.Errorf("%+v", got)
		}
	}
}

// TestAListThatIsBehindIsReadAgain: a list that lacks what this run has just written would lack another run's version too.
func TestAListThatIsBehindIsReadAgain(t *testing.T) {
	for name, c := range map[string]struct {
		stale int // lists that are behind
		fails bool
	}{
		"it catches up":     {2, false},
		"it never does so ": {1 << 20, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newScene(t, sandbox.Options{})
				behind := 0
				s.watch.list = func(req *http.Request) *http.Response {
					if behind++; req.URL.Host != "quay.io" || behind > c.stale {
						return nil
					}
					return answerJSON(req, `{"name":"acme/app","tags":["1.0.0"]}`)
				}
				begun := time.Now()
				tagged, err := tag.Write(t.Context(), s.complete, s.run.Clients, s.aliases(), tag.Options{Jobs: 1, Decide: moveAll})
				if (err != nil) != c.fails || c.fails && !strings.Contains(err.Error(), "the list of tags lacks quay.io/acme/app:1.2.3") {
					t.Errorf("%v", err)
				}
				if took := time.Since(begun); c.fails && (took < time.Minute || took > 2*time.Minute) {
					t.Errorf("gave up after %s", took)
				}
				s.truthful(tagged)
			})
		})
	}
}

func moveAll(_ context.Context, _ string, _ []string, moving []tag.Tagged) ([]tag.Decision, error) {
	return make([]tag.Decision, len(moving)), nil
}

// TestWhatCannotBeListedOrDecidedStopsTheStage: never an empty list in a list's place.
func TestWhatCannotBeListedOrDecidedStopsTheStage(t *testing.T) {
	refuse := func(status int) func(*http.Request) *http.Response {
		return func(req *http.Request) *http.Response {
			if req.URL.Host != "quay.io" {
				return nil
			}
			return answer(req, status, "")
		}
	}
	for name, c := range map[string]struct {
		list   func(*http.Request) *http.Response
		decide error
		want   string
	}{
		"401":             {refuse(401), nil, "list the tags of quay.io/acme/app"},
		"403":             {refuse(403), nil, "list the tags of quay.io/acme/app"},
		"500 for good":    {refuse(500), nil, "list the tags of quay.io/acme/app"},
		"nothing decided": {nil, errors.New("no decision"), "no decision"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newScene(t, sandbox.Options{})
				s.watch.list = c.list
				tagged, err := tag.Write(t.Context(), s.complete, s.run.Clients, s.aliases(), tag.Options{
					Jobs: 1, Decide: func(ctx context.Context, image string, there []string, moving []tag.Tagged) ([]tag.Decision, error) {
						if c.decide != nil {
							return nil, c.decide
						}
						return moveAll(ctx, image, there, moving)
					},
				})
				if err == nil || !strings.Contains(err.Error(), c.want) {
					t.Errorf("%v", err)
				}
				s.truthful(tagged)
				for _, got := range tagged {
					if got.Fixed != (got.Action == tag.Created) || !got.Fixed && got.Action != tag.Pending {
						t.Errorf("%s is %s", got.Ref(), got.Action)
					}
				}
			})
		})
	}
}
