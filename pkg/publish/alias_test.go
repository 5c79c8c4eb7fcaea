package publish_test

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taglast/taglast/internal/sandbox"
	"github.com/taglast/taglast/pkg/publish"
)

// aliased is a release of a version to two repositories, by its full version, two aliases with a part of it, a plain name
// and latest.
const aliased = `
repositories: [ghcr.io/acme/app, docker.io/acme/app]
platforms: [linux/amd64, linux/arm64]
release-version: "%s"
images:
  - name: app
    source: {oci: image}
    tags: ["type=semver,pattern={{version}}", "type=semver,pattern={{major}}.{{minor}}", "type=semver,pattern={{major}}", alpine]
`

// branchPush is a world whose job is the push of a branch.
func branchPush() sandbox.Options {
	return sandbox.Options{Identity: sandbox.Identity{Ref: "refs/heads/main"}}
}

// release makes the scene's file the release of a version, with further lines for the image.
func (s *scene) release(tb testing.TB, version string, more ...string) {
	tb.Helper()
	s.file = parse(tb, fmt.Sprintf(aliased, version)+"    "+strings.Join(append(more, ""), "\n    "))
}

// names are the tags of a repository with the version that each names, as `1.2=1.2.9`.
func (s *scene) names(repo string) string {
	tags := s.world.State().Tags[repo]
	var out []string
	for tag, digest := range tags {
		if strings.Count(tag, ".") == 2 {
			continue
		}
		for version, d := range tags {
			if strings.Count(version, ".") == 2 && d == digest {
				out = append(out, tag+"="+version)
			}
		}
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}

// became is what a report says of the tags of one repository, as `1.2 moved`.
func became(r *publish.Report, repo string) string {
	var out []string
	for _, im := range r.Images {
		for _, t := range im.Tags {
			if tag, ok := strings.CutPrefix(t.Ref, repo+":"); ok {
				out = append(out, tag+" "+t.Action)
			}
		}
	}
	return strings.Join(out, ", ")
}

func TestABackportKeepsTheAliasesOfHigherVersions(t *testing.T) {
	s := newScene(t, "repositories: [ghcr.io/acme/app]\ntags: []\nimages: [{name: app, source: {oci: image}}]", branchPush())
	for _, version := range []string{"1.2.8", "1.3.0"} {
		s.release(t, version)
		must(t, s, nil)
	}
	s.release(t, "1.2.9")
	// What a plan and a dry run say beforehand is what the release does.
	plan, err := publish.Plan(t.Context(), s.options(nil), false)
	if err != nil {
		t.Fatal(err)
	}
	o := s.options(nil)
	o.SigningConfig, o.TrustedRoot = nil, nil
	dry, err := publish.DryRun(t.Context(), o, false)
	if err != nil {
		t.Fatal(err)
	}
	before := s.world.Published()
	r, _ := must(t, s, nil)
	const want = "1.2.9 created, 1.2 moved, 1 kept, alpine kept, latest kept"
	for _, repo := range []string{"ghcr.io/acme/app", "docker.io/acme/app"} {
		for name, report := range map[string]*publish.Report{"plan": plan, "dry run": dry, "release": r} {
			if got := became(report, repo); got != want {
				t.Errorf("%s: %s in %s, want %s", name, got, repo, want)
			}
		}
		if got := s.names(strings.Replace(repo, "docker.io", "index.docker.io", 1)); got != "1.2=1.2.9 1.3=1.3.0 1=1.3.0 alpine=1.3.0 latest=1.3.0" {
			t.Errorf("%s: %s", repo, got)
		}
	}
	for _, report := range []*publish.Report{plan, dry, r} {
		for _, tag := range report.Images[0].Tags {
			if tag.Action == "kept" && (tag.Reason != "this release is 1.2.9 and 1.3.0 is higher" || tag.Digest != tag.Previous || tag.Digest == "") {
				t.Errorf("%+v", tag)
			}
		}
	}
	if c := r.Count(); c.Kept != 6 || c.Created != 2 || c.Moved != 2 {
		t.Errorf("%+v", c)
	}
	onDisk(t, s, r)
	if after := s.world.Published(); slices.Equal(before, after) {
		t.Error("nothing was published")
	}
	// The same again writes nothing.
	s.next()
	again, requests := must(t, s, nil)
	if got := withoutProbes(writes(requests)); len(got) > 0 {
		t.Errorf("the second run sent %v", got)
	}
	if got := became(again, "ghcr.io/acme/app"); got != strings.NewReplacer("created", "unchanged", "moved", "unchanged").Replace(want) {
		t.Errorf("the second run: %s", got)
	}
}

// TestAnAliasThatWasOvertakenIsTold: an earlier run of this release moved latest, and a higher version was published
// meanwhile (exit 3 then). The same again cannot mend it, and says who can.
func TestAnAliasThatWasOvertakenIsTold(t *testing.T) {
	s := newScene(t, fmt.Sprintf(aliased, "1.3.0"), branchPush())
	must(t, s, nil)
	s.release(t, "1.2.9")
	r, _ := must(t, s, nil)
	for _, host := range []string{"ghcr.io", "index.docker.io"} {
		if err := s.world.SeedTag(host, "acme/app", "latest", r.Images[0].Digest); err != nil {
			t.Fatal(err)
		}
	}
	r, _ = must(t, s, nil)
	for _, tag := range r.Images[0].Tags {
		told := strings.HasSuffix(tag.Reason, "though the tag names this release: re-run the release of 1.3.0")
		if latest := strings.HasSuffix(tag.Ref, ":latest"); latest != told || latest && tag.Action != "kept" {
			t.Errorf("%+v", tag)
		}
	}
}

func TestAliases(t *testing.T) {
	for name, c := range map[string]struct {
		before  []string // releases
		version string
		more    []string
		want    string // in both repositories
	}{
		"a pre-release moves no alias of releases": {[]string{"1.3.0"}, "1.4.0-rc.1", []string{"flavor: [latest=true]"}, "1=1.3.0 1.3=1.3.0 alpine=1.3.0 latest=1.3.0"},
		"the release after it moves them":          {[]string{"1.3.0", "1.4.0-rc.1"}, "1.4.0", nil, "1=1.4.0 1.3=1.3.0 1.4=1.4.0 alpine=1.4.0 latest=1.4.0"},
		"allow-downgrade lets one go back":         {[]string{"1.3.0"}, "1.2.9", []string{"allow-downgrade: [lat*]"}, "1=1.3.0 1.2=1.2.9 1.3=1.3.0 alpine=1.3.0 latest=1.2.9"},
		"the first release of all":                 {nil, "1.2.9", nil, "1=1.2.9 1.2=1.2.9 alpine=1.2.9 latest=1.2.9"},
		"an alias that is not there is not made":   {[]string{"1.3.0"}, "1.2.9", []string{"flavor: [latest=true]"}, "1=1.3.0 1.2=1.2.9 1.3=1.3.0 alpine=1.3.0 latest=1.3.0"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t, fmt.Sprintf(aliased, "0.0.1"), branchPush())
			for _, version := range c.before {
				s.release(t, version)
				must(t, s, nil)
			}
			s.release(t, c.version, c.more...)
			must(t, s, nil)
			for _, repo := range []string{"ghcr.io/acme/app", "index.docker.io/acme/app"} {
				if got := s.names(repo); sorted(got) != sorted(c.want) {
					t.Errorf("%s: %s, want %s", repo, got, c.want)
				}
			}
		})
	}
}

