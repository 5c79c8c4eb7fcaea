package event

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/taglast/taglast/internal/checkout"
	"github.com/taglast/taglast/internal/escape"
	"github.com/taglast/taglast/pkg/tagrule"
)

// Getenv looks a variable of the environment up, as os.Getenv does: empty where it is not set.
type Getenv func(string) string

// InActions reports whether the environment is that of a GitHub Actions job.
func (getenv Getenv) InActions() bool { return getenv("GITHUB_ACTIONS") == "true" }

// HasEvent reports whether the environment tells of an event: a job's, or one that somebody set for a dry run.
func (getenv Getenv) HasEvent() bool {
	return getenv.InActions() || getenv("GITHUB_REF") != "" || getenv("GITHUB_EVENT_NAME") != ""
}

// WithCheckout completes the environment outside of Actions: what it lacks of repository, event, ref, commit and
// workflow comes from the git checkout at dir. read reports whether the checkout was read; branch is then the default
// branch that the checkout knows.
func (getenv Getenv) WithCheckout(ctx context.Context, dir string) (_ Getenv, branch string, read bool) {
	complete := getenv("GITHUB_REPOSITORY") != "" && getenv("GITHUB_REF") != "" && getenv("GITHUB_SHA") != ""
	if complete || getenv.InActions() {
		return getenv, "", false
	}
	c := checkout.Read(ctx, dir)
	env := map[string]string{}
	fill := func(key, value string) string {
		if set := getenv(key); set != "" {
			return set
		}
		env[key] = value
		return value
	}
	if getenv("GITHUB_REF") == "" {
		env["GITHUB_EVENT_PATH"] = "" // it would be that of another event
	}
	repository, ref, sha := fill("GITHUB_REPOSITORY", c.Repository), fill("GITHUB_REF", c.Ref), fill("GITHUB_SHA", c.SHA)
	owner, _, _ := strings.Cut(repository, "/")
	fill("GITHUB_REPOSITORY_OWNER", owner)
	fill("GITHUB_EVENT_NAME", "push")
	fill("GITHUB_WORKFLOW_REF", repository+"/.github/workflows/release.yml@"+ref)
	fill("GITHUB_WORKFLOW_SHA", sha)
	return getenv.withOverrides(env), c.DefaultBranch, true
}

// withOverrides returns the environment with the variables of env in the place of its own.
func (getenv Getenv) withOverrides(env map[string]string) Getenv {
	return func(key string) string {
		if v, ok := env[key]; ok {
			return v
		}
		return getenv(key)
	}
}

// TagEvent is the event as tag rules see it, read as docker/metadata-action reads it: on pull_request_target the ref is
// the pull request's, and with DOCKER_METADATA_PR_HEAD_SHA=true the commit of a pull request is its head. branch is the
// default branch where the payload names none. The clock is read here alone; TAGLAST_NOW (RFC 3339, or seconds since
// 1970) takes its place in tests. The caller adds the release-version and CommitDate.
func (getenv Getenv) TagEvent(p Payload, branch string) (tagrule.Event, error) {
	e := tagrule.Event{
		Name: getenv("GITHUB_EVENT_NAME"), Ref: getenv("GITHUB_REF"), SHA: getenv("GITHUB_SHA"),
		DefaultBranch: p.Repository.DefaultBranch,
	}
	if e.DefaultBranch == "" {
		e.DefaultBranch = branch
	}
	if strings.Trim(e.SHA, "0") == "" { // zeros stand for a checkout without a commit
		e.SHA = ""
	}
	if strings.Contains(e.Name, "pull_request_target") {
		e.Ref = fmt.Sprintf("refs/pull/%d/merge", p.Number)
	}
	if p.PullRequest != nil && strings.Contains(e.Name, "pull_request") &&
		strings.Contains(strings.ToLower(getenv("DOCKER_METADATA_PR_HEAD_SHA")), "true") && p.PullRequest.Head.SHA != "" {
		e.SHA = p.PullRequest.Head.SHA
	}
	switch {
	case strings.HasPrefix(e.Ref, "refs/tags/"):
		e.BaseRef = strings.TrimPrefix(p.BaseRef, "refs/heads/")
	case strings.HasPrefix(e.Ref, "refs/pull/") && p.PullRequest != nil:
		e.BaseRef = p.PullRequest.Base.Ref
	}
	if text := getenv("DOCKER_METADATA_SHORT_SHA_LENGTH"); text != "" {
		n, err := strconv.Atoi(strings.TrimSpace(text))
		if err != nil || n < 1 {
			return e, fmt.Errorf("DOCKER_METADATA_SHORT_SHA_LENGTH=%s is not a whole number from 1", escape.Bounded(text, 80))
		}
		e.ShortSHA = n
	}
	var err error
	e.Now, err = getenv.now()
	return e, err
}

// now returns the time by which this run goes.
func (getenv Getenv) now() (time.Time, error) {
	text := getenv("TAGLAST_NOW")
	if text == "" {
		return time.Now(), nil
	}
	if seconds, err := strconv.ParseInt(text, 10, 64); err == nil {
		return time.Unix(seconds, 0), nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return at, fmt.Errorf("TAGLAST_NOW=%s is not a time: it is RFC 3339, or seconds since 1970", escape.Bounded(text, 80))
	}
	return at, nil
}

// SourceDate returns SOURCE_DATE_EPOCH (reproducible-builds.org); false where it is not set.
func (getenv Getenv) SourceDate() (time.Time, bool, error) {
	text := getenv("SOURCE_DATE_EPOCH")
	if text == "" {
		return time.Time{}, false, nil
	}
	seconds, err := strconv.ParseInt(text, 10, 64)
	if err != nil || seconds < 0 || seconds > 253402300799 { // the year 9999, the last that RFC 3339 can write
		return time.Time{}, false, fmt.Errorf("SOURCE_DATE_EPOCH=%s is not a number of seconds since 1970", escape.Bounded(text, 80))
	}
	return time.Unix(seconds, 0).UTC(), true, nil
}
