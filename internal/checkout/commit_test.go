package checkout

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// repository is a real one, in which time goes on by an hour with each commit.
type repository struct {
	dir   string
	hours int
}

var noon = time.Date(2026, 2, 3, 12, 0, 0, 0, time.UTC)

func newRepository(t *testing.T, branch string) *repository {
	t.Helper()
	r := &repository{dir: t.TempDir()}
	r.git(t, "init", "-q", "-b", branch)
	return r
}

func (r *repository) git(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = r.dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_SYSTEM="+os.DevNull,
		"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.com", "GIT_AUTHOR_DATE=2001-01-01T00:00:00Z",
		"GIT_COMMITTER_NAME=C > D", "GIT_COMMITTER_EMAIL=c@example.com",
		"GIT_COMMITTER_DATE="+noon.Add(time.Duration(r.hours)*time.Hour).In(time.FixedZone("", 2*60*60)).Format(time.RFC3339))
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %v: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// commit makes one and gives its SHA.
func (r *repository) commit(t *testing.T, message string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "message")
	if err := os.WriteFile(file, []byte(message), 0o600); err != nil {
		t.Fatal(err)
	}
	r.git(t, "commit", "-q", "--allow-empty", "-F", file)
	r.hours++
	return r.git(t, "rev-parse", "HEAD")
}

func TestCommitDateIsTheCommittersOfThatVeryCommit(t *testing.T) {
	r := newRepository(t, "main")
	one := r.commit(t, "one")
	two := r.commit(t, "two\n\ncommitter x <x> 1 +0000\n"+strings.Repeat("a long message\n", 10_000))
	r.git(t, "tag", "-a", "-m", "x", "v1")
	tag := r.git(t, "rev-parse", "refs/tags/v1")
	tree := r.git(t, "rev-parse", "HEAD^{tree}")
	r.git(t, "replace", one, two)
	for title, c := range map[string]struct {
		sha  string
		want time.Time // zero: not known
	}{
		"the first, that is replaced": {one, noon},
		"the last, with a message":    {two, noon.Add(time.Hour)},
		"a tag":                       {tag, time.Time{}},
		"a tree":                      {tree, time.Time{}},
		"one that is not there":       {strings.Repeat("a", 40), time.Time{}},
		"a short name":                {one[:12], time.Time{}},
		"in capitals":                 {strings.ToUpper(one), time.Time{}},
		"a branch":                    {"main", time.Time{}},
		"an option":                   {"--batch-all-objects", time.Time{}},
		"nothing":                     {"", time.Time{}},
		"two lines":                   {one + "\n" + two, time.Time{}},
	} {
		got, known := CommitDate(t.Context(), r.dir, c.sha)
		if known == c.want.IsZero() || !got.Equal(c.want) || known && got.Location() != time.UTC {
			t.Errorf("%s: %s, %t, want %s", title, got, known, c.want)
		}
	}
	if _, known := CommitDate(t.Context(), filepath.Join(r.dir, "none"), one); known {
		t.Error("a folder that is not there knows a commit")
	}
	ended, stop := context.WithCancel(t.Context())
	stop()
	if _, known := CommitDate(ended, r.dir, one); known {
		t.Error("git was run after the end")
	}
}

func TestCommitted(t *testing.T) {
	for object, want := range map[string]int64{
		"tree x\nauthor a <a> 1 +0000\ncommitter c <c> 1700000000 -0730\n\nx": 1700000000,
		"committer <> 0 +0000\n\n":                             0,
		"committer c <c> 253402300799 +0000\n\n":               maxDate,
		"committer c <c> 253402300800 +0000\n\n":               -1,
		"committer c <c> -1 +0000\n\n":                         -1,
		"committer c <c> 99999999999999999999 +0000\n\n":       -1,
		"committer c <c> 17\n\n":                               -1,
		"committer c <c> 17 +0000 18\n\n":                      -1,
		"committer c <c> 17 +0000":                             -1, // cut
		"committer c\n\n":                                      -1,
		"tree x\n\ncommitter c <c> 17 +0000\n":                 -1,
		"":                                                     -1,
		"committer a <a> x +0000\ncommitter c <c> 1 +0000\n\n": -1,
	} {
		got, known := committerDate(object)
		if known != (want >= 0) || known && got.Unix() != want {
			t.Errorf("%q: %s, %t", object, got, known)
		}
	}
}

