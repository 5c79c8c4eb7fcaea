package verify

import (
	"context"
	"fmt"
	"net/url"
	"strings"

	"github.com/taglast/taglast/internal/github"
)

// fromAPI asks GitHub: under the repository, or under the owner, who may be an organization or a user.
func (o Options) fromAPI(ctx context.Context, digest string) ([]candidate, error) {
	api, err := github.New(github.Options{
		HTTP: o.HTTP, URL: o.apiURL(), Token: o.Token, Retry: o.retry(), UserAgent: o.UserAgent,
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
		if records, err = api.Attestations(ctx, scope, digest, o.Policy.predicateType(), o.Limit); err != nil {
			return nil, o.withTokenHint(fmt.Errorf("attestations of %s: %w", strings.SplitN(scope, "/", 2)[1], err))
		}
		if len(records) > 0 {
			break
		}
	}
	host := o.apiURL()
	if u, err := url.Parse(host); err == nil {
		host = u.Host
	}
	candidates := make([]candidate, len(records))
	for i, r := range records {
		candidates[i] = candidate{
			source: fmt.Sprintf("%d of %d from %s", i+1, len(records), host),
			bundle: r.Bundle, url: r.BundleURL, initiator: r.Initiator, err: r.Err,
		}
	}
	return candidates, nil
}
