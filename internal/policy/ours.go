package policy

import (
	"net/url"
	"strings"

	"github.com/sigstore/sigstore-go/pkg/root"

	"github.com/taglast/taglast/internal/identity"
)

// Ours is the policy for what this repository published, at whatever commit and in whatever run: its source is the
// repository of claims, and its signer a workflow of the repository that this run's own workflow is of, which is another
// one where that is a reusable workflow. serverURL is GITHUB_SERVER_URL; empty means https://github.com.
func Ours(claims identity.Claims, serverURL string, trusted ...root.TrustedMaterial) Consumer {
	c := Consumer{Trusted: trusted, Repo: claims.Repository, CertOIDCIssuer: claims.Issuer}
	if u, err := url.Parse(serverURL); err == nil && strings.HasSuffix(strings.ToLower(u.Host), tenantDomain) {
		c.Hostname = u.Host
	}
	if signer, _, _ := strings.Cut(claims.JobWorkflowRef, "/.github/"); !strings.EqualFold(signer, claims.Repository) {
		c.SignerRepo = signer
	}
	return c
}
