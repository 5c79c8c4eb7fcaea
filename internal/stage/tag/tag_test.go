package tag_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/taglast/taglast/internal/sandbox"
	"github.com/taglast/taglast/internal/stage/prove"
	"github.com/taglast/taglast/internal/stage/tag"
)

func TestWriteRefusesAZeroComplete(t *testing.T) {
	s := newScene(t, sandbox.Options{})
	tagged, err := tag.Write(t.Context(), prove.Complete{}, s.run.Clients, s.requests(), tag.Options{})
	if !errors.Is(err, tag.ErrNotMade) || tagged != nil || len(s.watch.log) > 0 {
		t.Errorf("%v, %v, %v", err, tagged, s.watch.log)
	}
}

func TestWriteRefusesWhatTheProofDoesNotName(t *testing.T) {
	for name, c := range map[string]struct {
		image, want string
	}{
		"another repository": {"app", "quay.io/acme/app:1.2.3: the proof of image app does not name this repository"},
		"another image":      {"ghost", "quay.io/acme/app:1.2.3: image ghost has no proof"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t, sandbox.Options{})
			requests := s.requests()
			requests[7].Image = c.image
			tagged, err := tag.Write(t.Context(), s.complete, s.run.Clients, requests, tag.Options{})
			if err == nil || err.Error() != c.want || len(s.watch.log) > 0 {
				t.Errorf("%v, %v", err, s.watch.log)
			}
			for i, got := range tagged {
				if got.Action != tag.Pending || got.Ref() != requests[i].Ref() {
					t.Errorf("%s is %q", got.Ref(), got.Action)
				}
			}
		})
	}
}

func TestFixedTagsAreFirstAndLatestIsLast(t *testing.T) {
	for _, jobs := range []int{1, 8} {
		s := newScene(t, sandbox.Options{})
		progress := 0
		tagged, err := s.write(t.Context(), tag.Options{Jobs: jobs, Progress: func(done, total int) {
			if progress++; done != progress || total != 9 {
				t.Errorf("%d of %d after %d", done, total, progress)
			}
		}})
		if err != nil {
			t.Fatal(err)
		}
		s.truthful(tagged)
		puts := s.watch.requests(http.MethodPut)
		want := [][]string{
			{"docker.io/acme/app:1.2.3", "ghcr.io/acme/app:1.2.3", "quay.io/acme/app:1.2.3"}, // fixed, everywhere
			{"quay.io/acme/app:cli"},                                 // what moves
			{"docker.io/acme/app:1.2", "ghcr.io/acme/app:1.2"},       // the first image's
			{"quay.io/acme/app:latest"},                              // latest
			{"docker.io/acme/app:latest", "ghcr.io/acme/app:latest"}, // the first image's, last of all
		}
		for _, group := range want {
			if len(puts) < len(group) {
				t.Fatalf("only %v", s.watch.requests(http.MethodPut))
			}
			got := slices.Sorted(slices.Values(puts[:len(group)]))
			if puts = puts[len(group):]; !slices.Equal(got, group) {
				t.Errorf("%d jobs: wrote %v, want %v", jobs, got, group)
			}
		}
		if len(puts) > 0 || progress != 9 {
			t.Errorf("also wrote %v; progress %d", puts, progress)
		}
		for _, got := range tagged {
			if got.Action != tag.Created || got.Previous != "" || got.Doubtful {
				t.Errorf("%+v", got)
			}
		}
	}
}

// TestTheFlavorsLatestIsLastWhateverItsName: latest may have a prefix or suffix.
func TestTheFlavorsLatestIsLastWhateverItsName(t *testing.T) {
	s := newScene(t, sandbox.Options{})
	requests := s.requests()
	for i := range requests {
		if requests[i].Tag == "latest" {
			requests[i].Tag, requests[i].Latest = "a-latest", true
		}
	}
	if _, err := tag.Write(t.Context(), s.complete, s.run.Clients, requests, tag.Options{Jobs: 1}); err != nil {
		t.Fatal(err)
	}
	puts := s.watch.requests(http.MethodPut)
	for _, put := range puts[:len(puts)-3] {
		if strings.HasSuffix(put, "latest") {
			t.Errorf("%s is not among the last: %v", put, puts)
		}
	}
}

