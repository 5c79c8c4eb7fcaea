// Package event reads what started this run: the webhook payload and the environment of a GitHub Actions job, or the git
// checkout outside of one.
package event

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/taglast/taglast/internal/bounded"
)

// maxPayload bounds the event payload: GitHub caps webhook payloads at 25 MB.
const maxPayload = 25 << 20

// Payload is what taglast reads of the event (GITHUB_EVENT_PATH; GitHub, "Webhook events and payloads"). Fields that an
// event does not have are zero.
type Payload struct {
	Number      int64        `json:"number"`   // that of a pull request
	BaseRef     string       `json:"base_ref"` // the branch of a tag that was pushed, where GitHub names it
	Commits     []Commit     `json:"commits"`
	HeadCommit  *Commit      `json:"head_commit"`
	Repository  Repository   `json:"repository"`
	PullRequest *PullRequest `json:"pull_request"`
	WorkflowRun *WorkflowRun `json:"workflow_run"`
}

// Commit is one commit of a push.
type Commit struct {
	ID        string `json:"id"`
	Timestamp string `json:"timestamp"` // RFC 3339
}

// Repository is the repository that the event is about.
type Repository struct {
	Description   string   `json:"description"`
	DefaultBranch string   `json:"default_branch"`
	Visibility    string   `json:"visibility"`
	License       *License `json:"license"`
	Owner         struct {
		Type string `json:"type"`
	} `json:"owner"`
}

// License is the repository's license as GitHub detects it.
type License struct {
	SPDXID string `json:"spdx_id"`
}

// PullRequest is that of a pull_request or pull_request_target event.
type PullRequest struct {
	Head struct {
		SHA  string `json:"sha"`
		Repo *Fork  `json:"repo"` // null where the fork was deleted
	} `json:"head"`
	Base struct {
		Ref string `json:"ref"`
	} `json:"base"`
}

// WorkflowRun is that of a workflow_run event: the run that caused this one.
type WorkflowRun struct {
	HeadRepository *Fork `json:"head_repository"`
}

// Fork is the repository that the code of an event comes from.
type Fork struct {
	FullName string `json:"full_name"`
}

// ReadPayload reads the event at path, at most 25 MiB. Without a path or a file the payload is empty, and an empty
// visibility counts as private everywhere.
func ReadPayload(path string) (Payload, error) {
	var p Payload
	if path == "" {
		return p, nil
	}
	raw, err := bounded.ReadFile(path, maxPayload)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return p, nil
	case errors.Is(err, bounded.ErrTooLarge):
		return p, fmt.Errorf("the event payload is larger than %d bytes", maxPayload)
	case err != nil:
		return p, fmt.Errorf("read the event payload: %w", err)
	}
	if err := json.Unmarshal(raw, &p); err != nil {
		return Payload{}, fmt.Errorf("the event payload (GITHUB_EVENT_PATH) is not JSON of an event: %w", err)
	}
	return p, nil
}

// CommitDate returns the date of a commit, false where the payload does not have it.
func (p Payload) CommitDate(sha string) (time.Time, bool) {
	for _, c := range append(p.Commits, p.head()...) {
		if c.ID != sha || sha == "" {
			continue
		}
		if at, err := time.Parse(time.RFC3339, c.Timestamp); err == nil {
			return at, true
		}
	}
	return time.Time{}, false
}

func (p Payload) head() []Commit {
	if p.HeadCommit == nil {
		return nil
	}
	return []Commit{*p.HeadCommit}
}