func sorted(s string) string {
	fields := strings.Fields(s)
	slices.Sort(fields)
	return strings.Join(fields, " ")
}

// TestTwoRegistriesThatDisagree: a version that one registry alone has keeps the aliases in both.
func TestTwoRegistriesThatDisagree(t *testing.T) {
	s := newScene(t, fmt.Sprintf(aliased, "1.2.8"), branchPush())
	must(t, s, nil)
	s.release(t, "1.3.0")
	if _, err := publish.Publish(t.Context(), func() publish.Options {
		o := s.options(nil)
		o.Registries = []string{"docker.io"}
		return o
	}()); err != nil {
		t.Fatal(err)
	}
	s.release(t, "1.2.9")
	r, _ := must(t, s, nil)
	for repo, want := range map[string]string{
		"ghcr.io/acme/app":         "1=1.2.8 1.2=1.2.9 alpine=1.2.8 latest=1.2.8",
		"index.docker.io/acme/app": "1=1.3.0 1.2=1.2.9 1.3=1.3.0 alpine=1.3.0 latest=1.3.0",
	} {
		if got := sorted(s.names(repo)); got != sorted(want) {
			t.Errorf("%s: %s, want %s", repo, got, want)
		}
	}
	if got := became(r, "ghcr.io/acme/app"); got != "1.2.9 created, 1.2 moved, 1 kept, alpine kept, latest kept" {
		t.Error(got)
	}
}

