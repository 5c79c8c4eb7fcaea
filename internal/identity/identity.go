// Package identity checks a job's OIDC ID tokens against their issuer's keys and compares their claims with the job's
// environment. Who asks the runner for them is given to it.
package identity

import "time"

// Claims are what GitHub says of the job in an ID token whose signature was checked (GitHub, "OpenID Connect
// reference").
type Claims struct {
	Issuer               string
	Subject              string
	Ref                  string
	SHA                  string
	Repository           string
	RepositoryID         string
	RepositoryOwner      string
	RepositoryOwnerID    string
	RepositoryVisibility string
	EventName            string
	Workflow             string
	WorkflowRef          string
	WorkflowSHA          string
	JobWorkflowRef       string
	JobWorkflowSHA       string
	RunID                string
	RunAttempt           string
	RunnerEnvironment    string
	Environment          string
}

// Token is a verified ID token. Its text never appears in a log, an error or a file.
type Token struct{ p *token }

type token struct {
	raw    string
	claims Claims
	all    map[string]any // every claim: a later token is compared with them
	expiry time.Time
}

// Claims are those of the token; the zero Token has none.
func (t Token) Claims() Claims {
	if t.p == nil {
		return Claims{}
	}
	return t.p.claims
}

// Raw is the token's compact serialisation. It is a secret, for the certificate request alone.
func (t Token) Raw() string {
	if t.p == nil {
		return ""
	}
	return t.p.raw
}

// Expiry is when the token stops being valid; the zero Token has the zero time.
func (t Token) Expiry() time.Time {
	if t.p == nil {
		return time.Time{}
	}
	return t.p.expiry
}

// String hides the token.
func (t Token) String() string { return "ID token (hidden)" }
