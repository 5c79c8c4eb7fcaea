package event_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/taglast/taglast/internal/event"
)

func environment(lines ...string) event.Getenv {
	env := map[string]string{}
	for _, l := range lines {
		key, value, _ := strings.Cut(l, "=")
		env[key] = value
	}
	return func(key string) string { return env[key] }
}

func TestTagEvent(t *testing.T) {
	const sha, head = "860c1904a1ce19322e91ac35af1ab07466440c37", "3370e228f2209994d57af4427fe64e71bb79ac96"
	pull := event.Payload{Number: 7, PullRequest: &event.PullRequest{}}
	pull.PullRequest.Head.SHA, pull.PullRequest.Base.Ref = head, "release/1"
	for name, tc := range map[string]struct {
		env     []string
		payload event.Payload
		branch  string
		want    string // name ref sha branch base length
	}{
		"the push of a tag":                                {[]string{"GITHUB_EVENT_NAME=push", "GITHUB_REF=refs/tags/v1", "GITHUB_SHA=" + sha}, event.Payload{BaseRef: "refs/heads/main"}, "", "push refs/tags/v1 " + sha + "  main 0"},
		"the payload names the default branch":             {[]string{"GITHUB_REF=refs/heads/x"}, event.Payload{Repository: event.Repository{DefaultBranch: "trunk"}}, "main", " refs/heads/x  trunk  0"},
		"else the checkout does":                           {[]string{"GITHUB_REF=refs/heads/x"}, event.Payload{BaseRef: "refs/heads/y"}, "main", " refs/heads/x  main  0"},
		"a pull request has a base":                        {[]string{"GITHUB_EVENT_NAME=pull_request", "GITHUB_REF=refs/pull/7/merge", "GITHUB_SHA=" + sha}, pull, "", "pull_request refs/pull/7/merge " + sha + "  release/1 0"},
		"pull_request_target is the pull request's":        {[]string{"GITHUB_EVENT_NAME=pull_request_target", "GITHUB_REF=refs/heads/main", "GITHUB_SHA=" + sha}, pull, "", "pull_request_target refs/pull/7/merge " + sha + "  release/1 0"},
		"the head's commit where it is asked for":          {[]string{"GITHUB_EVENT_NAME=pull_request", "GITHUB_REF=refs/pull/7/merge", "GITHUB_SHA=" + sha, "DOCKER_METADATA_PR_HEAD_SHA=TRUE"}, pull, "", "pull_request refs/pull/7/merge " + head + "  release/1 0"},
		"on pull requests alone":                           {[]string{"GITHUB_EVENT_NAME=push", "GITHUB_REF=refs/heads/main", "GITHUB_SHA=" + sha, "DOCKER_METADATA_PR_HEAD_SHA=true"}, pull, "", "push refs/heads/main " + sha + "   0"},
		"the length of a short commit":                     {[]string{"GITHUB_SHA=" + sha, "DOCKER_METADATA_SHORT_SHA_LENGTH=12"}, event.Payload{}, "", "  " + sha + "   12"},
		"a checkout before its first commit has no commit": {[]string{"GITHUB_SHA=" + strings.Repeat("0", 40)}, event.Payload{}, "", "     0"},
	} {
		t.Run(name, func(t *testing.T) {
			e, err := environment(tc.env...).TagEvent(tc.payload, tc.branch)
			if err != nil {
				t.Fatal(err)
			}
			length := "0"
			if e.ShortSHA != 0 {
				length = "12"
			}
			if got := strings.Join([]string{e.Name, e.Ref, e.SHA, e.DefaultBranch, e.BaseRef, length}, " "); got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

func TestTheClock(t *testing.T) {
	for text, want := range map[string]string{"2020-01-10T00:30:00Z": "2020-01-10T00:30:00Z", "1578616200": "2020-01-10T00:30:00Z", "2020-01-10T09:30:00.5+09:00": "2020-01-10T00:30:00Z"} {
		if e, err := environment("TAGLAST_NOW="+text).TagEvent(event.Payload{}, ""); err != nil || e.Now.UTC().Format(time.RFC3339) != want {
			t.Errorf("%s: %s, %v", text, e.Now, err)
		}
	}
	if e, err := environment().TagEvent(event.Payload{}, ""); err != nil || time.Since(e.Now) > time.Minute {
		t.Errorf("%s, %v", e.Now, err)
	}
	for _, line := range []string{"TAGLAST_NOW=soon", "DOCKER_METADATA_SHORT_SHA_LENGTH=0", "DOCKER_METADATA_SHORT_SHA_LENGTH=-1", "DOCKER_METADATA_SHORT_SHA_LENGTH=x"} {
		if _, err := environment(line).TagEvent(event.Payload{}, ""); err == nil {
			t.Errorf("%s is taken", line)
		}
	}
	if at, ok, err := environment("SOURCE_DATE_EPOCH=1000000000").SourceDate(); err != nil || !ok || at.Format(time.RFC3339) != "2001-09-09T01:46:40Z" {
		t.Errorf("%s, %t, %v", at, ok, err)
	}
	if _, ok, err := environment().SourceDate(); ok || err != nil {
		t.Error("a date without SOURCE_DATE_EPOCH")
	}
	for _, text := range []string{"-1", "x", "253402300800"} {
		if _, _, err := environment("SOURCE_DATE_EPOCH=" + text).SourceDate(); err == nil {
			t.Errorf("SOURCE_DATE_EPOCH=%s is taken", text)
		}
	}
}

func TestCommitDate(t *testing.T) {
	p := event.Payload{
		Commits:    []event.Commit{{ID: "a", Timestamp: "2020-01-01T00:00:00+01:00"}, {ID: "b", Timestamp: "no time"}},
		HeadCommit: &event.Commit{ID: "c", Timestamp: "2020-01-03T00:00:00Z"},
	}
	for sha, want := range map[string]string{"a": "2019-12-31T23:00:00Z", "c": "2020-01-03T00:00:00Z", "b": "", "d": "", "": ""} {
		at, ok := p.CommitDate(sha)
		if got := at.UTC().Format(time.RFC3339); ok != (want != "") || ok && got != want {
			t.Errorf("%q: %s, %t", sha, got, ok)
		}
	}
}

func TestReadPayload(t *testing.T) {
	dir := t.TempDir()
	write := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	good := write("good", `{"number":7,"base_ref":null,"repository":{"default_branch":"trunk","description":null,"license":null},"pull_request":{"head":{"repo":null}}}`)
	if p, err := event.ReadPayload(good); err != nil || p.Number != 7 || p.Repository.DefaultBranch != "trunk" || p.PullRequest.Head.Repo != nil {
		t.Errorf("%+v, %v", p, err)
	}
	for _, path := range []string{"", filepath.Join(dir, "none")} {
		if p, err := event.ReadPayload(path); err != nil || p.Number != 0 {
			t.Errorf("%q: %+v, %v", path, p, err)
		}
	}
	for name, content := range map[string]string{"no JSON": "{", "another type": `{"repository":[]}`, "too large": strings.Repeat(" ", 25<<20+1)} {
		if _, err := event.ReadPayload(write(name, content)); err == nil {
			t.Errorf("%s is read", name)
		}
	}
}

func FuzzReadPayload(f *testing.F) {
	f.Add([]byte(`{"commits":[{"id":"a","timestamp":"2020-01-01T00:00:00Z"}],"number":1}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		path := filepath.Join(t.TempDir(), "event.json")
		if err := os.WriteFile(path, raw, 0o600); err != nil {
			t.Fatal(err)
		}
		p, err := event.ReadPayload(path)
		if err != nil {
			return
		}
		_, _ = p.CommitDate("a")
		if _, err := environment("GITHUB_EVENT_NAME=pull_request_target").TagEvent(p, ""); err != nil {
			t.Fatal(err)
		}
	})
}

func TestTheCheckoutTakesTheJobsPlace(t *testing.T) {
	dir := t.TempDir()
	for _, args := range [][]string{{"init", "-q", "-b", "main"}, {"remote", "add", "origin", "https://github.com/acme/app.git"}, {"commit", "-q", "--allow-empty", "-m", "one"}} {
		cmd := exec.Command("git", args...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@b", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@b", "GIT_CONFIG_GLOBAL="+os.DevNull)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
	}
	got, branch, read := environment("GITHUB_EVENT_PATH=/elsewhere.json").WithCheckout(t.Context(), dir)
	if !read || branch != "main" || got("GITHUB_REPOSITORY") != "acme/app" || got("GITHUB_REPOSITORY_OWNER") != "acme" || got("GITHUB_REF") != "refs/heads/main" ||
		got("GITHUB_EVENT_NAME") != "push" || len(got("GITHUB_SHA")) != 40 || got("GITHUB_EVENT_PATH") != "" {
		t.Errorf("read %t, branch %q, %s at %s of %s", read, branch, got("GITHUB_REPOSITORY"), got("GITHUB_SHA"), got("GITHUB_REF"))
	}
	// What is given stands.
	got, _, read = environment("GITHUB_REF=refs/tags/v1.2.3", "GITHUB_EVENT_PATH=/mine.json").WithCheckout(t.Context(), dir)
	if !read || got("GITHUB_REF") != "refs/tags/v1.2.3" || got("GITHUB_EVENT_PATH") != "/mine.json" || got("GITHUB_REPOSITORY") != "acme/app" {
		t.Errorf("%s of %s, event %s", got("GITHUB_REF"), got("GITHUB_REPOSITORY"), got("GITHUB_EVENT_PATH"))
	}
	// In a job nothing is made up.
	got, _, read = environment("GITHUB_ACTIONS=true").WithCheckout(t.Context(), dir)
	if read || got("GITHUB_REPOSITORY") != "" {
		t.Errorf("in a job: %q", got("GITHUB_REPOSITORY"))
	}
	if environment().HasEvent() || !environment("GITHUB_EVENT_NAME=push").HasEvent() || !environment("GITHUB_ACTIONS=true").HasEvent() {
		t.Error("HasEvent")
	}
}