// TestTagsThatCannotBeListed: a refusal is no empty list. A real run stops before anything is sent; a plan and a rehearsal
// go on without.
func TestTagsThatCannotBeListed(t *testing.T) {
	for _, status := range []int{401, 403, 500} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newScene(t, fmt.Sprintf(aliased, "1.3.0"), branchPush())
				must(t, s, nil)
				s.release(t, "1.2.9")
				before, seen := s.world.Published(), len(s.world.Requests())
				refuse := roundTripper(func(req *http.Request) (*http.Response, error) {
					if strings.HasSuffix(req.URL.Path, "/tags/list") && req.URL.Host == "ghcr.io" {
						return refusal(req, status), nil
					}
					return s.world.RoundTrip(req)
				})
				r, err := publish.Publish(t.Context(), s.options(refuse))
				if publish.ExitCode(r, err) != 1 || r.Error.Stage != "plan" || !strings.Contains(r.Error.Message, "list the tags of ghcr.io/acme/app") {
					t.Fatalf("exit %d: %+v", publish.ExitCode(r, err), r.Error)
				}
				if got := withoutProbes(writes(s.world.Requests()[seen:])); len(got) > 0 {
					t.Errorf("sent %v", got)
				}
				if after := s.world.Published(); !slices.Equal(before, after) {
					t.Errorf("the state changed:\n%v\n%v", before, after)
				}
				plan, err := publish.Plan(t.Context(), s.options(refuse), false)
				if err != nil {
					t.Fatal(err)
				}
				for _, tag := range plan.Images[0].Tags {
					if unknown := strings.HasPrefix(tag.Ref, "ghcr.io/") && tag.Class == "moving"; unknown != (tag.Previous == publish.Unknown) {
						t.Errorf("%+v", tag)
					}
				}
			})
		})
	}
}

// TestAListThatLacksWhatIsThere: a registry that lists nothing, or not all, is found in the plan, and not after the first
// tag is written.
func TestAListThatLacksWhatIsThere(t *testing.T) {
	for name, answer := range map[string]func(*http.Request) *http.Response{
		"no list at all": func(req *http.Request) *http.Response { return refusal(req, http.StatusNotFound) },
		"half of it": func(req *http.Request) *http.Response {
			resp := refusal(req, http.StatusOK)
			resp.Body = io.NopCloser(strings.NewReader(`{"name":"acme/app","tags":["1.2.8"]}`))
			return resp
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newScene(t, fmt.Sprintf(aliased, "1.3.0"), branchPush())
				must(t, s, nil)
				s.release(t, "1.3.0") // its fixed tag is looked at, its aliases where there is no list
				s.next()
				before, seen := s.world.Published(), len(s.world.Requests())
				unlisted := roundTripper(func(req *http.Request) (*http.Response, error) {
					if strings.HasSuffix(req.URL.Path, "/tags/list") && req.URL.Host == "ghcr.io" {
						return answer(req), nil
					}
					return s.world.RoundTrip(req)
				})
				r, err := publish.Publish(t.Context(), s.options(unlisted))
				if publish.ExitCode(r, err) != 1 || r.Error.Stage != "plan" || !strings.Contains(r.Error.Message, "the list of tags lacks ghcr.io/acme/app:") {
					t.Fatalf("exit %d: %+v", publish.ExitCode(r, err), r.Error)
				}
				if got := withoutProbes(writes(s.world.Requests()[seen:])); len(got) > 0 || !slices.Equal(before, s.world.Published()) {
					t.Errorf("sent %v", got)
				}
				plan, err := publish.Plan(t.Context(), s.options(unlisted), false)
				if err != nil {
					t.Fatal(err)
				}
				for _, tag := range plan.Images[0].Tags {
					if unknown := strings.HasPrefix(tag.Ref, "ghcr.io/") && tag.Class == "moving"; unknown != (tag.Previous == publish.Unknown) {
						t.Errorf("%+v", tag)
					}
				}
			})
		})
	}
}

