package publish

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/taglast/taglast/internal/escape"
	"github.com/taglast/taglast/internal/hint"
	"github.com/taglast/taglast/pkg/identity"
)

// maxPayload bounds the event payload: GitHub caps webhook payloads at 25 MB.
const maxPayload = 25 << 20

// payload is what taglast reads of the event (GITHUB_EVENT_PATH).
type payload struct {
	Repository struct {
		Visibility string `json:"visibility"`
		Owner      struct {
			Type string `json:"type"`
		} `json:"owner"`
	} `json:"repository"`
	PullRequest *struct {
		Head fork `json:"head"`
	} `json:"pull_request"`
	WorkflowRun *struct {
		HeadRepository *repo `json:"head_repository"`
	} `json:"workflow_run"`
}

type fork struct {
	Repo *repo `json:"repo"` // null where the fork was deleted
}

type repo struct {
	FullName string `json:"full_name"`
}

// readPayload reads the event; no file is an empty payload, which means private wherever it is asked.
func readPayload(path string) (payload, error) {
	var p payload
	if path == "" {
		return p, nil
	}
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return p, nil
	}
	if err != nil {
		return p, fmt.Errorf("read the event payload: %w", err)
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, maxPayload+1))
	if err != nil {
		return p, fmt.Errorf("read the event payload: %w", err)
	}
	if len(raw) > maxPayload {
		return p, fmt.Errorf("the event payload is larger than %d bytes", maxPayload)
	}
	if err := json.Unmarshal(raw, &p); err != nil {
		return p, fmt.Errorf("the event payload (GITHUB_EVENT_PATH) is not JSON: %w", err)
	}
	return p, nil
}

// refuseEvent says why a real run must not publish on this event: it runs code or text of strangers.
func refuseEvent(name, repository string, p payload) error {
	if name == "pull_request_target" {
		return hint.With(errors.New("`pull_request_target` runs with write permissions on a stranger's pull request: nothing is published on it"),
			"publish on the push of a tag or branch; on pull requests use `pull_request` with --dry-run")
	}
	from := ""
	switch {
	case p.PullRequest != nil && p.PullRequest.Head.Repo == nil:
		from = "a deleted fork"
	case p.PullRequest != nil:
		from = p.PullRequest.Head.Repo.FullName
	case p.WorkflowRun != nil && p.WorkflowRun.HeadRepository == nil:
		from = "a deleted fork"
	case p.WorkflowRun != nil:
		from = p.WorkflowRun.HeadRepository.FullName
	case strings.HasPrefix(name, "pull_request"), name == "workflow_run":
		from = "a repository that the event payload does not name"
	}
	if from != "" && !strings.EqualFold(from, repository) {
		return hint.With(fmt.Errorf("this `%s` event comes from %s, not from %s: nothing is published on it", escape.Text(name), escape.Text(from), escape.Text(repository)),
			"use --dry-run on events of forks")
	}
	return nil
}

// refuseVisibility says why this run may not use the public-good instance. Token and event must both say public; any
// doubt means private. own says that another instance was given by --signing-config.
func refuseVisibility(c identity.Claims, p payload, own bool) error {
	public := c.RepositoryVisibility == "public" && p.Repository.Visibility == "public"
	if public {
		return nil
	}
	if p.Repository.Owner.Type == "User" && c.RepositoryVisibility != "public" {
		return hint.With(fmt.Errorf("%s is a private repository of a user account: GitHub keeps no attestations for it", escape.Text(c.Repository)),
			"make the repository public, or move it to an organisation with GitHub Enterprise Cloud")
	}
	if own {
		return nil
	}
	return hint.With(fmt.Errorf("%s is not public for certain (token: %q, event: %q): the public-good Sigstore instance would publish its name, workflow and commit for ever",
		escape.Text(c.Repository), escape.Text(c.RepositoryVisibility), escape.Text(p.Repository.Visibility)),
		"give the instance to sign with: --signing-config FILE --trusted-root FILE")
}

// splitOwner splits ghcr.io's owner/package, the package with its slashes escaped as the settings page wants them.
func splitOwner(path string) (owner, pkg string) {
	owner, pkg, _ = strings.Cut(path, "/")
	return owner, strings.ReplaceAll(pkg, "/", "%2F")
}
