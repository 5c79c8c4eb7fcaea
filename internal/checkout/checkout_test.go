package checkout

import (
	"context"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestFromRemote(t *testing.T) {
	for remote, want := range map[string]string{
		"https://github.com/acme/hello.git":           "acme/hello",
		"https://user:secret@github.com/acme/hello":   "acme/hello",
		"git@github.com:acme/hello.git":               "acme/hello",
		"ssh://git@ssh.github.com:443/acme/hello.git": "acme/hello",
		"/srv/git/hello.git":                          "",
		"../hello":                                    "",
		"https://github.com/hello":                    "",
		"git@github.com:acme/he llo":                  "",
		"":                                            "",
	} {
		if got := repositoryOf(remote); got != want {
			t.Errorf("fromRemote(%q) = %q, want %q", remote, got, want)
		}
	}
}

func TestReadOutsideOfGitIsLocal(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "my app")
	got := Read(context.Background(), dir)
	want := Checkout{Repository: "local/my-app", Ref: "refs/heads/main", SHA: strings.Repeat("0", 40)}
	if got != want {
		t.Errorf("Read = %+v, want %+v", got, want)
	}
}

func TestReadPrefersTheTagOfHead(t *testing.T) {
	dir := t.TempDir()
	for _, args := range [][]string{
		{"init", "-q", "-b", "trunk"},
		{"-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "-q", "--allow-empty", "-m", "one"},
		{"remote", "add", "origin", "git@github.com:acme/hello.git"},
	} {
		cmd := exec.Command("git", args...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
	}
	got := Read(context.Background(), dir)
	if got.Repository != "acme/hello" || got.Ref != "refs/heads/trunk" || !commitSHA.MatchString(got.SHA) || strings.Trim(got.SHA, "0") == "" {
		t.Errorf("Read = %+v", got)
	}
	cmd := exec.Command("git", "tag", "v1.2.3")
	cmd.Dir = dir
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	if got := Read(context.Background(), dir); got.Ref != "refs/tags/v1.2.3" {
		t.Errorf("Ref = %s, want the tag", got.Ref)
	}
}
