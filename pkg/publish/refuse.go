package publish

import (
	"errors"
	"fmt"
	"strings"

	"github.com/taglast/taglast/internal/escape"
	"github.com/taglast/taglast/internal/event"
	"github.com/taglast/taglast/internal/hint"
	"github.com/taglast/taglast/internal/identity"
)

// refuseEvent says why a real run must not publish on this event: it runs code or text of strangers.
func refuseEvent(name, repository string, p event.Payload) error {
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
func refuseVisibility(c identity.Claims, p event.Payload, own bool) error {
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
