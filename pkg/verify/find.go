package verify

import (
	"context"
	"fmt"
	"net/url"
	"strings"

	"github.com/taglast/taglast/internal/bundle"
	"github.com/taglast/taglast/internal/github"
)

// candidate is an attestation that was found.
type candidate struct {
	source    string
	bundle    *bundle.Bundle
	url       string
	initiator string
	err       error // why it could not be read
}

// other says that the candidate is well-formed and of another predicate type. What is not well-formed is for the policy
// to refuse.
func (c candidate) other(predicateType string) bool {
	s, err := c.bundle.Statement()
	return err == nil && s.PredicateType != predicateType
}

func (o Options) find(ctx context.Context, s subject) ([]candidate, error) {
	switch {
	case o.Bundle != "":
		return readBundles(o.Bundle, o.path(o.Bundle))
	case o.BundleFromOCI:
		return fromRegistry(ctx, s)
	}
	return o.fromAPI(ctx, s.digest.String())
}

// fromAPI asks GitHub: under the repository, or under the owner, who may be an organization or a user.
func (o Options) fromAPI(ctx context.Context, digest string) ([]candidate, error) {
	api, err := github.New(github.Options{
		HTTP: o.HTTP, URL: o.apiURL(), Token: o.Token, Retry: o.Retry, UserAgent: o.UserAgent,
	})
	if err != nil {
		return nil, err
	}
	scopes := []string{"repos/" + o.Policy.Repo}
	if o.Policy.Repo == "" {
		scopes = []string{"orgs/" + o.Policy.Owner, "users/" + o.Policy.Owner}
	}
	var records []github.Record
	for _, scope := range scopes {
		if records, err = api.Attestations(ctx, scope, digest, o.predicateType(), o.Limit); err != nil {
			return nil, o.refused(fmt.Errorf("attestations of %s: %w", strings.SplitN(scope, "/", 2)[1], err))
		}
		if len(records) > 0 {
			break
		}
	}
	host := o.apiURL()
	if u, err := url.Parse(host); err == nil {
		host = u.Host
	}
	found := make([]candidate, len(records))
	for i, r := range records {
		found[i] = candidate{
			source: fmt.Sprintf("%d of %d from %s", i+1, len(records), host),
			bundle: r.Bundle, url: r.BundleURL, initiator: r.Initiator, err: r.Err,
		}
	}
	return found, nil
}