func TestEveryTagIsLookedAtAfterTheLastWrite(t *testing.T) {
	s := newScene(t, sandbox.Options{})
	if _, err := s.write(t.Context(), tag.Options{Jobs: 4}); err != nil {
		t.Fatal(err)
	}
	last := 0
	for i, line := range s.watch.log {
		if strings.HasPrefix(line, "PUT ") {
			last = i
		}
	}
	looks := slices.Sorted(slices.Values(s.watch.log[last+1:]))
	if want := []string{ // Docker Hub counts what is read, so that one tag of the image is hashed there
		"GET docker.io/acme/app:latest",
		"GET ghcr.io/acme/app:1.2", "GET ghcr.io/acme/app:1.2.3", "GET ghcr.io/acme/app:latest",
		"GET quay.io/acme/app:1.2.3", "GET quay.io/acme/app:cli", "GET quay.io/acme/app:latest",
		"HEAD docker.io/acme/app:1.2", "HEAD docker.io/acme/app:1.2.3",
	}; !slices.Equal(looks, want) {
		t.Errorf("after the last write:\n got %v\nwant %v", looks, want)
	}
	for _, line := range s.watch.log[:last] {
		if strings.HasPrefix(line, "GET ") {
			t.Errorf("%s before the last write: it will be read after it", line)
		}
	}
}

func TestAConflictAmongFixedTagsChangesNothing(t *testing.T) {
	for _, host := range []string{"ghcr.io", "index.docker.io", "quay.io"} {
		s := newScene(t, sandbox.Options{})
		requests := s.requests() // the plan saw nothing
		there := s.stranger(host, "1.2.3")
		tagged, err := tag.Write(t.Context(), s.complete, s.run.Clients, requests, tag.Options{Jobs: 1})
		var conflict *tag.ConflictError
		if !errors.As(err, &conflict) {
			t.Fatal(err)
		}
		here := s.app.Root().Digest.String()
		if host == "quay.io" {
			here = s.cli.Root().Digest.String()
		}
		if conflict.Existing != there || conflict.Wanted != here || !strings.Contains(err.Error(), there) || !strings.Contains(err.Error(), here) {
			t.Errorf("%s: %v", host, err)
		}
		if puts := s.watch.requests(http.MethodPut); len(puts) > 0 {
			t.Errorf("%s: wrote %v", host, puts)
		}
		for _, got := range tagged {
			want := tag.Pending
			if got.Ref() == conflict.Ref {
				want = tag.Failed
			}
			if got.Action != want || got.Doubtful {
				t.Errorf("%s: %+v", host, got)
			}
		}
		s.truthful(tagged)
	}
}

func TestWhatIsRightIsNotWritten(t *testing.T) {
	s := newScene(t, sandbox.Options{})
	if _, err := s.write(t.Context(), tag.Options{}); err != nil {
		t.Fatal(err)
	}
	s.watch.forget()
	tagged, err := s.write(t.Context(), tag.Options{Jobs: 2})
	if err != nil {
		t.Fatal(err)
	}
	for _, got := range tagged {
		if got.Action != tag.Unchanged || got.Previous != got.Digest {
			t.Errorf("%+v", got)
		}
	}
	if heads := s.watch.requests(http.MethodHead); len(heads) != 9 || len(s.watch.log) != 9 {
		t.Errorf("asked %v, want one look at each tag", s.watch.log)
	}
	s.truthful(tagged)
}