func FuzzCommitted(f *testing.F) {
	f.Add("tree x\nauthor a <a> 1 +0000\ncommitter c <c> 1700000000 -0730\n\nx")
	f.Fuzz(func(t *testing.T, object string) {
		got, known := committerDate(object)
		if _, err := got.MarshalText(); err != nil || known && got.Unix() < 0 {
			t.Errorf("%q: %s, %v", object, got, err)
		}
	})
}

func TestAncestor(t *testing.T) {
	r := newRepository(t, "main")
	one := r.commit(t, "one")
	two := r.commit(t, "two")
	r.git(t, "checkout", "-q", "-b", "side", one)
	side := r.commit(t, "side")
	r.git(t, "checkout", "-q", "main")
	three := r.commit(t, "three")
	r.git(t, "replace", side, three) // a lie that must not be believed
	nowhere := strings.Repeat("a", 40)
	shallow := &repository{dir: filepath.Join(t.TempDir(), "shallow")}
	r.git(t, "clone", "-q", "--no-local", "--depth", "2", "file://"+filepath.ToSlash(r.dir), shallow.dir)
	for title, c := range map[string]struct {
		dir, older, newer string
		yes, known        bool
	}{
		"the first of the last":           {r.dir, one, three, true, true},
		"itself":                          {r.dir, two, two, true, true},
		"the last of the first":           {r.dir, three, one, false, true},
		"of another branch":               {r.dir, side, three, false, true},
		"where the branch left":           {r.dir, one, side, true, true},
		"a commit that is not there":      {r.dir, nowhere, three, false, false},
		"of one that is not there":        {r.dir, one, nowhere, false, false},
		"a short name":                    {r.dir, one[:12], three, false, false},
		"a branch":                        {r.dir, one, "main", false, false},
		"an option":                       {r.dir, one, "--all", false, false},
		"a folder that is not there":      {filepath.Join(r.dir, "none"), one, three, false, false},
		"a yes in a shallow clone":        {shallow.dir, two, three, true, true},
		"a no in a shallow clone":         {shallow.dir, three, two, false, false},
		"beyond a shallow clone":          {shallow.dir, one, three, false, false},
		"a parent that was not cloned":    {shallow.dir, one, two, false, false},
		"itself at a shallow clone's end": {shallow.dir, two, two, true, true},
	} {
		if yes, known := Ancestor(t.Context(), c.dir, c.older, c.newer); yes != c.yes || known != c.known {
			t.Errorf("%s: %t, known %t", title, yes, known)
		}
	}
}

func TestDefaultBranch(t *testing.T) {
	branch := func(r *repository) string { return Read(t.Context(), r.dir).DefaultBranch }
	origin := newRepository(t, "release/next")
	if got := branch(origin); got != "" {
		t.Errorf("before the first commit: %q", got)
	}
	origin.commit(t, "one")
	if got := branch(origin); got != "" {
		t.Errorf("without a remote, main or master: %q", got)
	}
	clone := &repository{dir: filepath.Join(t.TempDir(), "clone")}
	origin.git(t, "clone", "-q", origin.dir, clone.dir)
	clone.git(t, "branch", "main")
	if got := branch(clone); got != "release/next" {
		t.Errorf("a clone: %q", got)
	}
	origin.git(t, "branch", "master")
	if got := branch(origin); got != "master" {
		t.Errorf("with master: %q", got)
	}
	origin.git(t, "branch", "main")
	if got := branch(origin); got != "main" {
		t.Errorf("with main: %q", got)
	}
	origin.git(t, "checkout", "-q", "--detach")
	origin.git(t, "update-ref", "refs/tags/trunk", "HEAD")
	if got := branch(origin); got != "main" {
		t.Errorf("detached: %q", got)
	}
}
