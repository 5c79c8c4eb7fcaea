package checkout

import (
	"bytes"
	"context"
	"errors"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// gitTimeout bounds one question about commits.
const gitTimeout = 30 * time.Second

// maxDate is the last second of the year 9999, and so of RFC 3339.
const maxDate = 253402300799

// CommitDate returns the committer's date of exactly that commit, in UTC. It is false where commit is not 40 lower-case
// hex digits, or no commit that the checkout at dir has.
func CommitDate(ctx context.Context, dir, commit string) (time.Time, bool) {
	if !IsCommit(commit) || !inCheckout(dir) {
		return time.Time{}, false
	}
	ctx, cancel := context.WithTimeout(ctx, gitTimeout)
	defer cancel()
	// With --batch, git says what the object is; asked for a commit, it would follow a tag to its commit.
	var out headBuffer
	cmd := command(ctx, dir, "cat-file", "--batch")
	cmd.Stdin, cmd.Stdout = strings.NewReader(commit+"\n"), &out
	if cmd.Run() != nil {
		return time.Time{}, false
	}
	first, object, _ := strings.Cut(out.String(), "\n")
	if !strings.HasPrefix(first, commit+" commit ") {
		return time.Time{}, false
	}
	return committerDate(object)
}

// committerDate reads the committer's date of a commit object: in its header, "committer NAME <EMAIL> SECONDS ZONE".
func committerDate(object string) (time.Time, bool) {
	for line := range strings.Lines(object) {
		if line == "\n" { // the message begins
			break
		}
		who, ok := strings.CutPrefix(line, "committer ")
		if !ok || !strings.HasSuffix(line, "\n") {
			continue
		}
		when := strings.Fields(who[strings.LastIndex(who, ">")+1:])
		if len(when) != 2 {
			break
		}
		seconds, err := strconv.ParseUint(when[0], 10, 64)
		if err != nil || seconds > maxDate {
			break
		}
		return time.Unix(int64(seconds), 0).UTC(), true
	}
	return time.Time{}, false
}

// Ancestor reports whether commit older is an ancestor of commit newer, or the same. It is not known where either is
// not 40 lower-case hex digits or not in the checkout at dir, and where a shallow clone has no way from one to the
// other: the way may lie beyond what was cloned.
func Ancestor(ctx context.Context, dir, older, newer string) (yes, known bool) {
	if !IsCommit(older) || !IsCommit(newer) || !inCheckout(dir) {
		return false, false
	}
	ctx, cancel := context.WithTimeout(ctx, gitTimeout)
	defer cancel()
	err := command(ctx, dir, "merge-base", "--is-ancestor", older, newer).Run()
	if err == nil {
		return true, true
	}
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 1 { // 1 means no, others mean that git failed
		return false, false
	}
	return false, git(ctx, dir, "rev-parse", "--is-shallow-repository") == "false"
}

// headBuffer keeps the first 64 KiB of what is written to it, which hold the header of a commit.
type headBuffer struct{ bytes.Buffer }

func (h *headBuffer) Write(p []byte) (int, error) {
	h.Buffer.Write(p[:min(len(p), max(64<<10-h.Len(), 0))])
	return len(p), nil
}