func TestATagThatMovesSaysWhatItNamed(t *testing.T) {
	s := newScene(t, sandbox.Options{})
	before := s.stranger("ghcr.io", "latest")
	tagged, err := s.write(t.Context(), tag.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, got := range tagged {
		if got.Ref() == "ghcr.io/acme/app:latest" {
			if got.Action != tag.Moved || got.Previous != before || got.Digest != s.app.Root().Digest.String() {
				t.Errorf("%+v", got)
			}
		} else if got.Action != tag.Created {
			t.Errorf("%+v", got)
		}
	}
}

// TestAnotherRunInBetweenIsTold lets another run write tags at different moments.
func TestAnotherRunInBetweenIsTold(t *testing.T) {
	for _, c := range []struct {
		name string
		when string   // after this request
		tags []string // on ghcr.io, which become a stranger's
		gone bool     // and are deleted
	}{
		{"a fixed tag, right after it was written", "PUT ghcr.io/acme/app:1.2.3", []string{"1.2.3"}, false},
		{"a fixed tag, after the last write", "PUT ghcr.io/acme/app:latest", []string{"1.2.3"}, false},
		{"a moving tag, after the last write", "PUT ghcr.io/acme/app:latest", []string{"1.2"}, false},
		{"the last tag, right after it was written", "PUT ghcr.io/acme/app:latest", []string{"latest"}, false},
		{"several tags", "PUT ghcr.io/acme/app:latest", []string{"1.2.3", "1.2", "latest"}, false},
		{"a tag that is gone", "PUT ghcr.io/acme/app:latest", []string{"1.2.3"}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newScene(t, sandbox.Options{})
			found := ""
			s.watch.after = func(req *http.Request) {
				ref, _ := tagOf(req)
				if found != "" || req.Method+" "+ref != c.when {
					return
				}
				for _, text := range c.tags {
					found = s.stranger("ghcr.io", text)
				}
				if c.gone {
					s.run.World.Delete("ghcr.io", "acme/app", found)
				}
			}
			tagged, err := s.write(t.Context(), tag.Options{Jobs: 1})
			var race *tag.RaceError
			if !errors.As(err, &race) {
				t.Fatal(err)
			}
			if c.gone {
				found = "nothing"
			}
			for _, text := range c.tags {
				ref := "ghcr.io/acme/app:" + text
				if !strings.Contains(err.Error(), ref) {
					t.Errorf("%s is not told: %v", ref, err)
				}
			}
			if !strings.Contains(err.Error(), s.app.Root().Digest.String()) || !strings.Contains(err.Error(), found) {
				t.Errorf("both digests are not told: %v", err)
			}
			s.truthful(tagged)
			for _, got := range tagged {
				raced := strings.HasPrefix(got.Ref(), "ghcr.io/") && slices.Contains(c.tags, got.Tag)
				if raced != (got.Action == tag.Failed) {
					t.Errorf("%s is %s", got.Ref(), got.Action)
				}
				if raced && !got.Doubtful && got.Digest == s.app.Root().Digest.String() {
					t.Errorf("%s: said to name our digest", got.Ref())
				}
			}
		})
	}
}

// TestAFailedWriteStopsTheStage lets one tag be refused for good.
func TestAFailedWriteStopsTheStage(t *testing.T) {
	for _, c := range []struct {
		name, at string
		status   int
		doubtful bool
		want     []string
	}{
		{"refused at the second fixed tag", "docker.io/acme/app:1.2.3", 400, false, []string{"ghcr.io/acme/app:1.2.3 created", "docker.io/acme/app:1.2.3 failed"}},
		{"refused at the first tag", "ghcr.io/acme/app:1.2.3", 403, false, []string{"ghcr.io/acme/app:1.2.3 failed"}},
		{"no answer that says anything", "docker.io/acme/app:1.2.3", 503, true, []string{"ghcr.io/acme/app:1.2.3 created", "docker.io/acme/app:1.2.3 failed"}},
		{"refused at the very last", "docker.io/acme/app:latest", 400, false, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newScene(t, sandbox.Options{})
				s.watch.before = func(req *http.Request) (*http.Response, error) {
					if ref, _ := tagOf(req); req.Method == http.MethodPut && ref == c.at {
						return answer(req, c.status, ""), nil
					}
					return nil, nil
				}
				tagged, err := s.write(t.Context(), tag.Options{Jobs: 1})
				if err == nil || !strings.Contains(err.Error(), c.at) {
					t.Fatalf("%v", err)
				}
				s.truthful(tagged)
				for _, got := range tagged {
					if failed := got.Ref() == c.at; failed != (got.Err != nil) || got.Doubtful != (failed && c.doubtful) {
						t.Errorf("%+v", got)
					}
				}
				got := slices.DeleteFunc(actions(tagged), func(l string) bool { return strings.HasSuffix(l, string(tag.Pending)) })
				slices.Sort(c.want)
				if c.want != nil && !slices.Equal(got, c.want) {
					t.Errorf("%v, want %v", got, c.want)
				}
				if c.want == nil && len(got) != 9 {
					t.Errorf("%v", got)
				}
				// The same again finishes.
				s.watch.before = nil
				if tagged, err := s.write(t.Context(), tag.Options{}); err != nil {
					t.Error(err)
				} else {
					s.truthful(tagged)
				}
			})
		})
	}
}