// TestAListThatLacksWhatIsThereInAFirstAttempt: a fixed tag that a list lacks is looked at just before it is written, and
// the list is found wanting before any tag is.
func TestAListThatLacksWhatIsThereInAFirstAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t, fmt.Sprintf(aliased, "1.3.0"), branchPush())
		must(t, s, nil)
		s.release(t, "1.3.0")
		before := tagLines(s.world.State())
		r, err := publish.Publish(t.Context(), s.options(roundTripper(func(req *http.Request) (*http.Response, error) {
			if strings.HasSuffix(req.URL.Path, "/tags/list") && req.URL.Host == "ghcr.io" {
				resp := refusal(req, http.StatusOK)
				resp.Body = io.NopCloser(strings.NewReader(`{"name":"acme/app","tags":["1.2.8"]}`))
				return resp, nil
			}
			return s.world.RoundTrip(req)
		})))
		if publish.ExitCode(r, err) != 1 || !strings.Contains(r.Error.Message, "the list of tags lacks ghcr.io/acme/app:1.3.0") {
			t.Fatalf("exit %d: %+v", publish.ExitCode(r, err), r.Error)
		}
		slices.Sort(before)
		after := tagLines(s.world.State())
		slices.Sort(after)
		if !slices.Equal(before, after) {
			t.Errorf("the tags changed:\n%v\n%v", before, after)
		}
	})
}

// TestAPlanSaysWhatTheReleaseDoes where the release's own tags decide: on an empty registry too.
func TestAPlanSaysWhatTheReleaseDoes(t *testing.T) {
	const head = "repositories: [ghcr.io/acme/app]\nimages:\n"
	for name, c := range map[string]struct{ images, want string }{
		"a candidate and its variant": {
			"  - {name: app, source: {oci: image}, release-version: 1.0.0-rc.1, flavor: [latest=true], tags: [\"type=semver,pattern={{version}}\", \"type=semver,pattern={{version}},suffix=-alpine\", next]}\n",
			"1.0.0-rc.1 created, 1.0.0-rc.1-alpine created, next created, latest created",
		},
		"two images of different versions": {
			"  - {name: app, source: {oci: image}, release-version: 1.2.9, tags: [\"type=semver,pattern={{version}}\"]}\n" +
				"  - {name: tool, source: {oci: image}, annotations: {a: b}, release-version: 2.0.0, flavor: [latest=false], tags: [\"type=semver,pattern={{version}}\"]}\n",
			"1.2.9 created, latest kept, 2.0.0 created",
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t, head+c.images, branchPush())
			plan, err := publish.Plan(t.Context(), s.options(nil), false)
			if err != nil {
				t.Fatal(err)
			}
			r, _ := must(t, s, nil)
			for what, report := range map[string]*publish.Report{"plan": plan, "release": r} {
				if got := became(report, "ghcr.io/acme/app"); got != c.want {
					t.Errorf("%s: %s, want %s", what, got, c.want)
				}
				for _, tag := range report.Images[0].Tags {
					if tag.Action == "kept" && (!strings.HasSuffix(tag.Reason, "2.0.0 is higher; the tag is not there, and is not made") || tag.Digest != "") {
						t.Errorf("%s: %+v", what, tag)
					}
				}
			}
		})
	}
}

