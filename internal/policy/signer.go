package policy

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

const (
	publicHost    = "github.com"
	tenantDomain  = ".ghe.com"
	actionsIssuer = "https://token.actions.githubusercontent.com"
)

// ErrUsage is wrapped by every error about flags that do not go together or make no sense.
var ErrUsage = errors.New("invalid verification policy")

// Validate checks that the policy says whom to trust, and that its parts go together.
func (c Consumer) Validate() error {
	if err := c.validate(); err != nil {
		return fmt.Errorf("%w: %w", ErrUsage, err)
	}
	return nil
}

func (c Consumer) validate() error {
	signers := 0
	for _, s := range []string{c.SignerWorkflow, c.SignerRepo, c.CertIdentity, c.CertIdentityRegex} {
		if s != "" {
			signers++
		}
	}
	switch {
	case c.Repo != "" && c.Owner != "":
		return errors.New("--repo and --owner exclude each other")
	case signers > 1:
		return errors.New("--cert-identity, --cert-identity-regex, --signer-repo and --signer-workflow exclude each other")
	case c.Repo == "" && c.Owner == "" && signers == 0:
		return errors.New("whom to trust is missing: --repo, --owner, or a signer's identity")
	case c.Repo != "" && !ownerAndName(c.Repo):
		return fmt.Errorf("--repo %s is not OWNER/REPO", quoted(c.Repo))
	case c.Owner != "" && strings.Contains(c.Owner, "/"):
		return fmt.Errorf("--owner %s is not a name", quoted(c.Owner))
	case c.SignerRepo != "" && !ownerAndName(c.SignerRepo):
		return fmt.Errorf("--signer-repo %s is not OWNER/REPO", quoted(c.SignerRepo))
	}
	if host := c.host(); host != publicHost && c.tenant() == "" {
		return fmt.Errorf("--hostname %s has no attestations: only %s and TENANT%s do", quoted(host), publicHost, tenantDomain)
	}
	_, err := c.expectedSAN()
	return err
}

// ownerAndName reports whether s is two names with one slash between them.
func ownerAndName(s string) bool {
	owner, name, ok := strings.Cut(s, "/")
	return ok && owner != "" && name != "" && !strings.Contains(name, "/")
}

func (c Consumer) host() string {
	if c.Hostname == "" {
		return publicHost
	}
	return strings.ToLower(c.Hostname)
}

// tenant returns the name before .ghe.com, which is empty on github.com.
func (c Consumer) tenant() string {
	name, ok := strings.CutSuffix(c.host(), tenantDomain)
	if !ok || name == "" || strings.ContainsAny(name, "./:@") {
		return ""
	}
	return name
}

// issuer returns the issuer of ID tokens that is asked for: a tenant's own takes the default's place.
func (c Consumer) issuer() string {
	if c.CertOIDCIssuer != "" && (c.CertOIDCIssuer != actionsIssuer || c.tenant() == "") {
		return c.CertOIDCIssuer
	}
	if t := c.tenant(); t != "" {
		return "https://token.actions." + t + tenantDomain
	}
	return actionsIssuer
}

// sanPolicy is what the certificate's subject alternative name must be.
type sanPolicy struct {
	exact       string
	pattern     *regexp.Regexp
	description string // what was asked for, in the user's words
}

func (s sanPolicy) match(san string) error {
	if s.exact != "" && s.exact == san || s.pattern != nil && s.pattern.MatchString(san) {
		return nil
	}
	return &MismatchError{Field: "certificate subject alternative name", Want: s.description, Got: san}
}

// expectedSAN returns the policy for the subject alternative name: the signer's identity where one is given, else any
// workflow of the repository or owner.
func (c Consumer) expectedSAN() (sanPolicy, error) {
	host := "https://" + c.host() + "/"
	switch {
	case c.CertIdentity != "":
		return sanPolicy{exact: c.CertIdentity, description: c.CertIdentity}, nil
	case c.CertIdentityRegex != "":
		pattern, err := regexp.Compile(c.CertIdentityRegex)
		if err != nil {
			return sanPolicy{}, fmt.Errorf("--cert-identity-regex %s: not a regular expression", quoted(c.CertIdentityRegex))
		}
		return sanPolicy{pattern: pattern, description: c.CertIdentityRegex}, nil
	case c.SignerRepo != "":
		return anyWorkflowUnder(host + c.SignerRepo)
	case c.SignerWorkflow != "":
		return c.workflowSAN()
	case c.Repo != "":
		return anyWorkflowUnder(host + c.Repo)
	}
	return anyWorkflowUnder(host + c.Owner)
}

// anyWorkflowUnder accepts every name below prefix; letter case does not matter.
func anyWorkflowUnder(prefix string) (sanPolicy, error) {
	pattern, err := regexp.Compile("(?i)^" + regexp.QuoteMeta(prefix+"/"))
	return sanPolicy{pattern: pattern, description: prefix + "/…"}, err
}

// startsWithHost matches a workflow that begins with a host name: an owner's name has no dot.
var startsWithHost = regexp.MustCompile(`^[a-zA-Z0-9-]+\.[a-zA-Z0-9-]`)

// workflowSAN accepts one workflow file, at any ref or at the ref that is given after an "@". gh compares a prefix
// only: it would accept build.yml-evil for build.yml.
func (c Consumer) workflowSAN() (sanPolicy, error) {
	name := c.SignerWorkflow
	if !startsWithHost.MatchString(name) {
		name = c.host() + "/" + name
	}
	if strings.Count(name, "/") < 3 {
		return sanPolicy{}, fmt.Errorf("--signer-workflow %s is not [HOST/]OWNER/REPO/PATH", quoted(c.SignerWorkflow))
	}
	url := "https://" + name
	expr := "^" + regexp.QuoteMeta(url)
	if strings.Contains(name, "@") {
		expr += "$"
	} else {
		expr += "@"
		url += "@…"
	}
	pattern, err := regexp.Compile(expr)
	return sanPolicy{pattern: pattern, description: url}, err
}