func TestImmutableTags(t *testing.T) {
	immutable := sandbox.Options{Registry: sandbox.RegistryOptions{ImmutableTags: true}}
	t.Run("created, and then left", func(t *testing.T) {
		s := newScene(t, immutable)
		for range 2 {
			tagged, err := s.write(t.Context(), tag.Options{})
			if err != nil {
				t.Fatal(err)
			}
			s.truthful(tagged)
		}
	})
	t.Run("a lost answer is no failure, although the registry refuses the second write", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := newScene(t, immutable)
			var lost atomic.Int64
			s.watch.before = func(req *http.Request) (*http.Response, error) {
				if req.Method != http.MethodPut {
					return nil, nil
				}
				resp, err := s.run.World.RoundTrip(req)
				if err != nil || resp.StatusCode >= 300 {
					return resp, err
				}
				lost.Add(1)
				return nil, io.ErrUnexpectedEOF
			}
			tagged, err := s.write(t.Context(), tag.Options{Jobs: 3})
			if err != nil || lost.Load() != 9 {
				t.Errorf("%d lost: %v", lost.Load(), err)
			}
			s.truthful(tagged)
		})
	})
	t.Run("a tag that would have to move fails, and nothing more is written", func(t *testing.T) {
		s := newScene(t, immutable)
		there := s.stranger("quay.io", "cli")
		tagged, err := s.write(t.Context(), tag.Options{Jobs: 1})
		if err == nil || !strings.Contains(err.Error(), "quay.io/acme/app:cli") {
			t.Errorf("%v", err)
		}
		s.truthful(tagged)
		for _, got := range tagged {
			switch {
			case got.Fixed && got.Action != tag.Created,
				got.Tag == "cli" && (got.Action != tag.Failed || got.Doubtful || got.Digest != there),
				!got.Fixed && got.Tag != "cli" && got.Action != tag.Pending:
				t.Errorf("%+v", got)
			}
		}
	})
}

// TestAnUnknownTagIsNotLookedAt is for dry runs: the overlay holds nothing under it, and the real registry does not
// let it be read.
func TestAnUnknownTagIsNotLookedAt(t *testing.T) {
	s := newScene(t, sandbox.Options{})
	requests := s.requests()
	for i := range requests {
		requests[i].Unknown = true
	}
	if _, err := tag.Write(t.Context(), s.complete, s.run.Clients, requests, tag.Options{}); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(s.watch.log[0], "PUT ") {
		t.Errorf("looked before the first write: %v", s.watch.log)
	}
}

func TestAnEndedContextWritesNothing(t *testing.T) {
	s := newScene(t, sandbox.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	tagged, err := s.write(ctx, tag.Options{})
	if !errors.Is(err, context.Canceled) || len(s.watch.requests(http.MethodPut)) > 0 {
		t.Errorf("%v, %v", err, s.watch.log)
	}
	s.truthful(tagged)
}

// TestATagFoundRightIsLookedAtOnceMore: `1.2` is right when the stage looks; another run moves it while this one writes
// the rest.
func TestATagFoundRightIsLookedAtOnceMore(t *testing.T) {
	s := newScene(t, sandbox.Options{})
	if _, err := s.write(t.Context(), tag.Options{}); err != nil {
		t.Fatal(err)
	}
	s.stranger("ghcr.io", "latest")
	requests := s.requests()
	found := ""
	s.watch.after = func(req *http.Request) {
		if ref, _ := tagOf(req); req.Method == http.MethodPut && ref == "ghcr.io/acme/app:latest" {
			found = s.stranger("ghcr.io", "1.2")
		}
	}
	tagged, err := tag.Write(t.Context(), s.complete, s.run.Clients, requests, tag.Options{})
	var race *tag.RaceError
	if !errors.As(err, &race) || race.Ref != "ghcr.io/acme/app:1.2" || race.Found != found {
		t.Errorf("%v", err)
	}
	s.truthful(tagged)
}

// TestWhatThePlanSawIsLookedAtAgain: the plan saw nothing, and another run has moved the tag since.
func TestWhatThePlanSawIsLookedAtAgain(t *testing.T) {
	s := newScene(t, sandbox.Options{})
	requests := s.requests()
	before := s.stranger("ghcr.io", "latest")
	tagged, err := tag.Write(t.Context(), s.complete, s.run.Clients, requests, tag.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, got := range tagged {
		if got.Ref() == "ghcr.io/acme/app:latest" && (got.Action != tag.Moved || got.Previous != before) {
			t.Errorf("%+v", got)
		}
	}
}