// edge is a release without a version.
const edge = `
repositories: [ghcr.io/acme/app]
platforms: [linux/amd64, linux/arm64]
images:
  - name: app
    source: {oci: image}
    tags: ["type=edge", "type=ref,event=branch", "type=sha"]
    allow-downgrade: [%s]
`

func commitNumber(n int) string { return strings.Repeat(fmt.Sprintf("%x", n), 40) }

// on makes the next job one of a commit of main, and writes its event.
func (s *scene) on(tb testing.TB, sha, run string) {
	tb.Helper()
	s.world.SetIdentity(sandbox.Identity{Ref: "refs/heads/main", SHA: sha, RunID: run})
	payload, err := s.world.Event()
	if err != nil {
		tb.Fatal(err)
	}
	if err := os.WriteFile(s.event, payload, 0o600); err != nil {
		tb.Fatal(err)
	}
}

func TestATagWithoutAVersionDoesNotGoBack(t *testing.T) {
	for name, c := range map[string]struct {
		history       []string // what GitHub knows, oldest first
		branch        []string
		first, second string // commits
		allow         string
		foreign       bool // the present image is another repository's
		kept          bool
	}{
		"a newer commit moves it":                    {history: []string{commitNumber(1), commitNumber(2)}, first: commitNumber(1), second: commitNumber(2)},
		"an older one does not":                      {history: []string{commitNumber(1), commitNumber(2)}, first: commitNumber(2), second: commitNumber(1), kept: true},
		"the same commit moves it":                   {history: []string{commitNumber(1)}, first: commitNumber(1), second: commitNumber(1)},
		"a commit that nobody knows moves it":        {first: commitNumber(2), second: commitNumber(1)},
		"one that is no ancestor moves it":           {history: []string{commitNumber(1), commitNumber(2)}, branch: []string{commitNumber(3)}, first: commitNumber(2), second: commitNumber(3)},
		"allow-downgrade moves it":                   {history: []string{commitNumber(1), commitNumber(2)}, first: commitNumber(2), second: commitNumber(1), allow: "edge, main"},
		"what another repository attested moves":     {history: []string{commitNumber(1), commitNumber(2)}, first: commitNumber(2), second: commitNumber(1), foreign: true},
		"a branch that was left behind moves nobody": {history: []string{commitNumber(1), commitNumber(2), commitNumber(4)}, first: commitNumber(4), second: commitNumber(2), kept: true},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t, fmt.Sprintf(edge, c.allow), sandbox.Options{History: c.history, Branch: c.branch})
			s.on(t, c.first, "1")
			if c.foreign {
				s.world.SetIdentity(sandbox.Identity{Repository: "mallory/app", Ref: "refs/heads/main", SHA: c.first})
			}
			first, _ := must(t, s, nil)
			s.on(t, c.second, "2")
			second, _ := must(t, s, func(o *publish.Options) {
				if c.foreign { // the store gives what it should not
					o.Transport = roundTripper(func(req *http.Request) (*http.Response, error) {
						if strings.HasSuffix(req.URL.Path, first.Images[0].Digest) {
							req.URL.Path = strings.Replace(req.URL.Path, "/repos/acme/app/attestations/", "/repos/mallory/app/attestations/", 1)
						}
						return s.world.RoundTrip(req)
					})
				}
			})
			want := "edge moved, main moved, sha-" + c.second[:7] + " created"
			switch {
			case c.kept:
				want = strings.ReplaceAll(want, "moved", "kept")
			case c.first == c.second:
				want = strings.NewReplacer("moved", "unchanged", "created", "unchanged").Replace(want)
			}
			if got := became(second, "ghcr.io/acme/app"); got != want {
				t.Errorf("%s, want %s", got, want)
			}
			named := second.Images[0].Digest
			if c.kept {
				named = first.Images[0].Digest
				if reason := second.Images[0].Tags[0].Reason; !strings.Contains(reason, c.first[:7]) || !strings.Contains(reason, "a newer run was faster") {
					t.Errorf("reason %q", reason)
				}
			}
			if got := s.world.State().Tags["ghcr.io/acme/app"]["edge"]; got != named {
				t.Errorf("edge names %s, want %s", got, named)
			}
		})
	}
}

