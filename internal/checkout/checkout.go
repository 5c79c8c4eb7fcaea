// Package checkout reads what a git checkout says of itself: its repository on a forge, ref and commit. It runs git with
// an environment that holds no secret.
package checkout

import (
	"context"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// Checkout is what git says of a work tree.
type Checkout struct {
	Repository string // owner/name of the remote `origin`; local/<folder> where there is none
	Ref        string // refs/tags/… where HEAD is exactly a tag, else refs/heads/…; refs/heads/main outside of git
	SHA        string // of HEAD, 40 hex digits; zeros outside of git or before the first commit
	// DefaultBranch is the remote's (refs/remotes/origin/HEAD), else main or master where there is such a local branch;
	// else empty.
	DefaultBranch string
}

// Read asks git about dir. It never fails: what git does not know has the default that Checkout documents.
func Read(ctx context.Context, dir string) Checkout {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	c := Checkout{
		Repository: repositoryOf(git(ctx, dir, "config", "--get", "remote.origin.url")),
		SHA:        git(ctx, dir, "rev-parse", "--verify", "HEAD"),
		Ref:        "refs/heads/main",
	}
	if c.Repository == "" {
		c.Repository = "local/" + folderName(dir)
	}
	if !IsCommit(c.SHA) {
		c.SHA = strings.Repeat("0", 40)
	}
	if branch := git(ctx, dir, "symbolic-ref", "-q", "HEAD"); branch != "" {
		c.Ref = branch
	}
	if tag := git(ctx, dir, "describe", "--tags", "--exact-match", "HEAD"); tag != "" {
		c.Ref = "refs/tags/" + tag
	}
	c.DefaultBranch = defaultBranch(ctx, dir)
	return c
}

func defaultBranch(ctx context.Context, dir string) string {
	const remote = "refs/remotes/origin/"
	if branch, ok := strings.CutPrefix(git(ctx, dir, "symbolic-ref", "-q", remote+"HEAD"), remote); ok {
		return branch
	}
	for _, branch := range []string{"main", "master"} {
		if git(ctx, dir, "rev-parse", "--verify", "-q", "refs/heads/"+branch) != "" {
			return branch
		}
	}
	return ""
}

// IsCommit reports whether sha is a commit's name: 40 lower-case hex digits.
func IsCommit(sha string) bool { return commitSHA.MatchString(sha) }

var (
	commitSHA   = regexp.MustCompile(`^[0-9a-f]{40}$`)
	nameSegment = regexp.MustCompile(`^[A-Za-z0-9._-]{1,100}$`)
)

// git returns what git prints, trimmed; empty where it fails or prints more than 4 KiB.
func git(ctx context.Context, dir string, args ...string) string {
	out, err := command(ctx, dir, args...).Output()
	if err != nil || len(out) > 4096 {
		return ""
	}
	return strings.TrimSpace(string(out))
}

// command returns git with args, to run in dir. It runs nothing that the checkout's configuration names, and fetches
// nothing; objects are read as they are, whatever refs/replace has.
func command(ctx context.Context, dir string, args ...string) *exec.Cmd {
	//nolint:gosec // the arguments are this package's
	cmd := exec.CommandContext(ctx, "git", append([]string{"-c", "core.fsmonitor=false"}, args...)...)
	cmd.Dir = dir
	cmd.Env = []string{"GIT_NO_LAZY_FETCH=1", "GIT_ALLOW_PROTOCOL=none", "GIT_NO_REPLACE_OBJECTS=1"}
	for _, key := range []string{"PATH", "HOME", "USERPROFILE", "SYSTEMROOT"} {
		if v, ok := os.LookupEnv(key); ok {
			cmd.Env = append(cmd.Env, key+"="+v)
		}
	}
	return cmd
}

// inCheckout reports whether dir is in a checkout. It saves starting git where it is not.
func inCheckout(dir string) bool {
	folder, err := filepath.Abs(dir)
	for err == nil {
		if _, err := os.Lstat(filepath.Join(folder, ".git")); err == nil {
			return true
		}
		if filepath.Dir(folder) == folder {
			break
		}
		folder = filepath.Dir(folder)
	}
	return false
}

// repositoryOf returns owner/name of a remote's URL: https, ssh, or git's scp form. It is empty for anything else, such
// as a path.
func repositoryOf(remote string) string {
	path := ""
	if u, err := url.Parse(remote); err == nil && u.Host != "" {
		path = u.Path
	} else if _, after, ok := strings.Cut(remote, ":"); ok && !strings.HasPrefix(remote, "/") && !strings.HasPrefix(remote, ".") {
		path = after
	}
	parts := strings.Split(strings.Trim(strings.TrimSuffix(path, ".git"), "/"), "/")
	if len(parts) < 2 {
		return ""
	}
	owner, name := parts[len(parts)-2], parts[len(parts)-1]
	if !nameSegment.MatchString(owner) || !nameSegment.MatchString(name) {
		return ""
	}
	return owner + "/" + name
}

// folderName returns the name of the folder dir as a repository could have it.
func folderName(dir string) string {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "checkout"
	}
	name := regexp.MustCompile(`[^A-Za-z0-9._-]+`).ReplaceAllString(filepath.Base(abs), "-")
	if name = strings.Trim(name, "-."); name == "" {
		return "checkout"
	}
	return name
}
