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

// gitTimeout is how long git may take for one question about commits.
const gitTimeout = 30 * time.Second

// maxDate is the last second that RFC 3339 can write.
const maxDate = 253402300799

// CommitDate is the committer's date of exactly that commit, in UTC. It is unknown where sha is not 40 lower-case hex
// digits, or no commit that the checkout at dir has.
func CommitDate(ctx context.Context, dir, commit string) (time.Time, bool) {
	if !IsCommit(commit) || !inCheckout(dir) {
		return time.Time{}, false
	}
	ctx, cancel := context.WithTimeout(ctx, gitTimeout)
	defer cancel()
	// By --batch, git says what the object is; asked for the commit alone, it would follow a tag to its commit.
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

// Ancestor reports whether commit older is an ancestor of commit newer, or the same. It is not known where either is not 40
// lower-case hex digits or not in the checkout at dir, and not where a shallow clone knows of no way from one to the
// other: it may lie beyond what was cloned.
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
	if !errors.As(err, &exit) || exit.ExitCode() != 1 { // 1 is no, others are trouble
		return false, false
	}
	return false, git(ctx, dir, "rev-parse", "--is-shallow-repository") == "false"
}

// headBuffer keeps the first 64 KiB of what is written to it: of a commit, its header.
type headBuffer struct{ bytes.Buffer }

func (h *headBuffer) Write(p []byte) (int, error) {
	h.Buffer.Write(p[:min(len(p), max(64<<10-h.Len(), 0))])
	return len(p), nil
}