// TestTheCheckoutKnowsWhichCommitIsOlder: where git can tell, GitHub is not asked.
func TestTheCheckoutKnowsWhichCommitIsOlder(t *testing.T) {
	s := newScene(t, fmt.Sprintf(edge, ""), sandbox.Options{})
	dir := t.TempDir()
	git := func(args ...string) string {
		cmd := exec.Command("git", args...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@b", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@b", "GIT_CONFIG_GLOBAL="+os.DevNull)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	git("init", "-q")
	var commits []string
	for _, n := range []string{"1", "2"} {
		git("commit", "-q", "--allow-empty", "-m", n)
		commits = append(commits, git("rev-parse", "HEAD"))
	}
	here := func(o *publish.Options) { o.WorkDir = dir }
	s.on(t, commits[1], "1")
	must(t, s, here)
	s.on(t, commits[0], "2")
	r, requests := must(t, s, here)
	if got := became(r, "ghcr.io/acme/app"); got != "edge kept, main kept, sha-"+commits[0][:7]+" created" {
		t.Error(got)
	}
	for _, req := range requests {
		if strings.Contains(req.Path, "/compare/") || strings.Contains(req.Path, "/commits/") {
			t.Errorf("asked %s", req.Path)
		}
	}
}

// TestACompetingRunAtEachRequest lets a whole release of 1.3.0 run before each request of the release of 1.2.9, as a second
// job would. Afterwards the aliases of 1.3.0 name it, or the run says that another one was between.
func TestACompetingRunAtEachRequest(t *testing.T) {
	undisturbed := newScene(t, fmt.Sprintf(aliased, "1.2.9"), branchPush())
	_, requests := must(t, undisturbed, nil)
	told, kept := 0, 0
	for k := range requests {
		s := newScene(t, fmt.Sprintf(aliased, "1.2.9"), branchPush())
		rival := newScene(t, fmt.Sprintf(aliased, "1.3.0"), branchPush())
		rival.world = s.world
		var mu sync.Mutex
		n, done := 0, false
		r, err := publish.Publish(t.Context(), func() publish.Options {
			o := s.options(roundTripper(func(req *http.Request) (*http.Response, error) {
				mu.Lock()
				if n++; n > k && !done {
					done = true
					if _, err := publish.Publish(t.Context(), rival.options(nil)); err != nil {
						t.Errorf("the rival, before request %d: %v", n, err)
					}
				}
				mu.Unlock()
				return s.world.RoundTrip(req)
			}))
			o.Jobs = 1
			return o
		}())
		code := publish.ExitCode(r, err)
		right := true
		for _, repo := range []string{"ghcr.io/acme/app", "index.docker.io/acme/app"} {
			names := strings.Fields(s.names(repo))
			for _, alias := range []string{"1=1.3.0", "1.3=1.3.0", "alpine=1.3.0", "latest=1.3.0"} {
				right = right && slices.Contains(names, alias)
			}
		}
		switch {
		case code == 0 && !right:
			t.Errorf("before request %d: exit 0, and %s / %s", k+1, s.names("ghcr.io/acme/app"), s.names("index.docker.io/acme/app"))
		case code == 0:
			kept++
		case code == 3:
			told++
			if !strings.Contains(r.Error.Message, "another run was between") || r.Error.Hint == "" || !strings.Contains(r.Error.Message, r.Images[0].Digest) {
				t.Errorf("before request %d: %+v", k+1, r.Error)
			}
			// The rival's job again brings its aliases forward, and ours has nothing more to do.
			rival.next()
			must(t, rival, nil)
			if after, _ := must(t, s, nil); strings.Contains(became(after, "ghcr.io/acme/app"), "failed") {
				t.Errorf("%s", became(after, "ghcr.io/acme/app"))
			}
			if got := sorted(s.names("ghcr.io/acme/app")); got != sorted("1=1.3.0 1.2=1.2.9 1.3=1.3.0 alpine=1.3.0 latest=1.3.0") {
				t.Errorf("before request %d: in the end %s", k+1, got)
			}
		default:
			t.Errorf("before request %d: exit %d: %v", k+1, code, err)
		}
		lawful(t, s)
	}
	if told == 0 || kept == 0 {
		t.Errorf("told %d times, kept %d times", told, kept)
	}
	t.Logf("%d requests: the aliases were kept %d times, another run was told %d times", len(requests), kept, told)
}

// TestDefaultAnnotations are those of the token's claims and the event, below the file's own.
func TestDefaultAnnotations(t *testing.T) {
	const prefix = "org.opencontainers.image."
	s := newScene(t, fmt.Sprintf(aliased, "1.2.9")+"    annotations: {org.opencontainers.image.title: mine, org.opencontainers.image.url: \"\"}\n", branchPush())
	r, _ := must(t, s, nil)
	raw, _ := fetch(t, s.world, r.Images[0].Digest)
	for _, want := range []string{
		`"` + prefix + `source":"https://github.com/acme/app"`, `"` + prefix + `revision":"` + strings.Repeat("a", 40) + `"`,
		`"` + prefix + `version":"1.2.9"`, `"` + prefix + `created":"2026-01-02T03:04:05Z"`, `"` + prefix + `title":"mine"`,
		`"` + prefix + `licenses":"Apache-2.0"`,
	} {
		if !strings.Contains(string(raw), want) {
			t.Errorf("the index lacks %s:\n%s", want, raw)
		}
	}
	if strings.Contains(string(raw), prefix+"url") {
		t.Errorf("an empty value did not remove the url:\n%s", raw)
	}
	// What others wrote stays on its line.
	if err := os.WriteFile(s.event, []byte(`{"repository":{"visibility":"public","description":"two\nlines\u001b[31m"}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	s.release(t, "1.2.10")
	r, _ = must(t, s, nil)
	if raw, _ = fetch(t, s.world, r.Images[0].Digest); !strings.Contains(string(raw), `description":"two lines [31m"`) {
		t.Errorf("the description: %s", raw)
	}
	// SOURCE_DATE_EPOCH stands above the commit.
	s2 := newScene(t, fmt.Sprintf(aliased, "1.2.9"), branchPush())
	r, _ = must(t, s2, func(o *publish.Options) {
		under := o.Getenv
		o.Getenv = func(key string) string {
			if key == "SOURCE_DATE_EPOCH" {
				return "1000000000"
			}
			return under(key)
		}
	})
	raw, _ = fetch(t, s2.world, r.Images[0].Digest)
	if !strings.Contains(string(raw), `created":"2001-09-09T01:46:40Z"`) {
		t.Errorf("SOURCE_DATE_EPOCH is not the date:\n%s", raw)
	}
}

// TestTheDateOfACommitFromGitHub: without SOURCE_DATE_EPOCH, git and the event, GitHub's API is asked; never the clock.
func TestTheDateOfACommitFromGitHub(t *testing.T) {
	for name, known := range map[string]bool{"GitHub knows it": true, "nobody knows it": false} {
		t.Run(name, func(t *testing.T) {
			o := branchPush()
			if known {
				o.CommitDate = time.Date(2026, 3, 4, 0, 0, 0, 0, time.UTC)
			}
			s := newScene(t, fmt.Sprintf(aliased, "1.2.9"), o)
			if err := os.WriteFile(s.event, []byte(`{"repository":{"visibility":"public"}}`), 0o600); err != nil {
				t.Fatal(err)
			}
			r, requests := must(t, s, nil)
			raw, _ := fetch(t, s.world, r.Images[0].Digest)
			if got := strings.Contains(string(raw), `created":"2026-03-04T00:00:00Z"`); got != known {
				t.Errorf("%s", raw)
			}
			if !known && strings.Contains(string(raw), "created") {
				t.Errorf("a date from nowhere: %s", raw)
			}
			if n := count(requests, "GET", "api.github.com", "/commits/"+strings.Repeat("a", 40)); n != 1 {
				t.Errorf("asked %d times", n)
			}
		})
	}
}
